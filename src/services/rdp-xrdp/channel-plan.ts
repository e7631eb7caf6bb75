/** What becomes of each static virtual channel that a client asks for, by the session's policy. Default deny. */
import type { Static } from 'typebox';
import type { Policy } from '#contract/common.ts';

export type SessionPolicy = Static<typeof Policy>;

export type ChannelPlan =
  /** Not announced to the server; the client's data goes nowhere. */
  | { kind: 'deny' }
  /** Chunks pass as they are. */
  | { kind: 'pass' }
  /** The clipboard, per direction. */
  | { kind: 'clipboard'; toServer: boolean; toClient: boolean }
  /** Redirected devices, by their type. */
  | { kind: 'devices'; drives: boolean; printers: boolean };

const DENY: ChannelPlan = { kind: 'deny' };

/** @param name channel name as the client wrote it; servers do not look at its case */
export function planChannel(name: string, policy: SessionPolicy): ChannelPlan {
  switch (name.toLowerCase()) {
    case 'cliprdr': {
      const toServer = policy.clipboard_to_server === true;
      const toClient = policy.clipboard_to_client === true;
      return toServer || toClient ? { kind: 'clipboard', toServer, toClient } : DENY;
    }
    case 'rdpdr': {
      const drives = policy.drives === true;
      const printers = policy.printers === true;
      return drives || printers ? { kind: 'devices', drives, printers } : DENY;
    }
    case 'rdpsnd':
      return policy.audio_output === true ? { kind: 'pass' } : DENY;
    default:
      // Dynamic channels too: graphics, microphone, USB and cameras hide behind drdynvc.
      return DENY;
  }
}
