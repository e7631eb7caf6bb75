/**
 * Fast-path output (MS-RDPBCGR 2.2.9.1.2): server updates without TPKT, X.224, MCS and share headers. The PDU length is
 * big-endian, all else little-endian.
 */
import { DecodeError, Reader, Writer } from '../bytes.ts';
import { BulkFlag } from './bulk-flags.ts';

/** updateCode. */
export const FastPathUpdateCode = {
  orders: 0x0,
  bitmap: 0x1,
  palette: 0x2,
  synchronize: 0x3,
  surfaceCommands: 0x4,
  pointerHidden: 0x5,
  pointerDefault: 0x6,
  pointerPosition: 0x8,
  pointerColor: 0x9,
  pointerCached: 0xa,
  pointerNew: 0xb,
  pointerLarge: 0xc,
} as const;

/** fragmentation. */
export const Fragmentation = { single: 0, last: 1, first: 2, next: 3 } as const;

/** Greatest length that the header can say. */
export const fastPathMaxLength = 0x7fff;

const compressionUsed = 2;

export interface FastPathUpdate {
  /** A value of FastPathUpdateCode, or one that this list does not know. */
  code: number;
  /** A value of Fragmentation. */
  fragmentation: number;
  /** Bulk compression flags; 0 when the update carries none. */
  compressionFlags: number;
  /** A view; compressed when compressionFlags has BulkFlag.compressed. */
  data: Uint8Array;
}

/**
 * Reads the header shared by fast-path output and input: action and flags, then a length in one or two bytes.
 * @returns the reader after the length field and the first byte
 * @throws DecodeError when the length differs from the frame's
 */
export function openFastPath(frame: Uint8Array): { header: number; reader: Reader } {
  const reader = new Reader(frame);
  const header = reader.u8('fpHeader');
  if ((header & 3) !== 0) throw new DecodeError('action', `is ${header & 3}, wanted 0 (fast path)`, 0);
  if (header & 0xc0)
    throw new DecodeError('fpHeader flags', `are ${header >> 6}, wanted 0: no RDP encryption in TLS`, 0);
  let length = reader.u8('length1');
  if (length & 0x80) length = ((length & 0x7f) << 8) | reader.u8('length2');
  if (length !== frame.length) throw new DecodeError('length', `is ${length}, the frame has ${frame.length} bytes`, 1);
  return { header, reader };
}

/**
 * Reads the updates of one fast-path output PDU, one after the other, without copying.
 * @param frame the whole PDU
 * @throws DecodeError, while iterating, where the bytes do not follow the specification
 */
export function* readFastPathOutput(frame: Uint8Array): Generator<FastPathUpdate, void, void> {
  const { reader } = openFastPath(frame);
  while (reader.remaining > 0) {
    const header = reader.u8('updateHeader');
    const compressionFlags = header >> 6 === compressionUsed ? reader.u8('compressionFlags') : 0;
    const data = reader.take(reader.u16('size'), 'updateData');
    yield { code: header & 0xf, fragmentation: (header >> 4) & 3, compressionFlags, data };
  }
}

/**
 * Writes one fast-path output PDU.
 * @param updates with their data as it is to be sent: compressed where their flags say so
 * @throws RangeError when they do not fit in fastPathMaxLength bytes
 */
export function writeFastPathUpdates(updates: readonly FastPathUpdate[]): Uint8Array {
  const sizeOf = ({ compressionFlags, data }: FastPathUpdate) => (compressionFlags === 0 ? 3 : 4) + data.length;
  const length = updates.reduce((sum, update) => sum + sizeOf(update), 3);
  if (length > fastPathMaxLength)
    throw new RangeError(`fast-path PDU of ${length} bytes, at most ${fastPathMaxLength}`);
  const writer = new Writer(length).u8(0).u16be(0x8000 | length);
  for (const { code, fragmentation, compressionFlags, data } of updates) {
    const compression = compressionFlags === 0 ? 0 : compressionUsed << 6;
    writer.u8(compression | (fragmentation << 4) | code);
    if (compressionFlags !== 0) writer.u8(compressionFlags);
    writer.u16(data.length).raw(data);
  }
  return writer.finish();
}

