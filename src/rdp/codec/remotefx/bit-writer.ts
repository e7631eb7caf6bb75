/** Bits into bytes, most significant first. */
export class BitWriter {
  #bytes = new Uint8Array(1024);
  #length = 0;
  /** Bits that do not fill a byte yet, and how many. */
  #pending = 0;
  #count = 0;

  /** @param count 0 to 24: the lowest bits of `value` */
  write(value: number, count: number): void {
    this.#pending = (this.#pending << count) | value;
    this.#count += count;
    while (this.#count >= 8) {
      this.#count -= 8;
      this.#append(this.#pending >>> this.#count);
      this.#pending &= (1 << this.#count) - 1;
    }
  }

  writeOnes(count: number): void {
    for (let left = count; left > 0; left -= 16) {
      const some = Math.min(left, 16);
      this.write((1 << some) - 1, some);
    }
  }

  #append(byte: number): void {
    if (this.#length === this.#bytes.length) {
      const grown = new Uint8Array(this.#length * 2);
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    this.#bytes[this.#length++] = byte;
  }

  /** What was written, the last byte padded with zeros. */
  finish(): Uint8Array {
    if (this.#count > 0) this.write(0, 8 - this.#count);
    return this.#bytes.subarray(0, this.#length);
  }
}
