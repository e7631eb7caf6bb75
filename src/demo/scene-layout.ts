/** Where things are on the demo desktop, for any size of it. */
import { FONT_HEIGHT, FONT_WIDTH } from '#rdp/graphics/font.ts';
import { type Rectangle, rectangle } from '#rdp/graphics/rectangle.ts';

/** A grid of character cells. */
export interface TextGrid {
  left: number;
  top: number;
  columns: number;
  rows: number;
  /** Size of a font pixel in screen pixels. */
  scale: number;
  /** Pixels from one row's top to the next. */
  lineHeight: number;
}

export interface SceneLayout {
  width: number;
  height: number;
  topBar: Rectangle;
  pad: Rectangle;
  padText: TextGrid;
  clock: Rectangle;
  canvas: Rectangle;
  /** Where the centre of the shape may be. */
  reach: Rectangle;
  status: Rectangle;
}

export const shapeRadius = 34;
/** Pixels of a window's title bar. */
export const titleHeight = 34;
const margin = 24;
const barHeight = 44;
const statusHeight = 36;
const orbit = shapeRadius + 22;

/** @param width, height of the desktop in pixels; below 640 × 480 things overlap, and nothing fails */
export function layOut(width: number, height: number): SceneLayout {
  const top = barHeight + margin;
  const bottom = height - statusHeight - margin;
  const padWidth = Math.round((width - 3 * margin) * 0.58);
  const right = margin + padWidth + margin;
  const rightWidth = width - right - margin;
  const clockHeight = Math.min(170, Math.round((bottom - top) * 0.36));
  const pad = { left: margin, top, right: margin + padWidth, bottom };
  const canvas = { left: right, top: top + clockHeight + margin, right: right + rightWidth, bottom };
  return {
    width,
    height,
    topBar: rectangle(0, 0, width, barHeight),
    pad,
    padText: textGrid(pad),
    clock: rectangle(right, top, rightWidth, clockHeight),
    canvas,
    reach: {
      left: canvas.left + orbit,
      top: canvas.top + titleHeight + orbit,
      right: Math.max(canvas.left + orbit + 1, canvas.right - orbit),
      bottom: Math.max(canvas.top + titleHeight + orbit + 1, canvas.bottom - orbit),
    },
    status: rectangle(0, height - statusHeight, width, statusHeight),
  };
}

function textGrid(pad: Rectangle): TextGrid {
  const scale = pad.right - pad.left >= 440 ? 2 : 1;
  const lineHeight = FONT_HEIGHT * scale + 4;
  const left = pad.left + 20;
  const top = pad.top + titleHeight + 18;
  const columns = Math.max(1, Math.floor((pad.right - 20 - left) / (FONT_WIDTH * scale)));
  return { left, top, columns, rows: Math.max(1, Math.floor((pad.bottom - 12 - top) / lineHeight)), scale, lineHeight };
}
