/**
 * A screen decoder's state as bytes, version 1. Little-endian:
 *
 * u16 version | u16 flags (1 pixels, 2 fragments, 4 pointer position, 8 surface codecs, 16 drawing orders) | u16 width | u16 height | u16 depth |
 * u64 decoded, ignored, undecodable bytes | 256 × u32 palette words |
 * u16 pointer shown (0xFFFF hidden, 0xFFFE default, else slot) | [u16 x, u16 y] |
 * u16 pointers, each: u16 slot, width, height, hot x, hot y, width × height u32 words |
 * [u8 update code, u32 length, bytes] | [surface codecs (surface-state.ts)] |
 * [u32 length, drawing orders (order-state.ts)] | [width × height × 4 bytes of pixels]
 */
import { DecodeError, Reader, Writer } from '../bytes.ts';
import { pointerMaxSize } from '../pdu/pointer-update.ts';
import type { DecodeCounts } from './decode-report.ts';
import type { PointerImage } from './pointer-image.ts';
import { PointerState } from './pointer-state.ts';
import { isScreenSize } from './screen.ts';
import {
  emptySurfaceState,
  isEmptySurfaceState,
  readSurfaceState,
  type SurfaceState,
  writeSurfaceState,
} from './surface-state.ts';

const VERSION = 1;
const Flag = { pixels: 1, fragments: 2, position: 4, surfaces: 8, orders: 16 } as const;
const SHOWN_HIDDEN = 0xffff;
const SHOWN_DEFAULT = 0xfffe;

/** What `ScreenDecoder.save` keeps. */
export interface ScreenState {
  width: number;
  height: number;
  depth: number;
  counts: DecodeCounts;
  palette: Uint32Array;
  pointer: PointerState;
  /** A fragmented update in progress. */
  pending: { code: number; data: Uint8Array } | null;
  surfaces: SurfaceState;
  /** What order-state.ts writes, or null where no drawing orders were negotiated. */
  orders: Uint8Array | null;
  /** R, G, B, 0xFF each, or null when they are kept elsewhere. */
  pixels: Uint8Array | null;
}

/** Writes a state. */
export function writeScreenState(state: ScreenState): Uint8Array<ArrayBuffer> {
  const { pointer, pending, orders, pixels, counts, surfaces } = state;
  const pointers = [...pointer.entries()];
  const pointerPixels = pointers.reduce((sum, [, image]) => sum + image.words.length, 0);
  const parts = [pending?.data, orders, pixels].reduce((sum, part) => sum + (part?.length ?? 0), 0);
  const writer = new Writer(2048 + pointerPixels * 4 + parts);
  const flags =
    (pixels === null ? 0 : Flag.pixels) |
    (pending === null ? 0 : Flag.fragments) |
    (pointer.position === null ? 0 : Flag.position) |
    (orders === null ? 0 : Flag.orders) |
    (isEmptySurfaceState(surfaces) ? 0 : Flag.surfaces);
  writer.u16(VERSION).u16(flags).u16(state.width).u16(state.height).u16(state.depth);
  for (const count of [counts.decoded, counts.ignored, counts.undecodable]) writer.u64(BigInt(count));
  writer.raw(littleEndian(state.palette));
  const { shown } = pointer;
  writer.u16(shown === 'hidden' ? SHOWN_HIDDEN : shown === 'default' ? SHOWN_DEFAULT : shown);
  if (pointer.position !== null) writer.u16(pointer.position.x).u16(pointer.position.y);
  writer.u16(pointers.length);
  for (const [slot, image] of pointers) {
    writer.u16(slot).u16(image.width).u16(image.height).u16(image.hotX).u16(image.hotY);
    writer.raw(littleEndian(image.words));
  }
  if (pending !== null) writer.u8(pending.code).u32(pending.data.length).raw(pending.data);
  if (flags & Flag.surfaces) writeSurfaceState(writer, surfaces);
  if (orders !== null) writer.u32(orders.length).raw(orders);
  if (pixels !== null) writer.raw(pixels);
  return writer.finish() as Uint8Array<ArrayBuffer>;
}

/**
 * Reads a state; `pixels`, `orders` and `pending.data` are views into the bytes.
 * @throws DecodeError when the bytes are of another version, cut short, too long, or say what cannot be
 */
export function readScreenState(bytes: Uint8Array): ScreenState {
  const reader = new Reader(bytes);
  const version = reader.u16('version');
  if (version !== VERSION) throw reader.error('version', `is ${version}, wanted ${VERSION}`);
  const flags = reader.u16('flags');
  const width = reader.u16('width');
  const height = reader.u16('height');
  if (!isScreenSize(width, height)) throw reader.error('desktop size', `${width} x ${height} cannot be`);
  const depth = reader.u16('depth');
  const counts = { decoded: readCount(reader), ignored: readCount(reader), undecodable: readCount(reader) };
  const palette = readWords(reader, 256, 'palette');
  const shown = reader.u16('pointer shown');
  const position = flags & Flag.position ? { x: reader.u16('pointer x'), y: reader.u16('pointer y') } : null;
  const pointer = readPointers(reader);
  if (shown < SHOWN_DEFAULT && ![...pointer.entries()].some(([slot]) => slot === shown)) {
    throw reader.error('pointer shown', `slot ${shown} is empty`);
  }
  pointer.restore(shown === SHOWN_HIDDEN ? 'hidden' : shown === SHOWN_DEFAULT ? 'default' : shown, position);
  const pending =
    flags & Flag.fragments
      ? { code: reader.u8('update code'), data: reader.take(reader.u32('fragments length'), 'fragments') }
      : null;
  const surfaces = flags & Flag.surfaces ? readSurfaceState(reader) : emptySurfaceState();
  const orders = flags & Flag.orders ? reader.take(reader.u32('orders length'), 'orders') : null;
  const pixels = flags & Flag.pixels ? reader.take(width * height * 4, 'pixels') : null;
  if (reader.remaining > 0) throw reader.error('end', `${reader.remaining} bytes too many`);
  return { width, height, depth, counts, palette, pointer, pending, surfaces, orders, pixels };
}

function readPointers(reader: Reader): PointerState {
  const pointer = new PointerState();
  for (let left = reader.u16('pointers'); left > 0; left--) {
    const slot = reader.u16('pointer slot');
    const width = reader.u16('pointer width');
    const height = reader.u16('pointer height');
    if (width > pointerMaxSize || height > pointerMaxSize) {
      throw reader.error('pointer size', `is ${width} x ${height}, at most ${pointerMaxSize} a side`);
    }
    const hotX = reader.u16('pointer hot x');
    const hotY = reader.u16('pointer hot y');
    const image: PointerImage = { width, height, hotX, hotY, words: readWords(reader, width * height, 'pointer') };
    pointer.store(slot, image);
  }
  return pointer;
}

function readCount(reader: Reader): number {
  const count = Number(reader.u64('count'));
  if (!Number.isSafeInteger(count)) throw new DecodeError('count', 'is above 2^53 - 1', reader.offset - 8);
  return count;
}

/** Words as bytes: their memory is little-endian already (codec/pixel.ts). */
function littleEndian(words: Uint32Array): Uint8Array {
  return new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
}

function readWords(reader: Reader, count: number, field: string): Uint32Array {
  const bytes = reader.take(count * 4, field);
  const words = new Uint32Array(count);
  littleEndian(words).set(bytes);
  return words;
}
