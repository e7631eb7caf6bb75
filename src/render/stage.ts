/**
 * The picture that is encoded: the desktop in the middle of a canvas, with the pointer, or words in its place. Only what
 * changed since the last frame is copied and converted.
 */
import { rgbx } from '#rdp/codec/pixel.ts';
import { FONT_HEIGHT, FONT_WIDTH } from '#rdp/graphics/font.ts';
import { drawText, wrapText } from '#rdp/graphics/painter.ts';
import { drawPointer, type PointerImage } from '#rdp/graphics/pointer-image.ts';
import { type Rectangle, rectangle } from '#rdp/graphics/rectangle.ts';
import { Screen } from '#rdp/graphics/screen.ts';
import type { ScreenDecoder } from '#rdp/graphics/screen-decoder.ts';
import { BESIDE_GREY, type Place, placeOn, type Size } from './canvas.ts';
import { DirtyTiles } from './dirty-tiles.ts';
import { convertToYuv, yuvBytes } from './yuv.ts';

/** What FFmpeg calls them: YUV 4:2:0 in three planes, or RGBX as it is. */
export type PixelFormat = 'yuv420p' | 'rgb0';

const BESIDE = rgbx(BESIDE_GREY, BESIDE_GREY, BESIDE_GREY);
const CAPTION_BACKGROUND = rgbx(24, 32, 44);
const CAPTION_COLOR = rgbx(235, 235, 235);
/** Captions are painted on no more than this, and put in the middle. */
const CAPTION_SIDES = { width: 3840, height: 2160 } as const;
/** Height of the canvas for each step of the font's size. */
const ROWS_A_SCALE = 320;
const MARGIN = 2;

export interface PointerOnScreen {
  readonly image: PointerImage;
  readonly x: number;
  readonly y: number;
}

export class Stage {
  /** The frame in the format that was asked for; valid until the next `update`. */
  readonly frame: Uint8Array;
  readonly #canvas: Size;
  readonly #words: Uint32Array<ArrayBuffer>;
  readonly #dirty: DirtyTiles;
  readonly #format: PixelFormat;
  #decoder: ScreenDecoder | null = null;
  #place: Place = { left: 0, top: 0, width: 0, height: 0 };
  #pointer: PointerOnScreen | null = null;
  #caption: string | null = null;
  /** All of the canvas must be painted anew, what lies beside the desktop too. */
  #stale = true;

