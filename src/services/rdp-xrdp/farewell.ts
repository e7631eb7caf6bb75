/** Ends a client's connection in order. */
import { ErrorInfo, writeSetErrorInfo } from '#rdp/pdu/error-info.ts';
import { ClientEarlyFlag } from '#rdp/pdu/gcc-client-core.ts';
import { DisconnectReason, writeDomainPdu } from '#rdp/pdu/mcs-domain.ts';
import { ShareDataType } from '#rdp/pdu/share-data.ts';
import type { ClientDescription } from '#rdp/sequence/server-connection.ts';
import type { Leg } from './leg.ts';
import { type Share, shareDataFrame } from './share.ts';

/**
 * Says why, as far as RDP has a number for it, then closes: the client does not come back by itself.
 *
 * @param share the present share, or null when none was opened
 * @param errorInfo a value of ErrorInfo
 */
export function sayFarewell(leg: Leg, client: ClientDescription, share: Share | null, errorInfo: number): void {
  const understands = ((client.blocks.core.tail.earlyCapabilityFlags ?? 0) & ClientEarlyFlag.supportErrInfoPdu) !== 0;
  if (share?.isOpen && understands && errorInfo !== ErrorInfo.none) {
    leg.send(shareDataFrame(share, client.ioChannelId, ShareDataType.setErrorInfo, writeSetErrorInfo(errorInfo)));
  }
  leg.send(writeDomainPdu({ kind: 'disconnectProviderUltimatum', reason: DisconnectReason.userRequested }));
  leg.close();
}
