/** Decoder state in the journal, in pieces: u64 LE seq | u32 LE bytes in all | u32 LE bytes before this piece | bytes. */
import { FormatError } from '#evidence/format-error.ts';

/** Bytes of a piece before those of the state. */
export const STATE_HEAD_BYTES = 16;
const PIECE_BYTES = 1024 * 1024;

/** @param seq of the last record that the state reflects */
export function writeStatePieces(state: Uint8Array, seq: number): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < state.length; at += PIECE_BYTES) {
    const part = state.subarray(at, at + PIECE_BYTES);
    const piece = Buffer.alloc(STATE_HEAD_BYTES + part.length);
    piece.writeBigUInt64LE(BigInt(seq));
    piece.writeUInt32LE(state.length, 8);
    piece.writeUInt32LE(at, 12);
    piece.set(part, STATE_HEAD_BYTES);
    pieces.push(piece);
  }
  return pieces;
}

/**
 * Reads the first piece of `bytes`, which go on with others where they hold more than one.
 * @throws FormatError
 */
export function readStatePiece(bytes: Uint8Array): { seq: number; total: number; at: number } {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length <= STATE_HEAD_BYTES) throw new FormatError('state', `${bytes.length} bytes: truncated`);
  const seq = view.readBigUInt64LE();
  if (seq > BigInt(Number.MAX_SAFE_INTEGER)) throw new FormatError('state.seq', 'above 2^53 - 1');
  return { seq: Number(seq), total: view.readUInt32LE(8), at: view.readUInt32LE(12) };
}

/**
 * Puts a state together again.
 * @param bytes its pieces, one after another
 * @throws FormatError when they are not all of it
 */
export function joinStatePieces(bytes: Uint8Array): Uint8Array {
  const { total } = readStatePiece(bytes);
  const wanted = total + Math.ceil(total / PIECE_BYTES) * STATE_HEAD_BYTES;
  if (bytes.length !== wanted) throw new FormatError('state', `${bytes.length} bytes in pieces, wanted ${wanted}`);
  const state = new Uint8Array(total);
  for (let from = 0, to = 0; to < total; ) {
    const part = bytes.subarray(from + STATE_HEAD_BYTES, from + STATE_HEAD_BYTES + Math.min(PIECE_BYTES, total - to));
    state.set(part, to);
    from += STATE_HEAD_BYTES + part.length;
    to += part.length;
  }
  return state;
}
