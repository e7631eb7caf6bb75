/**
 * Cuts a byte stream into RDP's frames: TPKT packets and fast-path PDUs, told apart by their first byte.
 *
 * A frame that lies within one pushed buffer is a view into it; one that spans buffers is copied once. At most one
 * incomplete frame is kept, so memory is bounded by the largest frame plus what the caller pushes before it drains.
 */
import { DecodeError } from './bytes.ts';
import { TPKT_HEADER_LENGTH, TPKT_VERSION } from './pdu/x224.ts';

export interface Frame {
  kind: 'tpkt' | 'fastPath';
  /** The whole frame, header included. */
  bytes: Uint8Array;
}

/** TPKT header and the shortest TPDU header: length indicator and code. */
const TPKT_MIN_LENGTH = TPKT_HEADER_LENGTH + 2;
/** The longest header of the two kinds: TPKT's four bytes. */
const HEADER_MAX = TPKT_HEADER_LENGTH;

export class Framer {
  #chunks: Uint8Array[] = [];
  /** Bytes of the first chunk that earlier frames used up. */
  #offset = 0;
  #buffered = 0;

  /** Bytes pushed that no frame has taken yet: not 0 before a TLS upgrade means that the peer sent too much. */
  get buffered(): number {
    return this.#buffered;
  }

  /** Adds bytes as they arrived. They are kept by reference until their frames are taken. */
  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#chunks.push(bytes);
    this.#buffered += bytes.length;
  }

  /**
   * The next whole frame, or null until more bytes arrive.
   * @throws DecodeError when the next byte starts neither kind of frame or the length is impossible; the stream has then
   *   lost its frame boundaries and must be ended
   */
  next(): Frame | null {
    const header = this.#peek(Math.min(HEADER_MAX, this.#buffered));
    if (header.length === 0) return null;
    const kind = frameKind(header[0]);
    const length = kind === 'tpkt' ? tpktLength(header) : fastPathLength(header);
    if (length === null || length > this.#buffered) return null;
    return { kind, bytes: this.#take(length) };
  }

  #peek(count: number): Uint8Array {
    const first = this.#chunks[0];
    if (first === undefined) return new Uint8Array(0);
    if (first.length - this.#offset >= count) return first.subarray(this.#offset, this.#offset + count);
    return this.#gather(count);
  }

  #gather(count: number): Uint8Array {
    const gathered = new Uint8Array(count);
    let filled = 0;
    let offset = this.#offset;
    for (const chunk of this.#chunks) {
      const part = chunk.subarray(offset, offset + count - filled);
      gathered.set(part, filled);
      filled += part.length;
      if (filled === count) break;
      offset = 0;
    }
    return gathered;
  }

  #take(count: number): Uint8Array {
    const bytes = this.#peek(count);
    this.#buffered -= count;
    let used = this.#offset + count;
    let whole = 0;
    while (whole < this.#chunks.length && used >= this.#chunks[whole].length) used -= this.#chunks[whole++].length;
    if (whole === this.#chunks.length) this.#chunks = [];
    else if (whole > 0) this.#chunks.splice(0, whole);
    this.#offset = used;
    return bytes;
  }
}

/** Which kind of frame starts with this byte (MS-RDPBCGR 3.2.5.9: a fast-path header's low two bits are 0). */
function frameKind(first: number): Frame['kind'] {
  if (first === TPKT_VERSION) return 'tpkt';
  if ((first & 3) === 0) return 'fastPath';
  throw new DecodeError('frame', `starts with 0x${first.toString(16)}, neither TPKT (0x03) nor fast-path`, 0);
}

function tpktLength(header: Uint8Array): number | null {
  if (header.length < TPKT_HEADER_LENGTH) return null;
  const length = (header[2] << 8) | header[3];
  if (length < TPKT_MIN_LENGTH) {
    throw new DecodeError('TPKT length', `is ${length}, wanted ${TPKT_MIN_LENGTH} or more`, 2);
  }
  return length;
}

/** One byte, or two big-endian with the top bit set; counts the header (MS-RDPBCGR 2.2.8.1.2, 2.2.9.1.2). */
function fastPathLength(header: Uint8Array): number | null {
  if (header.length < 2) return null;
  const long = (header[1] & 0x80) !== 0;
  if (long && header.length < 3) return null;
  const length = long ? ((header[1] & 0x7f) << 8) | header[2] : header[1];
  const least = long ? 3 : 2;
  if (length < least) throw new DecodeError('fast-path length', `is ${length}, wanted ${least} or more`, 1);
  return length;
}
