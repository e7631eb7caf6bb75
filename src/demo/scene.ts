/** What the demo desktop looks like: a clock, a text pad that shows what is typed, a shape that can be dragged. */
import { rgbx } from '#rdp/codec/pixel.ts';
import { FONT_WIDTH } from '#rdp/graphics/font.ts';
import { drawText, fill, measureText, wrapText } from '#rdp/graphics/painter.ts';
import { type Rectangle, rectangle } from '#rdp/graphics/rectangle.ts';
import { Screen } from '#rdp/graphics/screen.ts';
import { layOut, type SceneLayout, shapeRadius, titleHeight } from './scene-layout.ts';
import { drawSegments, measureSegments } from './seven-segment.ts';
import { drawRing, fillDisc, fillGradient, fillRounded } from './shapes.ts';

/** All that can change. */
export interface SceneState {
  text: string;
  /** Centre of the shape, in shares of its reach: 0 to 1. */
  shape: { x: number; y: number };
  isDragged: boolean;
  /** One line at the bottom. */
  note: string;
}

export const inkColor = rgbx(0x1f, 0x2a, 0x37);
export const shapeColor = rgbx(0xff, 0x8a, 0x3d);
const paper = rgbx(0xfb, 0xfc, 0xfd);
const titlePaper = rgbx(0xe7, 0xec, 0xf2);
const mutedInk = rgbx(0x5d, 0x6b, 0x7c);
const skyTop = rgbx(0x0f, 0x20, 0x3a);
const skyBottom = rgbx(0x1f, 0x5f, 0x6b);
const night = rgbx(0x0b, 0x16, 0x26);
const light = rgbx(0xdd, 0xf1, 0xf3);
const accent = rgbx(0x2b, 0xb5, 0xa6);
const red = rgbx(0xe5, 0x48, 0x4d);
const cornerRadius = 10;

/** Centre of the shape in pixels. */
export function shapeCentre({ reach }: SceneLayout, { shape }: SceneState): { x: number; y: number } {
  return {
    x: Math.round(reach.left + shape.x * (reach.right - 1 - reach.left)),
    y: Math.round(reach.top + shape.y * (reach.bottom - 1 - reach.top)),
  };
}

/** Paints the scene for one size of the desktop; what never changes is painted once. */
export class Scene {
  readonly layout: SceneLayout;
  /** The desktop; its width is rounded up to a multiple of 4, since clients want bitmaps as wide as that. */
  readonly screen: Screen;
  readonly #backdrop: Uint32Array;

  constructor(width: number, height: number) {
    this.layout = layOut(width, height);
    this.screen = new Screen((width + 3) & ~3, height);
    paintBackdrop(this.screen, this.layout);
    this.#backdrop = this.screen.words.slice();
  }

