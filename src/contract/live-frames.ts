/**
 * Messages of a live view, as docs/live-view.md specifies them: pictures in binary frames, little-endian, everything else
 * in JSON. Runs wherever a viewer runs.
 */

/** The WebSocket subprotocol, and what comes before the ticket in the second one that a viewer offers. */
export const LIVE_PROTOCOL = 'lucid-live-v1';
export const LIVE_TICKET_PREFIX = 'ticket.';
/** Begins the path of the recorder's own WebSocket: session id and the observer's user id follow. */
export const LIVE_PATH = '/v1/live/';
/** What a viewer sends to be given one frame. */
export const LIVE_NEXT = 'next';
/** No frame has more pixels: of a larger picture the rest follows in the next ones. */
export const LIVE_FRAME_PIXELS = 4 * 1024 * 1024;
/** The longest frame in bytes: its pixels, where they do not compress, and all that goes before them. */
export const MAX_LIVE_FRAME_BYTES = LIVE_FRAME_PIXELS * 4 + 2 * 1024 * 1024;

const VERSION = 1;
const Flag = { whole: 1, exact: 2, pointer: 4 } as const;
const SHOWN = ['hidden', 'default', 'shape'] as const;
const HEADER_BYTES = 28;
const RECTANGLE_BYTES = 8;
const POINTER_BYTES = 14;
const MAX_SIDE = 8192;
const MAX_SCREEN_PIXELS = 7680 * 4320;
const MAX_POINTER_SIDE = 384;

export interface LiveRectangle {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

export interface LivePointer {
  /** Nothing, the system's own arrow, or `image`. */
  readonly shown: (typeof SHOWN)[number];
  /** Where it points, in pixels of the desktop; null while that is not known. */
  readonly position: { readonly x: number; readonly y: number } | null;
  readonly image: LivePointerImage | null;
}

export interface LivePointerImage {
  readonly width: number;
  readonly height: number;
  /** The pixel that points, from the top left. */
  readonly hotX: number;
  readonly hotY: number;
  /** R, G, B, alpha; rows from the top. Where alpha is 0, the colour is XORed on the screen. */
  readonly pixels: Uint8Array;
}

export interface LiveFrame {
  /** 0, 1, 2, ... within one view. */
  readonly number: number;
  /** µs on the session's clock, and seq, of the last record that the frame shows. */
  readonly timeUs: number;
  readonly seq: number;
  /** Of the desktop, in pixels. */
  readonly width: number;
  readonly height: number;
  /** Begins anew: what was shown before is to be forgotten, and the desktop is black where no rectangle follows. */
  readonly isWhole: boolean;
  /** With this frame the viewer's picture is that of `seq` in every pixel. Otherwise the rest is in the next frames. */
  readonly isExact: boolean;
  readonly rectangles: readonly LiveRectangle[];
  /** Null: as it was. */
  readonly pointer: LivePointer | null;
  /** The pixels of all rectangles, one after another, rows from the top, R, G, B, 0xFF each; deflated (RFC 1951). */
  readonly deflated: Uint8Array;
}

/** What is told in JSON. Times are µs of the session's clock. */
export type LiveEvent =
  /** The first message. */
  | { type: 'joined'; session_id: string; connected: boolean; paused: boolean; opened_at: string }
  /** Something happened to the recording: `kind` as in docs/recording-format.md. */
  | { type: 'marker'; kind: string; time_us: number; seq: number; detail?: string }
  /** Earlier records cannot be decoded: parts of the picture may be wrong until they are painted again. */
  | { type: 'incomplete' };

/** Bytes that are no frame: `field` and `reason` say what is wrong. */
export class LiveFrameError extends Error {
  override readonly name = 'LiveFrameError';

