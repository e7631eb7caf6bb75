/**
 * What sealing a screen run leaves for the next one, and what a live view begins with.
 *
 * u32 LE length | history of bulk compression | the decoder's state to the end, compressed with zstd
 *
 * Empty before the first run, LOST_STATE where nothing is known.
 */
import { LOST_STATE } from './seal-message.ts';

export interface CapturedState {
  /** What BulkHistory saved; empty: a new one, null: not known. */
  readonly history: Uint8Array | null;
  /** What ScreenDecoder saved, compressed; empty: a new one, null: what the screen shows is not known. */
  readonly screen: Uint8Array | null;
}

export function writeCapturedState(history: Uint8Array, screen: Uint8Array | null): Uint8Array<ArrayBuffer> {
  const kept = screen ?? LOST_STATE;
  const bytes = new Uint8Array(4 + history.length + kept.length);
  new DataView(bytes.buffer).setUint32(0, history.length, true);
  bytes.set(history, 4);
  bytes.set(kept, 4 + history.length);
  return bytes;
}

/** Views into the state. */
export function readCapturedState(state: Uint8Array): CapturedState {
  if (state.length === 0) return { history: state, screen: state };
  if (state.length < 4) return { history: null, screen: null };
  const end = 4 + new DataView(state.buffer, state.byteOffset, state.byteLength).getUint32(0, true);
  const screen = state.subarray(end);
  if (end > state.length || screen.length === 0) return { history: null, screen: null };
  return { history: state.subarray(4, end), screen: screen.length === LOST_STATE.length ? null : screen };
}