  constructor(canvas: Size, format: PixelFormat) {
    this.#canvas = canvas;
    this.#format = format;
    this.#words = new Uint32Array(canvas.width * canvas.height);
    this.#dirty = new DirtyTiles(canvas.width, canvas.height);
    this.frame =
      format === 'rgb0'
        ? new Uint8Array(this.#words.buffer)
        : new Uint8Array(yuvBytes(canvas.width, canvas.height)).fill(128);
  }

  /** Shows this desktop from now on. */
  attach(decoder: ScreenDecoder): void {
    this.#decoder = decoder;
    const resized = () => {
      this.#place = placeOn(this.#canvas, decoder);
      this.#stale = true;
    };
    decoder.listener = {
      resized,
      dirty: ({ left, top, right, bottom }) => {
        const { left: x, top: y } = this.#place;
        this.#dirty.mark({ left: left + x, top: top + y, right: right + x, bottom: bottom + y });
      },
    };
    resized();
  }

  /**
   * Brings the frame up to date.
   * @param pointer null where it is hidden or unknown
   * @param caption shown in the desktop's place; null: the desktop is
   * @returns whether the frame changed
   */
  update(pointer: PointerOnScreen | null, caption: string | null): boolean {
    if (caption !== this.#caption) this.#stale = true;
    this.#caption = caption;
    if (caption === null) this.#paintDesktop(pointer);
    else if (this.#stale) this.#paintCaption(caption);
    else return false;
    if (!this.#dirty.any) return false;
    for (const area of this.#dirty.take()) {
      if (this.#format === 'yuv420p') {
        convertToYuv(this.#words, this.#canvas.width, this.#canvas.height, area, this.frame);
      }
    }
    return true;
  }

  #paintDesktop(pointer: PointerOnScreen | null): void {
    if (this.#stale) {
      this.#words.fill(BESIDE);
      this.#dirty.markAll();
      this.#stale = false;
    }
    const moved = !samePointer(pointer, this.#pointer);
    if (moved && this.#pointer !== null) this.#dirty.mark(this.#areaOf(this.#pointer));
    if (moved && pointer !== null) this.#dirty.mark(this.#areaOf(pointer));
    this.#pointer = pointer;
    if (!this.#dirty.any) return;
    const areas = [...this.#dirty.take()];
    for (const area of areas) this.#copyDesktop(area);
    for (const area of areas) this.#dirty.mark(area);
    if (pointer === null) return;
    // Where the pointer stands something may have changed beneath a part of it: all of it is drawn again.
    const area = this.#areaOf(pointer);
    this.#copyDesktop(area);
    this.#dirty.mark(area);
    const { left, top } = this.#place;
    const { width, height } = this.#canvas;
    drawPointer(this.#words, width, height, pointer.image, pointer.x + left, pointer.y + top);
  }

  /** Copies what the desktop has in an area of the canvas; beside the desktop it is grey. */
  #copyDesktop(area: Rectangle): void {
    const { width: stride, height } = this.#canvas;
    const { left, top, width: columns, height: rows } = this.#place;
    const words = this.#decoder!.screen.words;
    const right = Math.min(area.right, stride);
    const bottom = Math.min(area.bottom, height);
    const from = Math.max(area.left, left);
    const to = Math.min(right, left + columns);
    for (let y = Math.max(0, area.top); y < bottom; y++) {
      const row = y * stride;
      const isBeside = y < top || y >= top + rows || from >= to;
      if (isBeside || from > area.left || to < right)
        this.#words.fill(BESIDE, row + Math.max(0, area.left), row + right);
      if (isBeside) continue;
      const source = (y - top) * columns - left;
      this.#words.set(words.subarray(source + from, source + to), row + from);
    }
  }

  #areaOf({ image, x, y }: PointerOnScreen): Rectangle {
    const { left, top } = this.#place;
    return rectangle(x - image.hotX + left, y - image.hotY + top, image.width, image.height);
  }

  #paintCaption(text: string): void {
    const { width, height } = this.#canvas;
    const board = new Screen(Math.min(width, CAPTION_SIDES.width), Math.min(height, CAPTION_SIDES.height));
    board.words.fill(CAPTION_BACKGROUND);
    const scale = Math.max(1, Math.floor(board.height / ROWS_A_SCALE));
    const columns = Math.max(1, Math.floor(board.width / (FONT_WIDTH * scale)) - 2 * MARGIN);
    const lines = wrapText(text, columns);
    const lineHeight = (FONT_HEIGHT + 3) * scale;
    const left = (board.width - Math.max(...lines.map((line) => line.length)) * FONT_WIDTH * scale) >> 1;
    const top = Math.max(0, (board.height - lines.length * lineHeight) >> 1);
    for (const [i, line] of lines.entries()) drawText(board, left, top + i * lineHeight, line, CAPTION_COLOR, scale);
    this.#words.fill(CAPTION_BACKGROUND);
    const place = placeOn(this.#canvas, board);
    for (let y = 0; y < board.height; y++) {
      const row = board.words.subarray(y * board.width, (y + 1) * board.width);
      this.#words.set(row, (y + place.top) * width + place.left);
    }
    this.#dirty.markAll();
    // The desktop has to be painted whole when it comes back, and its pointer with it.
    this.#pointer = null;
    this.#stale = false;
  }
}

function samePointer(a: PointerOnScreen | null, b: PointerOnScreen | null): boolean {
  return a === b || (a !== null && b !== null && a.image === b.image && a.x === b.x && a.y === b.y);
}