  /** @param now wall-clock time; it also moves the satellite */
  paint(state: SceneState, now: Date): void {
    this.screen.words.set(this.#backdrop);
    paintClock(this.screen, this.layout, now);
    paintText(this.screen, this.layout, state);
    paintShape(this.screen, this.layout, state, now);
    drawText(this.screen, 20, this.layout.status.top + 12, state.note, light);
  }
}

function paintBackdrop(screen: Screen, layout: SceneLayout): void {
  const { topBar, status, clock, pad, canvas, width } = layout;
  fillGradient(screen, skyTop, skyBottom);
  fill(screen, topBar, night);
  fill(screen, { ...topBar, top: topBar.bottom - 2 }, accent);
  drawText(screen, 20, 9, 'Lucid', light, 2);
  drawText(screen, 112, 17, 'demo desktop', accent);
  fill(screen, status, night);
  const origin = "served by Lucid's own RDP library";
  const left = width - measureText(origin).width - 20;
  drawText(screen, left, status.top + 12, origin, light);
  fillDisc(screen, left - 14, status.top + 18, 5, accent);
  paintWindow(screen, pad, 'Text pad', 'Ctrl+C copies, Ctrl+V pastes');
  paintWindow(screen, canvas, 'Canvas', 'drag me');
  for (let y = canvas.top + titleHeight + 20; y < canvas.bottom - 12; y += 22)
    for (let x = canvas.left + 20; x < canvas.right - 12; x += 22) fill(screen, rectangle(x, y, 2, 2), titlePaper);
  paintShadow(screen, clock);
  fillRounded(screen, clock, cornerRadius, night);
}

function paintShadow(screen: Screen, area: Rectangle): void {
  for (const spread of [8, 5, 2]) {
    const { left, top, right, bottom } = area;
    const grown = { left: left - spread, top: top - spread + 5, right: right + spread, bottom: bottom + spread + 3 };
    fillRounded(screen, grown, cornerRadius + spread, night, 0.14);
  }
}

function paintWindow(screen: Screen, area: Rectangle, title: string, hint: string): void {
  paintShadow(screen, area);
  fillRounded(screen, area, cornerRadius, titlePaper);
  const body = { ...area, top: area.top + titleHeight };
  fillRounded(screen, body, cornerRadius, paper);
  fill(screen, { ...body, bottom: body.top + cornerRadius }, paper);
  [red, rgbx(0xf0, 0xb4, 0x29), accent].forEach((color, i) => {
    fillDisc(screen, area.left + 20 + i * 18, area.top + titleHeight / 2, 5, color);
  });
  drawText(screen, area.left + 78, area.top + 11, title, inkColor);
  const free = area.right - area.left - 78 - measureText(title).width - 36;
  const { width } = measureText(hint);
  if (width < free) drawText(screen, area.right - 18 - width, area.top + 11, hint, mutedInk);
}

const twoDigits = (value: number) => String(value).padStart(2, '0');
const weekdays = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

function paintClock(screen: Screen, { clock }: SceneLayout, now: Date): void {
  const time = [now.getHours(), now.getMinutes(), now.getSeconds()].map(twoDigits).join(':');
  const height = Math.round((clock.bottom - clock.top) * 0.42);
  const width = Math.round(Math.min(height * 0.56, (clock.right - clock.left) / 11));
  const style = { width, height, stroke: Math.max(4, Math.round(width * 0.2)), lit: light, unlit: skyTop };
  const middle = (clock.left + clock.right) / 2;
  const top = clock.top + Math.round((clock.bottom - clock.top) * 0.2);
  drawSegments(screen, Math.round(middle - measureSegments(time, style) / 2), top, time, style);
  const month = twoDigits(now.getMonth() + 1);
  const date = `${weekdays[now.getDay()]}, ${now.getFullYear()}-${month}-${twoDigits(now.getDate())}`;
  drawText(screen, Math.round(middle - measureText(date).width / 2), top + height + 22, date, accent);
}

function paintText(screen: Screen, { padText }: SceneLayout, { text }: SceneState): void {
  const { left, top, columns, rows, scale, lineHeight } = padText;
  const lines = wrapText(text.replaceAll('\t', '    '), columns).slice(-rows);
  lines.forEach((line, row) => {
    drawText(screen, left, top + row * lineHeight, line, inkColor, scale);
  });
  const caret = Math.min(columns - 1, lines[lines.length - 1].length) * FONT_WIDTH * scale;
  fill(screen, rectangle(left + caret, top + (lines.length - 1) * lineHeight, 2 * scale, 13 * scale), accent);
}

function paintShape(screen: Screen, layout: SceneLayout, state: SceneState, now: Date): void {
  const { x, y } = shapeCentre(layout, state);
  drawRing(screen, x, y, shapeRadius + 14, 1, mutedInk);
  if (state.isDragged) fillDisc(screen, x, y, shapeRadius + 7, shapeColor, 0.25);
  fillDisc(screen, x + 2, y + 5, shapeRadius, night, 0.18);
  fillDisc(screen, x, y, shapeRadius, shapeColor);
  // one turn takes six seconds
  const angle = ((now.getTime() % 6000) / 6000) * 2 * Math.PI;
  fillDisc(screen, x + Math.cos(angle) * (shapeRadius + 14), y + Math.sin(angle) * (shapeRadius + 14), 7, accent);
}
