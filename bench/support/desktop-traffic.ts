/** PDUs and records to measure with: made by our own encoders, the same in every run. */
import { type ConfigBody, writeJsonBody } from '#evidence/record-body.ts';
import { encodeBitmap } from '#rdp/codec/bitmap-encoder.ts';
import { rgbx } from '#rdp/codec/pixel.ts';
import { drawText, fill } from '#rdp/graphics/painter.ts';
import { Screen } from '#rdp/graphics/screen.ts';
import { BitmapFlag, writeBitmapUpdate } from '#rdp/pdu/bitmap-update.ts';
import { FastPathUpdateCode, writeFastPathUpdate } from '#rdp/pdu/fast-path-output.ts';

export const WIDTH = 1280;
export const HEIGHT = 800;
const TILE = 64;
const LINE = 13;

/** PDUs of one whole screen. */
export const PDUS_A_FRAME = Math.ceil(WIDTH / TILE) * Math.ceil(HEIGHT / TILE);

/** Body of the config record of a session on this desktop. */
export function configBody(session: string): Uint8Array {
  const config: ConfigBody = {
    version: 1,
    session,
    startedAt: '2026-01-31T09:30:00.000Z',
    width: WIDTH,
    height: HEIGHT,
    depth: 32,
    codecs: {},
    profile: 'bitmaps',
    versions: {},
  };
  return writeJsonBody(config);
}

/** Linear congruential noise from 0 to 1. */
function noise(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** A terminal that scrolls by three lines at a time, each time sent whole in planar tiles: heavy work on a small desktop. */
export function scrollingTerminal(bytes: number): Uint8Array[] {
  const random = noise(1);
  const screen = new Screen(WIDTH, HEIGHT);
  const lines = Array.from({ length: Math.floor(HEIGHT / LINE) }, () => '');
  const pdus: Uint8Array[] = [];
  for (let size = 0; size < bytes; ) {
    for (let i = 0; i < 3; i++) {
      lines.shift();
      const words = Array.from({ length: 4 + random() * 12 }, () => Math.floor(random() * 36 ** 6).toString(36));
      lines.push(words.join(' '));
    }
    fill(screen, screen.bounds, rgbx(20, 20, 20));
    for (const [i, line] of lines.entries()) drawText(screen, 4, i * LINE, line, rgbx(200, 220, 200));
    for (const pdu of screenPdus(screen)) {
      pdus.push(pdu);
      size += pdu.length;
    }
  }
  return pdus;
}

/** PDUs that show the whole screen, a tile each. */
function* screenPdus(screen: Screen): Generator<Uint8Array, void, undefined> {
  for (let top = 0; top < HEIGHT; top += TILE) {
    for (let left = 0; left < WIDTH; left += TILE) {
      const height = Math.min(TILE, HEIGHT - top);
      const place = { left, top, right: left + TILE - 1, bottom: top + height - 1, width: TILE, height };
      const flags = BitmapFlag.compressed | BitmapFlag.noCompressionHeader;
      const data = encodeBitmap(screen.words, WIDTH, left, top, TILE, height, 32);
      const update = writeBitmapUpdate([{ ...place, bitsPerPixel: 32, flags, data }]);
      yield* writeFastPathUpdate(FastPathUpdateCode.bitmap, update, 0x7f00);
    }
  }
}

/** Bodies that no compressor can do anything about: sound, photographs, data that is compressed already. */
export function incompressible(bytes: number): Uint8Array[] {
  const random = noise(2);
  return Array.from({ length: Math.ceil(bytes / 16_000) }, () =>
    Uint8Array.from({ length: 16_000 }, () => random() * 256),
  );
}
