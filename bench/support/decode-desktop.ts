/** The picture that the decoders' benchmark encodes. */
import { rgbx } from '#rdp/codec/pixel.ts';
import { drawText, fill, frame } from '#rdp/graphics/painter.ts';
import { rectangle } from '#rdp/graphics/rectangle.ts';
import { Screen } from '#rdp/graphics/screen.ts';

export const WIDTH = 1920;
export const HEIGHT = 1080;

/** Linear congruential noise, so that every run sees the same bytes. */
function noise(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** A terminal full of text, a window of widgets, and a photograph-like part. */
export function desktop(): Screen {
  const screen = new Screen(WIDTH, HEIGHT);
  const random = noise(1);
  fill(screen, screen.bounds, rgbx(48, 74, 112));
  fill(screen, rectangle(40, 40, 1000, 960), rgbx(20, 20, 20));
  for (let y = 50; y < 980; y += 13) {
    const words = Array.from({ length: 12 }, () => Math.floor(random() * 36 ** 7).toString(36));
    drawText(screen, 50, y, words.join(' ').slice(0, Math.floor(40 + random() * 80)), rgbx(200, 220, 200));
  }
  fill(screen, rectangle(1100, 60, 700, 400), rgbx(236, 236, 236));
  for (let i = 0; i < 8; i++) {
    frame(screen, rectangle(1130, 100 + i * 40, 300, 28), rgbx(150, 150, 150));
    drawText(screen, 1140, 107 + i * 40, 'A labelled button', rgbx(30, 30, 30));
  }
  for (let y = 520; y < 1000; y++) {
    for (let x = 1100; x < 1800; x++) {
      const light = 40 * Math.sin(x / 60) + 40 * Math.cos(y / 45) + random() * 12;
      screen.words[y * WIDTH + x] = rgbx(100 + light, 90 + light / 2, 110 + light / 3);
    }
  }
  return screen;
}