  constructor(field: string, reason: string) {
    super(`live frame, ${field}: ${reason}`);
  }
}

/** Writes a frame. */
export function encodeLiveFrame(frame: LiveFrame): Uint8Array<ArrayBuffer> {
  const { rectangles, pointer, deflated } = frame;
  const pointerBytes = pointer ? POINTER_BYTES + (pointer.image?.pixels.length ?? 0) : 0;
  const size = HEADER_BYTES + rectangles.length * RECTANGLE_BYTES + pointerBytes + deflated.length;
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  const flags =
    (frame.isWhole ? Flag.whole : 0) | (frame.isExact ? Flag.exact : 0) | (pointer === null ? 0 : Flag.pointer);
  view.setUint8(0, VERSION);
  view.setUint8(1, flags);
  view.setUint16(2, rectangles.length, true);
  view.setUint32(4, frame.number, true);
  view.setBigUint64(8, BigInt(frame.timeUs), true);
  view.setBigUint64(16, BigInt(frame.seq), true);
  view.setUint16(24, frame.width, true);
  view.setUint16(26, frame.height, true);
  let at = HEADER_BYTES;
  for (const { left, top, width, height } of rectangles) {
    for (const side of [left, top, width, height]) {
      view.setUint16(at, side, true);
      at += 2;
    }
  }
  if (pointer) {
    writePointer(bytes, view, at, pointer);
    at += pointerBytes;
  }
  bytes.set(deflated, at);
  return bytes;
}

function writePointer(bytes: Uint8Array, view: DataView, at: number, { shown, position, image }: LivePointer): void {
  view.setUint8(at, SHOWN.indexOf(shown));
  view.setUint8(at + 1, position ? 1 : 0);
  const { width = 0, height = 0, hotX = 0, hotY = 0 } = image ?? {};
  for (const [i, value] of [position?.x ?? 0, position?.y ?? 0, width, height, hotX, hotY].entries()) {
    view.setUint16(at + 2 + i * 2, value, true);
  }
  if (image) bytes.set(image.pixels, at + POINTER_BYTES);
}

/**
 * Reads a frame; `deflated` and the pointer's pixels are views into `bytes`.
 * @throws LiveFrameError
 */
export function decodeLiveFrame(bytes: Uint8Array): LiveFrame {
  if (bytes.length > MAX_LIVE_FRAME_BYTES) throw new LiveFrameError('length', `${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  want(bytes, HEADER_BYTES, 'header');
  if (bytes[0] !== VERSION) throw new LiveFrameError('version', `${bytes[0]}, wanted ${VERSION}`);
  const flags = bytes[1];
  const width = view.getUint16(24, true);
  const height = view.getUint16(26, true);
  const isSide = (side: number) => side > 0 && side <= MAX_SIDE;
  if (!isSide(width) || !isSide(height) || width * height > MAX_SCREEN_PIXELS) {
    throw new LiveFrameError('size', `${width} × ${height}`);
  }
  const count = view.getUint16(2, true);
  const after = HEADER_BYTES + count * RECTANGLE_BYTES;
  want(bytes, after, 'rectangles');
  const rectangles = Array.from({ length: count }, (_, i) =>
    readRectangle(view, HEADER_BYTES + i * RECTANGLE_BYTES, width, height),
  );
  if (pixelsOf(rectangles) > LIVE_FRAME_PIXELS) throw new LiveFrameError('rectangles', 'have too many pixels');
  const pointer = flags & Flag.pointer ? readPointer(bytes, view, after) : null;
  const end = after + (pointer ? POINTER_BYTES + (pointer.image?.pixels.length ?? 0) : 0);
  return {
    number: view.getUint32(4, true),
    timeUs: readCount(view, 8, 'time'),
    seq: readCount(view, 16, 'seq'),
    width,
    height,
    isWhole: (flags & Flag.whole) !== 0,
    isExact: (flags & Flag.exact) !== 0,
    rectangles,
    pointer,
    deflated: bytes.subarray(end),
  };
}

/** Pixels of rectangles. */
export function pixelsOf(rectangles: readonly LiveRectangle[]): number {
  return rectangles.reduce((sum, { width, height }) => sum + width * height, 0);
}

function readRectangle(view: DataView, at: number, right: number, bottom: number): LiveRectangle {
  const [left, top, width, height] = [0, 2, 4, 6].map((offset) => view.getUint16(at + offset, true));
  if (width === 0 || height === 0 || left + width > right || top + height > bottom) {
    throw new LiveFrameError('rectangle', `${width} × ${height} at ${left}, ${top} of ${right} × ${bottom}`);
  }
  return { left, top, width, height };
}

function readPointer(bytes: Uint8Array, view: DataView, at: number): LivePointer {
  want(bytes, at + POINTER_BYTES, 'pointer');
  const shown = SHOWN[bytes[at]];
  if (shown === undefined) throw new LiveFrameError('pointer', `${bytes[at]} is not known`);
  const [x, y, width, height, hotX, hotY] = [2, 4, 6, 8, 10, 12].map((offset) => view.getUint16(at + offset, true));
  if (width > MAX_POINTER_SIDE || height > MAX_POINTER_SIDE) {
    throw new LiveFrameError('pointer size', `${width} × ${height}, at most ${MAX_POINTER_SIDE} a side`);
  }
  if (shown !== 'shape' && width * height > 0) throw new LiveFrameError('pointer', `${shown} has an image`);
  const end = at + POINTER_BYTES + width * height * 4;
  want(bytes, end, 'pointer image');
  const pixels = bytes.subarray(at + POINTER_BYTES, end);
  return {
    shown,
    position: bytes[at + 1] === 0 ? null : { x, y },
    image: shown === 'shape' ? { width, height, hotX, hotY, pixels } : null,
  };
}

function readCount(view: DataView, at: number, field: string): number {
  const value = Number(view.getBigUint64(at, true));
  if (!Number.isSafeInteger(value)) throw new LiveFrameError(field, 'above 2^53 - 1');
  return value;
}

function want(bytes: Uint8Array, length: number, field: string): void {
  if (bytes.length < length) throw new LiveFrameError(field, `${bytes.length} bytes, wanted ${length} or more`);
}
