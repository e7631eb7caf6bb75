import type { SealHead } from '#contract/chunk-processor.ts';
import { DecodeError } from '#rdp/bytes.ts';
import { readFastPathInput } from '#rdp/pdu/fast-path-input.ts';
import { type InputEvent, PointerFlag, readInputPdu, type UnknownInputEvent } from '#rdp/pdu/input.ts';
import { readDomainPdu } from '#rdp/pdu/mcs-domain.ts';
import { readShareControls, ShareControlType } from '#rdp/pdu/share-control.ts';
import { readShareData, ShareDataType } from '#rdp/pdu/share-data.ts';

type AnyInputEvent = InputEvent | UnknownInputEvent;

/** Seconds that are counted between two screen runs: what comes after is not in the index. */
const MAX_SECONDS = 10_000;

/** Counts keys and buttons pressed, by second of the session's clock: how many, never which. */
export class InputActivity {
  readonly #seconds = new Map<number, { keys: number; clicks: number }>();

  /** Counts one client PDU. What cannot be read counts for nothing: it is recorded all the same. */
  add(timeUs: number, pdu: Uint8Array): void {
    let events: AnyInputEvent[];
    try {
      events = readEvents(pdu);
    } catch (error) {
      if (error instanceof DecodeError) return;
      throw error;
    }
    const keys = events.filter(isKeyPress).length;
    const clicks = events.filter(isButtonPress).length;
    const second = Math.floor(timeUs / 1_000_000);
    const counted = this.#seconds.get(second);
    if (keys + clicks === 0 || (!counted && this.#seconds.size >= MAX_SECONDS)) return;
    this.#seconds.set(second, { keys: (counted?.keys ?? 0) + keys, clicks: (counted?.clicks ?? 0) + clicks });
  }

  /** What was counted since the last call. */
  take(): SealHead['activity'] {
    const activity = [...this.#seconds].map(([second, counts]) => ({ second, ...counts }));
    this.#seconds.clear();
    return activity;
  }
}

/** The events of a client PDU: a fast-path frame, or a slow-path one that may hold something else altogether. */
function readEvents(pdu: Uint8Array): AnyInputEvent[] {
  if ((pdu[0] & 3) === 0) return readFastPathInput(pdu);
  const domain = readDomainPdu(pdu);
  if (domain.kind !== 'sendDataRequest') return [];
  return readShareControls(domain.payload)
    .filter((control) => control.type === ShareControlType.data)
    .map((control) => readShareData(control.body))
    .filter((data) => data.type === ShareDataType.input)
    .flatMap((data) => readInputPdu(data.body));
}

function isKeyPress(event: AnyInputEvent): boolean {
  return (event.kind === 'scancode' || event.kind === 'unicode') && !event.release;
}

function isButtonPress(event: AnyInputEvent): boolean {
  return (event.kind === 'mouse' || event.kind === 'extendedMouse') && (event.flags & PointerFlag.down) !== 0;
}
