/** Waits for a person to have read a notice. */
import { readFastPathInput } from '#rdp/pdu/fast-path-input.ts';
import { type InputEvent, PointerFlag, readInputPdu } from '#rdp/pdu/input.ts';
import { readDomainPdu } from '#rdp/pdu/mcs-domain.ts';
import { readShareControls, ShareControlType } from '#rdp/pdu/share-control.ts';
import { readShareData, ShareDataType } from '#rdp/pdu/share-data.ts';
import { TPKT_VERSION } from '#rdp/pdu/x224.ts';
import type { Leg } from './leg.ts';

/** Resolves at a key, a click, the end of the connection, or after `timeoutMs`. Takes over the leg's frames. */
export function untilDismissed(leg: Leg, ioChannelId: number, timeoutMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, timeoutMs);
    const done = () => {
      clearTimeout(timer);
      leg.onFrame = () => {};
      resolve();
    };
    leg.onEnd = done;
    leg.onFrame = (frame) => {
      if (isDismissal(frame, ioChannelId)) done();
    };
    if (leg.end) done();
    leg.flow();
  });
}

/** @throws DecodeError on malformed bytes */
export function isDismissal(frame: Uint8Array, ioChannelId: number): boolean {
  if (frame[0] !== TPKT_VERSION) return readFastPathInput(frame).some(isPress);
  const pdu = readDomainPdu(frame);
  if (pdu.kind === 'disconnectProviderUltimatum' || pdu.kind === 'disconnectRequest') return true;
  if (pdu.kind !== 'sendDataRequest' || pdu.channelId !== ioChannelId) return false;
  return readShareControls(pdu.payload).some(({ type, body }) => {
    if (type !== ShareControlType.data) return false;
    const data = readShareData(body);
    if (data.type === ShareDataType.shutdownRequest) return true;
    return (
      data.type === ShareDataType.input &&
      readInputPdu(data.body).some((event) => event.kind !== 'unknown' && isPress(event))
    );
  });
}

function isPress(event: InputEvent): boolean {
  switch (event.kind) {
    case 'scancode':
    case 'unicode':
      return !event.release;
    case 'mouse':
    case 'extendedMouse':
      return (event.flags & PointerFlag.down) !== 0;
    default:
      return false;
  }
}
