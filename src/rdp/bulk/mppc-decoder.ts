/**
 * RDP 5.0 bulk decompression: MPPC with a history of 64 KiB (MS-RDPBCGR 3.1.8.3 and 3.1.8.4.2).
 *
 * A stream of literals and copy-tuples, most significant bit first:
 *
 * literal: 0 + 7 bits (0x00-0x7F) | 10 + 7 bits (0x80-0xFF)
 * copy-offset: 11111 + 6 bits (from 0) | 11110 + 8 bits (from 64) | 1110 + 11 bits (from 320) | 110 + 16 bits (from 2368)
 * length-of-match: 0 (3) | n ones, 0, n + 1 bits (from 2^(n + 1)), n from 1 to 14
 *
 * Up to seven bits that are left over fill the last byte.
 */
import { DecodeError, Reader, Writer } from '../bytes.ts';
import { BulkFlag, BulkType, bulkTypeMask } from '../pdu/bulk-flags.ts';

export const mppcHistorySize = 0x10000;

/** The longest prefix of a length-of-match, in ones. */
const maxLengthOnes = 14;
/** Copies longer than this are worth a call of the engine's own. */
const BLOCK = 24;
/** Compressed data with room behind it, so that the bits of a whole token can be read at its very end. */
const INPUT_PADDING = 8;
const input = new Uint8Array(mppcHistorySize + INPUT_PADDING);

/** One direction's history, as a receiver keeps it. */
export class MppcDecoder {
  #history: Uint8Array | null = null;
  #offset = 0;
  #isLost = false;

  /** Whether the history is not what the sender's is: nothing can be read until it is flushed. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /** Takes the history of a new connection: zeros. */
  reset(): void {
    this.#history?.fill(0);
    this.#offset = 0;
    this.#isLost = false;
  }

  /** Says that packets are missing: nothing can be read until the history is flushed. */
  lose(): void {
    this.#isLost = true;
  }

