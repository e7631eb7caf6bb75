/** One watched session's screen, decoded, and what each of its viewers has not been shown yet. */
import { deflateRawSync } from 'node:zlib';
import {
  encodeLiveFrame,
  LIVE_FRAME_PIXELS,
  type LiveEvent,
  type LivePointer,
  type LiveRectangle,
} from '#contract/live-frames.ts';
import { type CompressionHistory, plainRecord } from '#evidence/captured-record.ts';
import { FLAG_REPEATED, RecordType, type SessionRecord } from '#evidence/record.ts';
import { readMarkerBody } from '#evidence/record-body.ts';
import { applyScreenRecord } from '#evidence/replayed-screen.ts';
import type { Rectangle } from '#rdp/graphics/rectangle.ts';
import type { ScreenDecoder } from '#rdp/graphics/screen-decoder.ts';
import { DirtyTiles } from '#render/dirty-tiles.ts';
import { handsOf } from '#render/input-events.ts';

/** What compresses a screen to a few percent in a tenth of the time that the best level takes. */
const DEFLATE_LEVEL = 1;

/** What one viewer has not been shown. */
interface View {
  /** Seq of the record that tells of the viewer: nothing is shown before it is passed. */
  readonly fromSeq: number;
  dirty: DirtyTiles;
  isWhole: boolean;
  hasPointerMoved: boolean;
  number: number;
}

/**
 * Plays records and makes frames. It keeps no frame: what changed is remembered in tiles, and taken from the screen when
 * a viewer wants it, so that a slow viewer costs no memory.
 */
export class LiveScreen {
  readonly #tell: (event: LiveEvent) => void;
  readonly #views = new Map<number, View>();
  #decoder: ScreenDecoder | null = null;
  #history: CompressionHistory | null = null;
  #isFirstRun = false;
  #isShown = false;
  #place: { readonly x: number; readonly y: number } | null = null;
  #seq = -1;
  #time = 0;

  /** @param tell told of markers as they are passed */
  constructor(tell: (event: LiveEvent) => void) {
    this.#tell = tell;
  }

  /**
   * Begins, or begins anew, where a run begins: nothing is shown until `show` is called.
   * @param decoder as the run before left it; @param history of bulk compression, likewise
   * @param isFirstRun whether there was none: the config at the run's head then says how large the screen is
   */
  begin(decoder: ScreenDecoder, history: CompressionHistory, isFirstRun: boolean): void {
    this.#decoder = decoder;
    this.#history = history;
    this.#isFirstRun = isFirstRun;
    this.#isShown = false;
    decoder.listener = {
      dirty: (area) => this.#mark(area),
      resized: () => this.#reset(),
      pointerChanged: ({ position }) => {
        this.#place = position ?? this.#place;
        this.#markPointer();
      },
    };
    this.#place = decoder.pointer.position ?? this.#place;
    this.#reset();
  }

