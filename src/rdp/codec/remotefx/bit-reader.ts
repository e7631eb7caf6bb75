/**
 * Bits of a byte range, most significant first. Past the end they are 0, and `isOverrun` tells: a caller checks it once a
 * symbol instead of before each bit.
 */
export class BitReader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  /** Byte that is loaded next. */
  #at: number;
  /** Loaded bits, the next one topmost; below them zeros. */
  #loaded = 0;
  #count = 0;
  #isOverrun = false;

  /** @param end offset after the last byte; at most `bytes.length` */
  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  /** Whether all bits were taken. */
  get isAtEnd(): boolean {
    return this.#count === 0 && this.#at >= this.#end;
  }

  /** Whether more was taken than there is. */
  get isOverrun(): boolean {
    return this.#isOverrun;
  }

  /** Loads bytes until at least 25 bits are there, or no byte is left. */
  #load(): void {
    while (this.#count <= 24 && this.#at < this.#end) {
      this.#loaded |= this.#bytes[this.#at++] << (24 - this.#count);
      this.#count += 8;
    }
  }

  /** @param count 0 to 25 */
  take(count: number): number {
    if (count === 0) return 0;
    if (this.#count < count) this.#load();
    const value = this.#loaded >>> (32 - count);
    this.#drop(count);
    return value;
  }

  /** Takes zeros and the one that ends them; returns how many zeros there were. */
  countZeros(): number {
    return this.#countLeading(0);
  }

  /** Takes ones and the zero that ends them; returns how many ones there were. */
  countOnes(): number {
    return this.#countLeading(-1);
  }

  /** @param mask 0 to count zeros, -1 to count ones */
  #countLeading(mask: number): number {
    let total = 0;
    for (;;) {
      if (this.#count <= 24) this.#load();
      const leading = Math.clz32(this.#loaded ^ mask);
      if (leading < this.#count) {
        this.#drop(leading + 1);
        return total + leading;
      }
      total += this.#count;
      if (this.#at >= this.#end) {
        this.#drop(this.#count + 1);
        return total;
      }
      this.#drop(this.#count);
    }
  }

  /** Forgets up to 32 loaded bits. */
  #drop(count: number): void {
    if (count > this.#count) {
      this.#isOverrun = true;
      this.#loaded = 0;
      this.#count = 0;
      return;
    }
    this.#loaded = count === 32 ? 0 : this.#loaded << count;
    this.#count -= count;
  }
}
