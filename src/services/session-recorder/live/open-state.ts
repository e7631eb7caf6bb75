import { zstdDecompressSync } from 'node:zlib';
import { ScreenDecoder } from '#rdp/graphics/screen-decoder.ts';

/** The largest state: an 8K screen, a full pointer cache and fragments. */
const MAX_STATE_BYTES = 192 * 1024 * 1024;

/**
 * The decoder that sealing left after a run.
 * @param state as the chunk processor gave it back; empty before the first run
 * @throws Error when it is none
 */
export function openState(state: Uint8Array): ScreenDecoder {
  if (state.length === 0) return new ScreenDecoder();
  return ScreenDecoder.restore(zstdDecompressSync(state, { maxOutputLength: MAX_STATE_BYTES }));
}