  /**
   * The screen may be shown: it is that of a record.
   * @param seq of a record that need not have been played: the state that the screen began with may reflect it
   * @param time of that record, in µs of the session's clock
   */
  show(seq: number, time: number): void {
    this.#isShown = true;
    if (seq > this.#seq) [this.#seq, this.#time] = [seq, time];
  }

  /** Plays a record of the stream `screen`, or one of `input`: of that the pointer's place is taken and nothing else. */
  apply(record: SessionRecord): void {
    const decoder = this.#decoder!;
    if (record.type === RecordType.clientPdu) {
      const { pointer } = handsOf(record.body);
      if (pointer) {
        this.#place = pointer;
        this.#markPointer();
      }
      return;
    }
    if (record.type === RecordType.inputMarker) return;
    const isRepeated = (record.flags & FLAG_REPEATED) !== 0;
    const plain = plainRecord(record, this.#history!);
    if (!isRepeated || this.#isFirstRun) applyScreenRecord(decoder, plain);
    if (isRepeated) return;
    this.#isFirstRun = false;
    this.#seq = record.seq;
    this.#time = record.time;
    if (record.type === RecordType.marker) {
      const { kind, detail } = readMarkerBody(record.body);
      this.#tell({ type: 'marker', kind, time_us: record.time, seq: record.seq, ...(detail && { detail }) });
    }
  }

  /** @param fromSeq seq of the record that tells of the viewer */
  join(viewer: number, fromSeq: number): void {
    const dirty = new DirtyTiles(1, 1);
    this.#views.set(viewer, { fromSeq, dirty, isWhole: true, hasPointerMoved: true, number: 0 });
    this.#resetView(this.#views.get(viewer)!);
  }

  leave(viewer: number): void {
    this.#views.delete(viewer);
  }

  /** The viewer's next frame; null while there is nothing new for it. */
  take(viewer: number): Uint8Array<ArrayBuffer> | null {
    const view = this.#views.get(viewer);
    const decoder = this.#decoder;
    if (!view || !decoder || !this.#isShown || this.#seq < view.fromSeq) return null;
    if (!view.dirty.any && !view.isWhole && !view.hasPointerMoved) return null;
    const rectangles = this.#takeRectangles(view);
    const frame = encodeLiveFrame({
      number: view.number++,
      timeUs: this.#time,
      seq: this.#seq,
      width: decoder.width,
      height: decoder.height,
      isWhole: view.isWhole,
      isExact: !view.dirty.any,
      rectangles,
      pointer: view.hasPointerMoved ? this.#pointer(decoder) : null,
      deflated: deflateRawSync(gather(decoder, rectangles), { level: DEFLATE_LEVEL }),
    });
    view.isWhole = false;
    view.hasPointerMoved = false;
    return frame;
  }

  /** What changed, as much of it as fits into a frame. */
  #takeRectangles({ dirty }: View): LiveRectangle[] {
    const rectangles: LiveRectangle[] = [];
    let pixels = 0;
    for (const area of [...dirty.take()]) {
      const [width, height] = [area.right - area.left, area.bottom - area.top];
      pixels += width * height;
      if (pixels > LIVE_FRAME_PIXELS) dirty.mark(area);
      else rectangles.push({ left: area.left, top: area.top, width, height });
    }
    return rectangles;
  }

  #pointer({ pointer }: ScreenDecoder): LivePointer {
    const { shown, image } = pointer;
    if (typeof shown === 'string' || !image)
      return { shown: image ? 'default' : 'hidden', position: this.#place, image: null };
    const { width, height, hotX, hotY, words } = image;
    const pixels = new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
    return { shown: 'shape', position: this.#place, image: { width, height, hotX, hotY, pixels } };
  }

  #mark(area: Rectangle): void {
    for (const { dirty } of this.#views.values()) dirty.mark(area);
  }

  #markPointer(): void {
    for (const view of this.#views.values()) view.hasPointerMoved = true;
  }

  #reset(): void {
    for (const view of this.#views.values()) this.#resetView(view);
  }

  #resetView(view: View): void {
    if (!this.#decoder) return;
    view.dirty = new DirtyTiles(this.#decoder.width, this.#decoder.height);
    view.dirty.markAll();
    view.isWhole = true;
    view.hasPointerMoved = true;
  }
}

/** The pixels of rectangles, one after another. */
function gather(decoder: ScreenDecoder, rectangles: readonly LiveRectangle[]): Uint8Array {
  const bytes = new Uint8Array(rectangles.reduce((sum, { width, height }) => sum + width * height * 4, 0));
  let to = 0;
  for (const { left, top, width, height } of rectangles) {
    for (let y = top; y < top + height; y++, to += width * 4) {
      const from = (y * decoder.width + left) * 4;
      bytes.set(decoder.pixels.subarray(from, from + width * 4), to);
    }
  }
  return bytes;
}
