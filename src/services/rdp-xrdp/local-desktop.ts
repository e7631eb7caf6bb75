/** A desktop of the gateway's own, with no server behind it: there to say something in words. */
import { DecodeError } from '#rdp/bytes.ts';
import { isScreenSize } from '#rdp/graphics/screen.ts';
import { wantedBitsPerPixel } from '#rdp/pdu/gcc-client-core.ts';
import { ServerActivation } from '#rdp/sequence/server-activation.ts';
import type { ServerConnection } from '#rdp/sequence/server-connection.ts';
import { serverCapabilities } from '#rdp/sequence/server-settings.ts';
import { LegEndedError } from './client-leg.ts';
import type { Leg } from './leg.ts';
import type { Share } from './share.ts';
import { withDeadline } from './with-deadline.ts';

const ACTIVATION_TIMEOUT_MS = 20_000;
const SHARE_ID = 0x000103ea;
const FALLBACK_SIZE = { width: 1024, height: 768 };
/** Who is refused need not be known: nobody may have pictures painted that are larger than words need. */
const MAX_PIXELS = 2560 * 1440;

/** The size that a client asks for, or a plain one where that is impossible or larger than it need be. */
export function localSize(width: number, height: number): { width: number; height: number } {
  return isScreenSize(width, height) && width * height <= MAX_PIXELS ? { width, height } : FALLBACK_SIZE;
}

/**
 * Lets the client in to a desktop of the size and depth that it asked for, within reason.
 *
 * @param sequence in phase `admission`
 * @throws DecodeError, LegEndedError, DeadlineError when the client does not follow
 */
export async function openLocalDesktop(leg: Leg, sequence: ServerConnection): Promise<Share> {
  const { state } = sequence;
  if (state.phase !== 'admission') throw new TypeError(`openLocalDesktop: phase is ${state.phase}`);
  const { core } = state.client.blocks;
  const size = localSize(core.desktopWidth, core.desktopHeight);
  const can = { canRefresh: false, canSuppress: false };
  const share: Share = { id: SHARE_ID, ...size, depth: wantedBitsPerPixel(core), isOpen: true, ...can };
  const capabilitySets = serverCapabilities(share.width, share.height, share.depth);
  const activation = new ServerActivation(state.client, { shareId: share.id, capabilitySets });
  const active = new Promise<void>((resolve, reject) => {
    leg.onEnd = (end) => reject(new LegEndedError('client', end));
    if (leg.end) leg.onEnd(leg.end);
    leg.onFrame = (frame) => {
      if (leg.isBackedUp) throw new DecodeError('activation', 'the client asks and does not read the answers', 0);
      for (const answer of activation.receive(frame) ?? []) leg.send(answer);
      if (activation.state.phase === 'active') resolve();
    };
    for (const frame of [...sequence.admit(), ...activation.start()]) leg.send(frame);
    leg.flow();
  });
  await withDeadline(active, ACTIVATION_TIMEOUT_MS, "the client's activation");
  return share;
}
