/** What the gateway says to a server in its client's name. */
import type { ServerTarget } from '#contract/rdp-server-manager.ts';
import { isScreenSize } from '#rdp/graphics/screen.ts';
import { InfoFlag } from '#rdp/pdu/client-info.ts';
import { type ChannelDef, ChannelOption } from '#rdp/pdu/gcc-client-blocks.ts';
import type { ClientCoreData } from '#rdp/pdu/gcc-client-core.ts';
import { Protocol } from '#rdp/pdu/negotiation.ts';
import { RedirectionFlag, type ServerRedirection } from '#rdp/pdu/server-redirection.ts';
import { asciiText, utf16Text } from '#rdp/pdu/text.ts';
import { rewriteClientCore, rewriteClientInfo } from '#rdp/profile/upstream-client.ts';
import type { ClientOptions } from '#rdp/sequence/client-connection.ts';
import { clientInfo } from '#rdp/sequence/client-settings.ts';
import type { ClientDescription } from '#rdp/sequence/server-connection.ts';
import { planChannel, type SessionPolicy } from './channel-plan.ts';
import { displayOf } from './display.ts';

/** CS_CLUSTER: redirection is supported, in its version 4. */
const CLUSTER_FLAGS = 0x1 | (3 << 2);
const REDIRECTED_SESSION_ID_VALID = 0x2;
const COMPRESSION_OPTIONS = ChannelOption.compress | ChannelOption.compressRdp;
/** For clients that ask for a desktop which none can have. */
const FALLBACK_SIZE = { width: 1024, height: 768 };
const NOTHING = new Uint8Array(0);

/**
 * The client's own settings, less what the policy denies, with the target's credentials.
 *
 * @param redirection what the server answered to an earlier attempt, or null at the first
 */
export function upstreamRequest(
  client: ClientDescription,
  policy: SessionPolicy,
  target: ServerTarget,
  redirection: ServerRedirection | null,
): ClientOptions {
  const { bulkCompression } = displayOf(client, policy, target);
  const logon = upstreamLogon(target, redirection);
  const info = rewriteClientInfo(client.info, { ...logon, alternateShell: '', workingDir: '' }, bulkCompression);
  let flags = info.flags & ~(InfoFlag.audioCapture | InfoFlag.usingSavedCreds);
  if (policy.audio_output !== true) flags |= InfoFlag.noAudioPlayback;
  // Without a user name the server must ask the person.
  if (logon.userName === '') flags &= ~InfoFlag.autologon;
  return {
    cookie: null,
    routingToken: redirection?.loadBalanceInfo ? routingToken(redirection.loadBalanceInfo) : null,
    protocols: Protocol.ssl,
    blocks: {
      ...client.blocks,
      core: rewriteClientCore(withPossibleSize(client.blocks.core)),
      // Nobody was invited to send these, and what they say of sizes nobody has looked at.
      monitors: null,
      monitorAttributes: null,
      unknown: [],
      channels: allowedChannels(client.blocks.channels ?? [], policy),
      cluster: {
        flags: redirection ? CLUSTER_FLAGS | REDIRECTED_SESSION_ID_VALID : CLUSTER_FLAGS,
        redirectedSessionId: redirection?.sessionId ?? 0,
        trailing: NOTHING,
      },
    },
    info: { ...info, flags: flags >>> 0, extended: info.extended ?? clientInfo(logon).extended },
  };
}

function withPossibleSize(core: ClientCoreData): ClientCoreData {
  if (isScreenSize(core.desktopWidth, core.desktopHeight)) return core;
  return { ...core, desktopWidth: FALLBACK_SIZE.width, desktopHeight: FALLBACK_SIZE.height };
}

function upstreamLogon(target: ServerTarget, redirection: ServerRedirection | null) {
  const { user, domain, password } = target;
  if (redirection === null || redirection.flags & RedirectionFlag.passwordIsPkEncrypted) {
    return { userName: user, domain, password };
  }
  return {
    userName: redirection.userName || user,
    domain: redirection.domain || domain,
    password: redirection.password ? utf16Text(redirection.password) : password,
  };
}

/** The line without its end, which the library writes. */
function routingToken(loadBalanceInfo: Uint8Array): string {
  return asciiText(loadBalanceInfo).replace(/\r\n$/, '');
}

/** What the policy allows, each name once: a second channel of a name would not be filtered with the first. */
function allowedChannels(channels: readonly ChannelDef[], policy: SessionPolicy): ChannelDef[] {
  const seen = new Set<string>();
  return channels.flatMap(({ name, options }) => {
    const key = name.toLowerCase();
    if (seen.has(key) || planChannel(name, policy).kind === 'deny') return [];
    seen.add(key);
    return [{ name, options: (options & ~COMPRESSION_OPTIONS) >>> 0 }];
  });
}
