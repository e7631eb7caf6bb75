/**
 * What the gateway says to a server in a client's name before capabilities are exchanged: the client's own core data and
 * Client Info, less what no recording profile can replay, and with credentials that the client never sees.
 */
import { BulkType } from '../pdu/bulk-flags.ts';
import { type ClientInfo, compressionOf64k, compressionTypeShift, InfoFlag } from '../pdu/client-info.ts';
import { type ClientCoreData, ClientEarlyFlag } from '../pdu/gcc-client-core.ts';

/** What a session's policy gives to the server in place of what the client sent. */
export interface UpstreamLogon {
  domain: string;
  userName: string;
  password: string;
  /** Program that the server is to start in place of its desktop; '' for the desktop. */
  alternateShell: string;
  workingDir: string;
}

/** Early capabilities that open other ways for pixels and input, or that the gateway answers itself. */
const withheldEarlyFlags =
  ClientEarlyFlag.supportDynvcGfxProtocol |
  ClientEarlyFlag.supportSkipChannelJoin |
  ClientEarlyFlag.supportHeartbeatPdu |
  ClientEarlyFlag.supportNetCharAutodetect |
  ClientEarlyFlag.relativeMouseInput;

/** The client's core data as the server is to see it: same desktop, same depth, without the graphics pipeline. */
export function rewriteClientCore(core: ClientCoreData): ClientCoreData {
  const { earlyCapabilityFlags } = core.tail;
  if (earlyCapabilityFlags === undefined) return core;
  return { ...core, tail: { ...core.tail, earlyCapabilityFlags: earlyCapabilityFlags & ~withheldEarlyFlags } };
}

/** Flags without which xrdp refuses a client or shows a log-in dialog. */
const requiredFlags =
  InfoFlag.mouse | InfoFlag.disableCtrlAltDel | InfoFlag.unicode | InfoFlag.maximizeShell | InfoFlag.autologon;

const withheldFlags =
  InfoFlag.compression |
  InfoFlag.compressionTypeMask |
  InfoFlag.passwordIsScPin |
  InfoFlag.rail |
  InfoFlag.hidefRailSupported;

/** Whether the client asks for bulk compression, and can take it with a history of 64 KiB. */
export function wantsBulkCompression({ flags }: ClientInfo): boolean {
  const type = (flags & InfoFlag.compressionTypeMask) >> compressionTypeShift;
  return (flags & InfoFlag.compression) !== 0 && type >= BulkType.mppc64k;
}

/**
 * The client's Client Info as the server is to see it: logs on by itself with the given credentials, without the
 * auto-reconnect cookie, which is the gateway's own.
 *
 * @param compress whether to ask for bulk compression: with a history of 64 KiB, the one form that recordings are freed of
 */
export function rewriteClientInfo(info: ClientInfo, logon: UpstreamLogon, compress: boolean): ClientInfo {
  const { domain, userName, password, alternateShell, workingDir } = logon;
  const flags = ((info.flags & ~withheldFlags) | requiredFlags | (compress ? compressionOf64k : 0)) >>> 0;
  const extended = info.extended?.autoReconnect ? { ...info.extended, autoReconnect: null } : info.extended;
  return { ...info, flags, domain, userName, password, alternateShell, workingDir, extended };
}
