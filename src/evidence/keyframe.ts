/**
 * Keyframes (record 30): the screen at one position, to seek to and to check a replay against
 * (docs/recording-format.md, Keyframes).
 *
 * u16 LE version 1 | u16 LE width | u16 LE height | u16 0 | u64 LE seq | SHA-256 of the pixels, 32 bytes |
 * u32 LE PNG length | PNG | decoder state to the end
 */
import { FormatError } from './format-error.ts';

export interface Keyframe {
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** Seq of the last screen record that the pixels reflect. */
  readonly seq: number;
  /** SHA-256 of the pixels: rows from the top, RGBX, X = 0xFF, pointer not included. */
  readonly sha256: Uint8Array;
  /** The same pixels as a PNG. */
  readonly png: Uint8Array;
  /** What the decoder holds besides pixels, in its own versioned format. */
  readonly state: Uint8Array;
}

const HEADER_BYTES = 2 + 2 + 2 + 2 + 8 + 32 + 4;
const VERSION = 1;

/** Writes a keyframe's body. */
export function writeKeyframe(keyframe: Keyframe): Uint8Array<ArrayBuffer> {
  const { width, height, seq, sha256, png, state } = keyframe;
  const body = new Uint8Array(HEADER_BYTES + png.length + state.length);
  const view = new DataView(body.buffer);
  view.setUint16(0, VERSION, true);
  view.setUint16(2, width, true);
  view.setUint16(4, height, true);
  view.setBigUint64(8, BigInt(seq), true);
  body.set(sha256, 16);
  view.setUint32(48, png.length, true);
  body.set(png, HEADER_BYTES);
  body.set(state, HEADER_BYTES + png.length);
  return body;
}

/**
 * Reads a keyframe's body; PNG, state and hash are views into it.
 * @throws FormatError
 */
export function readKeyframe(body: Uint8Array): Keyframe {
  if (body.length < HEADER_BYTES) throw new FormatError('keyframe', `${body.length} bytes: truncated`);
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const version = view.getUint16(0, true);
  if (version !== VERSION) throw new FormatError('keyframe.version', `${version}, wanted ${VERSION}`);
  const [width, height] = [view.getUint16(2, true), view.getUint16(4, true)];
  if (width === 0 || height === 0) throw new FormatError('keyframe.size', `${width} × ${height}`);
  if (view.getUint16(6, true) !== 0) throw new FormatError('keyframe.reserved', 'must be 0');
  const seq = Number(view.getBigUint64(8, true));
  if (!Number.isSafeInteger(seq)) throw new FormatError('keyframe.seq', 'above 2^53 - 1');
  const pngEnd = HEADER_BYTES + view.getUint32(48, true);
  if (pngEnd > body.length) throw new FormatError('keyframe.png', 'longer than the record: truncated');
  return {
    width,
    height,
    seq,
    sha256: body.subarray(16, 48),
    png: body.subarray(HEADER_BYTES, pngEnd),
    state: body.subarray(pngEnd),
  };
}