/**
 * Writes one fast-path output PDU with one uncompressed update.
 * @param code a value of FastPathUpdateCode
 * @param fragmentation a value of Fragmentation
 * @param data at most fastPathMaxLength - 6 bytes
 * @throws RangeError when the data does not fit
 */
export function writeFastPathOutput(code: number, fragmentation: number, data: Uint8Array): Uint8Array {
  return writeFastPathUpdates([{ code, fragmentation, compressionFlags: 0, data }]);
}

/**
 * Writes an update of any size as one PDU, or as a first, next and last fragments.
 * @param code a value of FastPathUpdateCode
 * @param data the whole update
 * @param fragmentSize greatest data of one PDU; stock clients take 16 KiB
 * @returns the PDUs in the order to send
 */
export function writeFastPathUpdate(code: number, data: Uint8Array, fragmentSize = 0x3f80): Uint8Array[] {
  if (data.length <= fragmentSize) return [writeFastPathOutput(code, Fragmentation.single, data)];
  const frames: Uint8Array[] = [];
  for (let at = 0; at < data.length; at += fragmentSize) {
    const isLast = at + fragmentSize >= data.length;
    const fragmentation = at === 0 ? Fragmentation.first : isLast ? Fragmentation.last : Fragmentation.next;
    frames.push(writeFastPathOutput(code, fragmentation, data.subarray(at, at + fragmentSize)));
  }
  return frames;
}

/** Puts fragmented fast-path updates together. One update at a time is in flight (MS-RDPBCGR 2.2.9.1.2.1). */
export class FastPathReassembler {
  readonly #limit: number;
  #code = -1;
  #buffer = new Uint8Array(0);
  #length = 0;

  /** @param limit greatest size of a whole update in bytes: the multifragment size that was announced */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * @param update not compressed: its bulk compression must be undone before
   * @returns the whole update's data once its last fragment came (a view of `update.data` for a single one, else valid
   *   until the next push), or null while fragments are missing
   * @throws DecodeError for fragments out of order, of another code, over the limit or still compressed; what was
   *   gathered is dropped then
   */
  push(update: FastPathUpdate): Uint8Array | null {
    const begun = this.#code;
    if (update.compressionFlags & BulkFlag.compressed)
      throw this.#fail('compressionFlags', 'the fragment is compressed');
    if (update.fragmentation === Fragmentation.single) {
      if (begun >= 0) throw this.#fail('fragmentation', `is single, wanted next or last of code ${begun}`);
      return update.data;
    }
    if (update.fragmentation === Fragmentation.first) {
      if (begun >= 0) throw this.#fail('fragmentation', `is first, wanted next or last of code ${begun}`);
      this.#code = update.code;
    } else if (begun !== update.code) {
      throw this.#fail('fragmentation', `continues code ${update.code}, ${begun < 0 ? 'none' : begun} was begun`);
    }
    this.#append(update.data);
    if (update.fragmentation !== Fragmentation.last) return null;
    const whole = this.#buffer.subarray(0, this.#length);
    this.reset();
    return whole;
  }

  /** The update in progress: its code and what was gathered of it (a view), or null. */
  get pending(): { code: number; data: Uint8Array } | null {
    return this.#code < 0 ? null : { code: this.#code, data: this.#buffer.subarray(0, this.#length) };
  }

  /**
   * Goes on with an update that another reassembler had in progress; what was gathered here is forgotten.
   * @throws DecodeError when the data exceeds the limit
   */
  resume(pending: { code: number; data: Uint8Array }): void {
    this.reset();
    this.#append(pending.data);
    this.#code = pending.code;
  }

  /** Forgets fragments: after Deactivate All, the next update starts afresh. */
  reset(): void {
    this.#code = -1;
    this.#length = 0;
  }

  #append(data: Uint8Array): void {
    const end = this.#length + data.length;
    if (end > this.#limit) throw this.#fail('updateData', `${end} bytes in fragments, at most ${this.#limit}`);
    if (end > this.#buffer.length) {
      const grown = new Uint8Array(Math.min(this.#limit, Math.max(end, this.#buffer.length * 2)));
      grown.set(this.#buffer.subarray(0, this.#length));
      this.#buffer = grown;
    }
    this.#buffer.set(data, this.#length);
    this.#length = end;
  }

  #fail(field: string, reason: string): DecodeError {
    this.reset();
    return new DecodeError(field, reason, 0);
  }
}
