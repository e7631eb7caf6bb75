/**
 * Cursors over bytes: every reader and writer of RDP's wire formats stands on these two classes.
 *
 * RDP mixes byte orders: T.125, X.224 and TPKT are big-endian (`u16be`), everything Microsoft added is little-endian.
 */

/** Bytes that do not follow the specification: says which field, why, and where in the structure it was. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError';
  /** Field or structure, in the specification's words. */
  readonly field: string;
  /** Bytes from the start of the reader's view. */
  readonly offset: number;

  constructor(field: string, reason: string, offset: number) {
    super(`${field}: ${reason} (at byte ${offset})`);
    this.field = field;
    this.offset = offset;
  }
}

/**
 * Reads from a view without copying. Every method advances `offset` and throws DecodeError, naming `field`, when fewer
 * bytes remain than it needs.
 */
export class Reader {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  offset = 0;

  /** @param bytes kept by reference: what `take` returns are views into it */
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Bytes not read yet. */
  get remaining(): number {
    return this.bytes.length - this.offset;
  }

  #advance(count: number, field: string): number {
    const at = this.offset;
    if (count > this.bytes.length - at) throw this.error(field, `needs ${count} bytes, ${this.bytes.length - at} left`);
    this.offset = at + count;
    return at;
  }

  /** A DecodeError at the present offset, for the caller to throw. */
  error(field: string, reason: string): DecodeError {
    return new DecodeError(field, reason, this.offset);
  }

  u8(field: string): number {
    return this.bytes[this.#advance(1, field)];
  }

  i8(field: string): number {
    return this.#view.getInt8(this.#advance(1, field));
  }

  u16(field: string): number {
    return this.#view.getUint16(this.#advance(2, field), true);
  }

  i16(field: string): number {
    return this.#view.getInt16(this.#advance(2, field), true);
  }

  u32(field: string): number {
    return this.#view.getUint32(this.#advance(4, field), true);
  }

  i32(field: string): number {
    return this.#view.getInt32(this.#advance(4, field), true);
  }

  u64(field: string): bigint {
    return this.#view.getBigUint64(this.#advance(8, field), true);
  }

  u16be(field: string): number {
    return this.#view.getUint16(this.#advance(2, field), false);
  }

  u32be(field: string): number {
    return this.#view.getUint32(this.#advance(4, field), false);
  }

  /** The next `count` bytes as a view. */
  take(count: number, field: string): Uint8Array {
    const at = this.#advance(count, field);
    return this.bytes.subarray(at, at + count);
  }

  /** All bytes that remain, as a view. */
  rest(): Uint8Array {
    return this.take(this.remaining, 'rest');
  }

  skip(count: number, field: string): void {
    this.#advance(count, field);
  }

  /** The next byte without advancing. */
  peek(field: string): number {
    const at = this.#advance(1, field);
    this.offset = at;
    return this.bytes[at];
  }
}

/** Writes into a buffer that doubles as it fills. Values out of range are the caller's fault and throw RangeError. */
export class Writer {
  #bytes: Uint8Array;
  #view: DataView;
  #length = 0;

  /** @param capacity bytes reserved at first: give the exact size where it is known */
  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  /** Makes room for `count` bytes. Call it before touching #bytes or #view: it may replace both. */
  #advance(count: number): number {
    const at = this.#length;
    const end = at + count;
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(end, this.#bytes.length * 2));
      grown.set(this.#bytes.subarray(0, at));
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    this.#length = end;
    return at;
  }

  u8(value: number): this {
    if (value < 0 || value > 0xff) throw new RangeError(`u8: ${value}`);
    const at = this.#advance(1);
    this.#view.setUint8(at, value);
    return this;
  }

  i8(value: number): this {
    if (value < -0x80 || value > 0x7f) throw new RangeError(`i8: ${value}`);
    const at = this.#advance(1);
    this.#view.setInt8(at, value);
    return this;
  }

  u16(value: number): this {
    if (value < 0 || value > 0xffff) throw new RangeError(`u16: ${value}`);
    const at = this.#advance(2);
    this.#view.setUint16(at, value, true);
    return this;
  }

  i16(value: number): this {
    if (value < -0x8000 || value > 0x7fff) throw new RangeError(`i16: ${value}`);
    const at = this.#advance(2);
    this.#view.setInt16(at, value, true);
    return this;
  }

  u32(value: number): this {
    if (value < 0 || value > 0xffffffff) throw new RangeError(`u32: ${value}`);
    const at = this.#advance(4);
    this.#view.setUint32(at, value, true);
    return this;
  }

  u64(value: bigint): this {
    const at = this.#advance(8);
    this.#view.setBigUint64(at, value, true);
    return this;
  }

  u16be(value: number): this {
    if (value < 0 || value > 0xffff) throw new RangeError(`u16be: ${value}`);
    const at = this.#advance(2);
    this.#view.setUint16(at, value, false);
    return this;
  }

  u32be(value: number): this {
    if (value < 0 || value > 0xffffffff) throw new RangeError(`u32be: ${value}`);
    const at = this.#advance(4);
    this.#view.setUint32(at, value, false);
    return this;
  }

  raw(bytes: Uint8Array): this {
    const at = this.#advance(bytes.length);
    this.#bytes.set(bytes, at);
    return this;
  }

  /** `count` bytes of zero. */
  zeros(count: number): this {
    const at = this.#advance(count);
    this.#bytes.fill(0, at, at + count);
    return this;
  }

  /** Overwrites two bytes at `at`, little-endian: for a length known only after its content. */
  patchU16(at: number, value: number): this {
    if (at + 2 > this.#length) throw new RangeError(`patchU16 at ${at} of ${this.#length}`);
    this.#view.setUint16(at, value, true);
    return this;
  }

  /** What was written, as a view: valid until the next write. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }
}
