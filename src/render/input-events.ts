/** What a recorded client PDU says of the person's hands. */
import { DecodeError } from '#rdp/bytes.ts';
import { readFastPathInput } from '#rdp/pdu/fast-path-input.ts';
import { type InputEvent, readInputPdu, type UnknownInputEvent } from '#rdp/pdu/input.ts';
import { readDomainPdu } from '#rdp/pdu/mcs-domain.ts';
import { readShareControls, ShareControlType } from '#rdp/pdu/share-control.ts';
import { readShareData, ShareDataType } from '#rdp/pdu/share-data.ts';

export interface Hands {
  /** Whether a key, a button, a wheel or the pointer was moved. */
  readonly active: boolean;
  /** Where the pointer went, in pixels of the desktop; null when it did not. */
  readonly pointer: { readonly x: number; readonly y: number } | null;
}

const STILL: Hands = { active: false, pointer: null };

/** @param pdu as recorded: a whole TPKT packet or fast-path frame. What cannot be read moves nothing */
export function handsOf(pdu: Uint8Array): Hands {
  let hands = STILL;
  try {
    for (const event of eventsOf(pdu)) {
      if (event.kind === 'mouse' || event.kind === 'extendedMouse') {
        // A turn of the wheel may carry no position.
        const place = event.x === 0 && event.y === 0 ? hands.pointer : { x: event.x, y: event.y };
        hands = { active: true, pointer: place };
      } else if (event.kind === 'scancode' || event.kind === 'unicode' || event.kind === 'relativeMouse') {
        hands = { active: true, pointer: hands.pointer };
      }
    }
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
  }
  return hands;
}

function* eventsOf(pdu: Uint8Array): Generator<InputEvent | UnknownInputEvent, void, undefined> {
  if (pdu.length > 0 && (pdu[0] & 3) === 0) {
    yield* readFastPathInput(pdu);
    return;
  }
  const domain = readDomainPdu(pdu);
  if (domain.kind !== 'sendDataRequest') return;
  for (const { type, body: control } of readShareControls(domain.payload)) {
    if (type !== ShareControlType.data) continue;
    const { type: dataType, body } = readShareData(control);
    if (dataType === ShareDataType.input) yield* readInputPdu(body);
  }
}