  /**
   * Does what one packet's flags say, and decompresses its data.
   *
   * @param data the packet's data, as it came
   * @param flags bits of BulkFlag, and the type
   * @returns `data` itself where it is not compressed, which leaves the history alone; else a view of the history, valid
   *   until the next call
   * @throws DecodeError when the type is not MPPC 64K, a token is none, leads out of the history or is cut short; the
   *   history is lost then
   */
  decode(data: Uint8Array, flags: number): Uint8Array {
    if (flags & BulkFlag.flushed) this.reset();
    if (flags & BulkFlag.atFront) this.#offset = 0;
    if ((flags & BulkFlag.compressed) === 0) return data;
    if (this.#isLost) throw new DecodeError('compressedData', 'refers to a history that is lost', 0);
    const type = flags & bulkTypeMask;
    // Set until all is well: whatever fails leaves a history that the sender does not have.
    this.#isLost = true;
    if (type !== BulkType.mppc64k) throw new DecodeError('compression type', `is ${type}, wanted 1 (MPPC 64K)`, 0);
    if (data.length > mppcHistorySize) throw new DecodeError('compressedData', `has ${data.length} bytes`, 0);
    this.#history ??= new Uint8Array(mppcHistorySize);
    const from = this.#offset;
    this.#offset = expand(data, this.#history, from);
    this.#isLost = false;
    return this.#history.subarray(from, this.#offset);
  }

  /** All that is needed to go on elsewhere, or later: u8 1 if lost | u32 LE offset | the history, if there is one. */
  save(): Uint8Array<ArrayBuffer> {
    const history = this.#history;
    const writer = new Writer(5 + (history?.length ?? 0)).u8(this.#isLost ? 1 : 0).u32(this.#offset);
    if (history !== null) writer.raw(history);
    return writer.finish() as Uint8Array<ArrayBuffer>;
  }

  /** A decoder that goes on where another's `save` stood. @throws DecodeError when the bytes are no such state */
  static restore(bytes: Uint8Array): MppcDecoder {
    const reader = new Reader(bytes);
    const decoder = new MppcDecoder();
    const lost = reader.u8('lost');
    if (lost > 1) throw new DecodeError('lost', `is ${lost}, wanted 0 or 1`, 0);
    decoder.#isLost = lost === 1;
    decoder.#offset = reader.u32('historyOffset');
    if (decoder.#offset > mppcHistorySize) throw reader.error('historyOffset', `is ${decoder.#offset}`);
    if (reader.remaining > 0) decoder.#history = reader.take(mppcHistorySize, 'history').slice();
    if (reader.remaining > 0) throw reader.error('end', `${reader.remaining} bytes too many`);
    if (decoder.#history === null && decoder.#offset > 0) throw reader.error('history', 'is missing');
    return decoder;
  }
}

/**
 * Appends what `data` stands for to the history.
 * @param from where it begins in the history
 * @returns where it ends
 */
function expand(data: Uint8Array, history: Uint8Array, from: number): number {
  const bytes = input;
  bytes.set(data);
  bytes.fill(0, data.length, data.length + INPUT_PADDING);
  const end = data.length * 8;
  let to = from;
  // In bits. Less than eight that are left are no token but padding.
  let at = 0;
  while (end - at >= 8) {
    let byte = at >> 3;
    // 25 bits at least, at the top of the word.
    let word = ((bytes[byte] << 24) | (bytes[byte + 1] << 16) | (bytes[byte + 2] << 8) | bytes[byte + 3]) << (at & 7);
    if ((word & 0xc0000000) !== -0x40000000) {
      if (to === mppcHistorySize) throw new DecodeError('compressedData', 'exceeds the history', byte);
      if (word >= 0) {
        history[to++] = word >>> 24;
        at += 8;
      } else {
        history[to++] = ((word >>> 23) & 0x7f) | 0x80;
        at += 9;
      }
      continue;
    }

    let offset: number;
    if ((word & 0x20000000) === 0) {
      offset = ((word >>> 13) & 0xffff) + 2368;
      at += 19;
    } else if ((word & 0x10000000) === 0) {
      offset = ((word >>> 17) & 0x7ff) + 320;
      at += 15;
    } else if ((word & 0x08000000) === 0) {
      offset = ((word >>> 19) & 0xff) + 64;
      at += 13;
    } else {
      offset = (word >>> 21) & 0x3f;
      at += 11;
    }
    if (at >= end) throw new DecodeError('compressedData', 'ends within a copy-tuple', byte);

    byte = at >> 3;
    word = ((bytes[byte] << 24) | (bytes[byte + 1] << 16) | (bytes[byte + 2] << 8) | bytes[byte + 3]) << (at & 7);
    const ones = Math.clz32(~word);
    if (ones > maxLengthOnes) throw new DecodeError('length-of-match', `begins with ${ones} ones or more`, byte);
    let length = 3;
    at += ones + 1;
    if (ones > 0) {
      const bits = ones + 1;
      byte = at >> 3;
      word = ((bytes[byte] << 24) | (bytes[byte + 1] << 16) | (bytes[byte + 2] << 8) | bytes[byte + 3]) << (at & 7);
      length = (1 << bits) | (word >>> (32 - bits));
      at += bits;
    }
    if (at > end) throw new DecodeError('compressedData', 'ends within a copy-tuple', byte);

    const stop = to + length;
    // Older data, beyond what was written since the history began anew, is reached by counting back from its end.
    const source = (to - offset) & (mppcHistorySize - 1);
    if (stop > mppcHistorySize || source + length > mppcHistorySize) {
      throw new DecodeError('copy-tuple', `<${offset}, ${length}> at ${to} leads out of the history`, byte);
    }
    if (length > BLOCK && (offset >= length || source > to)) history.copyWithin(to, source, source + length);
    else if (length > BLOCK && offset === 1) history.fill(history[source], to, stop);
    else for (let read = source, write = to; write < stop; ) history[write++] = history[read++];
    to = stop;
  }
  return to;
}
