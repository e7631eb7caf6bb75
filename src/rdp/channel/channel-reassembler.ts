/** Puts the chunks of one static virtual channel, in one direction, together to messages (MS-RDPBCGR 3.1.5.2.2.1). */
import { DecodeError } from '../bytes.ts';
import { type ChannelChunk, ChannelFlag } from '../pdu/virtual-channel.ts';

export class ChannelReassembler {
  readonly #limit: number;
  #message: Uint8Array | null = null;
  #filled = 0;

  /** @param limit greatest length of a message in bytes: memory is taken as chunks arrive, never beyond it */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * @returns the message once its last chunk came (the chunk's own data for a message of one chunk), else null
   * @throws DecodeError for chunks out of order, compressed, or more or longer than announced; what was gathered is
   *   dropped then
   */
  push(chunk: ChannelChunk): Uint8Array | null {
    const isFirst = (chunk.flags & ChannelFlag.first) !== 0;
    const isLast = (chunk.flags & ChannelFlag.last) !== 0;
    if (chunk.flags & ChannelFlag.compressed) throw this.#fail('flags', 'the chunk is compressed, none was announced');
    if (isFirst === (this.#message !== null))
      throw this.#fail('flags', isFirst ? 'a message begins inside another' : 'a message goes on that never began');
    if (isFirst && isLast) {
      if (chunk.data.length !== chunk.length) throw this.#fail('length', mismatch(chunk.data.length, chunk.length));
      return chunk.data;
    }
    return this.#gather(chunk, isLast);
  }

  #gather(chunk: ChannelChunk, isLast: boolean): Uint8Array | null {
    if (chunk.length > this.#limit) throw this.#fail('length', `is ${chunk.length}, at most ${this.#limit}`);
    const end = this.#filled + chunk.data.length;
    if (end > chunk.length) throw this.#fail('length', mismatch(end, chunk.length));
    this.#message = grown(this.#message, end, chunk.length);
    this.#message.set(chunk.data, this.#filled);
    this.#filled = end;
    if (!isLast) return null;
    if (end !== chunk.length) throw this.#fail('length', mismatch(end, chunk.length));
    const whole = this.#message.subarray(0, end);
    this.reset();
    return whole;
  }

  /** Forgets what was gathered. */
  reset(): void {
    this.#message = null;
    this.#filled = 0;
  }

  #fail(field: string, reason: string): DecodeError {
    this.reset();
    return new DecodeError(field, reason, 0);
  }
}

const mismatch = (found: number, wanted: number) => `the message has ${found} bytes, ${wanted} were announced`;

/** A buffer of at least `needed` bytes that begins with `buffer`: doubles, and never exceeds `total`. */
function grown(buffer: Uint8Array | null, needed: number, total: number): Uint8Array {
  if (buffer && buffer.length >= needed) return buffer;
  const larger = new Uint8Array(Math.min(total, Math.max(needed, (buffer?.length ?? 0) * 2)));
  if (buffer) larger.set(buffer);
  return larger;
}
