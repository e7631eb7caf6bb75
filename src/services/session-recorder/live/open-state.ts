import { zstdDecompressSync } from 'node:zlib';
import { readCapturedState } from '#contract/captured-state.ts';
import { BulkHistory } from '#rdp/bulk/bulk-history.ts';
import { ScreenDecoder } from '#rdp/graphics/screen-decoder.ts';

/** The largest state: an 8K screen, a full pointer cache and fragments. */
const MAX_STATE_BYTES = 192 * 1024 * 1024;

/** What plays the records that follow a run. */
export interface OpenedState {
  /** Null where what the screen shows is not known. */
  readonly decoder: ScreenDecoder | null;
  readonly history: BulkHistory;
}

/**
 * What sealing left after a run.
 * @param state as the chunk processor gave it back; empty before the first run
 * @throws Error when it is none
 */
export function openState(state: Uint8Array): OpenedState {
  const { history, screen } = readCapturedState(state);
  return { decoder: screen && openDecoder(screen), history: BulkHistory.open(history) };
}

function openDecoder(screen: Uint8Array): ScreenDecoder {
  if (screen.length === 0) return new ScreenDecoder();
  return ScreenDecoder.restore(zstdDecompressSync(screen, { maxOutputLength: MAX_STATE_BYTES }));
}
