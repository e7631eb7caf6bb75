import type { HeadlessClient } from '#demo/headless-client.ts';
import { readDomainPdu } from '#rdp/pdu/mcs-domain.ts';
import { readShareControls, ShareControlType } from '#rdp/pdu/share-control.ts';
import { readShareData, ShareDataType } from '#rdp/pdu/share-data.ts';
import { TPKT_VERSION } from '#rdp/pdu/x224.ts';
import { type Notice, paintNotice } from '#services/rdp-xrdp/notice-picture.ts';

/** Waits until a client shows just these words of the gateway's. */
export async function untilNoticed(client: HeadlessClient, notice: Notice): Promise<void> {
  const { width, height } = client.decoder;
  const { pixels } = paintNotice(width, height, notice);
  await client.waitUntil(() => Buffer.compare(client.decoder.pixels, pixels) === 0, JSON.stringify(notice.text));
}

/**
 * Whether a frame is the gateway's own: words that it draws on the slow path, where the demo's desktop draws on the fast
 * path, or the reason with which it closes. Without a recorder they are not recorded.
 */
export function isOfGateway(frame: Uint8Array): boolean {
  if (frame[0] !== TPKT_VERSION) return false;
  const pdu = readDomainPdu(frame);
  if (pdu.kind !== 'sendDataIndication') return false;
  return readShareControls(pdu.payload).some(
    ({ type, body }) => type === ShareControlType.data && OWN.includes(readShareData(body).type),
  );
}

const OWN: readonly number[] = [ShareDataType.update, ShareDataType.setErrorInfo];
