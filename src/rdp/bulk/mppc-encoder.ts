/**
 * RDP 5.0 bulk compression: MPPC with a history of 64 KiB (MS-RDPBCGR 3.1.8.2 and 3.1.8.4.2). The bit stream is described
 * in mppc-decoder.ts.
 */
import { BulkFlag, BulkType } from '../pdu/bulk-flags.ts';
import { mppcHistorySize } from './mppc-decoder.ts';

const MIN_MATCH = 3;
const HASH_BITS = 14;
/** The longest token, in bytes, and the rest of a byte before it. */
const TOKEN_BYTES = 8;

/** A packet to send: its flags, the type among them, and its data. */
export interface CompressedPacket {
  flags: number;
  /** A view that is valid until the next call, or what was given where it did not shrink. */
  data: Uint8Array;
}

/** One direction's history, as a sender keeps it. */
export class MppcEncoder {
  readonly #history = new Uint8Array(mppcHistorySize);
  /** Where three bytes of a hash were seen last, plus one. */
  readonly #seen = new Uint32Array(1 << HASH_BITS);
  readonly #output = new Uint8Array(mppcHistorySize + TOKEN_BYTES);
  #offset = 0;
  #isFresh = true;

  /**
   * Compresses one packet. Data that does not shrink goes as it is, and the history begins anew.
   * @param data 1 to 65535 bytes
   * @throws RangeError when it is empty or longer
   */
  encode(data: Uint8Array): CompressedPacket {
    if (data.length === 0 || data.length >= mppcHistorySize) throw new RangeError(`${data.length} bytes to compress`);
    let flags = BulkType.mppc64k | BulkFlag.compressed;
    if (this.#isFresh || this.#offset + data.length > mppcHistorySize) {
      flags |= BulkFlag.atFront;
      this.#offset = 0;
      this.#isFresh = false;
    }
    const from = this.#offset;
    this.#history.set(data, from);
    this.#offset += data.length;
    const length = this.#writeTokens(from, this.#offset, data.length);
    if (length < data.length) return { flags, data: this.#output.subarray(0, length) };
    this.#history.fill(0);
    this.#seen.fill(0);
    this.#isFresh = true;
    return { flags: BulkType.mppc64k | BulkFlag.flushed, data };
  }

  /** @returns the length of the output in bytes; `limit` or more when it was given up */
  #writeTokens(from: number, end: number, limit: number): number {
    const history = this.#history;
    const output = this.#output;
    let pending = 0;
    let bits = 0;
    let length = 0;
    const put = (value: number, count: number) => {
      pending = (pending << count) | value;
      bits += count;
      while (bits >= 8) {
        bits -= 8;
        output[length++] = pending >>> bits;
      }
      pending &= (1 << bits) - 1;
    };
    for (let at = from; at < end; ) {
      if (length >= limit) return limit;
      const match = at + MIN_MATCH <= end ? this.#find(at) : -1;
      const matched = match < 0 ? 0 : this.#lengthOfMatch(match, at, end);
      if (matched < MIN_MATCH) {
        const byte = history[at++];
        if (byte < 0x80) put(byte, 8);
        else put(0x100 | (byte & 0x7f), 9);
        continue;
      }
      putOffset(put, (at - match) & (mppcHistorySize - 1));
      putLength(put, matched);
      for (let i = at + 1; i < at + matched && i + MIN_MATCH <= end; i++) this.#find(i);
      at += matched;
    }
    if (bits > 0) put(0, 8 - bits);
    return length;
  }

  /** Notes the three bytes at `at`. @returns where such were seen before, or -1 */
  #find(at: number): number {
    const history = this.#history;
    const three = (history[at] << 16) | (history[at + 1] << 8) | history[at + 2];
    const hash = Math.imul(three, 0x9e3779b1) >>> (32 - HASH_BITS);
    const found = this.#seen[hash] - 1;
    this.#seen[hash] = at + 1;
    return found;
  }

  /** How many bytes at `match` are those at `at`, as far as the receiver has them then. */
  #lengthOfMatch(match: number, at: number, end: number): number {
    // What stood there has been overwritten by what the receiver does not have yet.
    if (match >= at && match < end) return 0;
    const history = this.#history;
    const stop = Math.min(end, at + mppcHistorySize - match);
    let to = at;
    for (let source = match; to < stop && history[source] === history[to]; source++) to++;
    return to - at;
  }
}

type Put = (value: number, count: number) => void;

function putOffset(put: Put, offset: number): void {
  if (offset < 64) put(0x7c0 | offset, 11);
  else if (offset < 320) put(0x1e00 | (offset - 64), 13);
  else if (offset < 2368) put(0x7000 | (offset - 320), 15);
  else put(0x60000 | (offset - 2368), 19);
}

function putLength(put: Put, length: number): void {
  if (length === MIN_MATCH) {
    put(0, 1);
    return;
  }
  // 2^(ones + 1) <= length < 2^(ones + 2)
  const ones = 30 - Math.clz32(length);
  put((1 << (ones + 1)) - 2, ones + 1);
  put(length & ((1 << (ones + 1)) - 1), ones + 1);
}
