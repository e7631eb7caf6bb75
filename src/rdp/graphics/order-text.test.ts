import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  apply,
  assertShows,
  BLUE,
  blue,
  DOT,
  LETTER,
  open,
  RED,
  red,
  secondary,
  WHITE,
  WIDTH,
  white,
} from '../../../test/support/orders.ts';
import { writeCacheGlyphRev1, writeCacheGlyphRev2 } from '../order/cache-glyph.ts';
import { PrimaryOrderWriter } from '../order/primary-order-writer.ts';
import { fill } from './painter.ts';
import { rectangle } from './rectangle.ts';
import type { Screen } from './screen.ts';

function paintLetter(screen: Screen, x: number, y: number, color: number): void {
  for (const [row, bits] of LETTER.bits.subarray(0, 5).entries()) {
    for (let column = 0; column < 3; column++) {
      if (bits & (0x80 >> column)) screen.words[(y - 5 + row) * WIDTH + x + 1 + column] = color;
    }
  }
}

test('text: glyphs of both revisions at their advances, on an opaque rectangle', () => {
  for (const write of [writeCacheGlyphRev1, writeCacheGlyphRev2]) {
    const decoder = open();
    const glyphs = [
      { cacheIndex: 4, glyph: LETTER },
      { cacheIndex: 5, glyph: DOT },
    ];
    const text = { cacheId: 7, flAccel: 0x03, backColor: white, foreColor: blue, x: 3, y: 12 };
    const opaque = { opLeft: 2, opTop: 6, opRight: 20, opBottom: 14 };
    apply(
      decoder,
      secondary(write({ cacheId: 7, glyphs })),
      new PrimaryOrderWriter().write('glyphIndex', {
        ...text,
        ...opaque,
        variableBytes: Uint8Array.of(4, 0, 5, 6, 4, 0x80, 3, 0),
      }),
    );
    assertShows(decoder, (screen) => {
      fill(screen, rectangle(2, 6, 18, 8), BLUE);
      paintLetter(screen, 3, 12, WHITE);
      screen.words[11 * WIDTH + 9] = WHITE;
      paintLetter(screen, 12, 12, WHITE);
    });
  }
});

test('text: fixed advances, widths of glyphs, downwards, the background itself', () => {
  const decoder = open();
  const writer = new PrimaryOrderWriter();
  const variableBytes = Uint8Array.of(5, 5);
  apply(
    decoder,
    secondary(writeCacheGlyphRev2({ cacheId: 0, glyphs: [{ cacheIndex: 5, glyph: DOT }] })),
    writer.write('glyphIndex', { backColor: white, ulCharInc: 7, x: 2, y: 3, variableBytes }),
    writer.write('glyphIndex', { flAccel: 0x20, ulCharInc: 0, x: 2, y: 6 }),
    writer.write('glyphIndex', { flAccel: 0x24, x: 2, y: 10 }),
    writer.write('glyphIndex', {
      fOpRedundant: 1,
      foreColor: red,
      bkLeft: 20,
      bkTop: 20,
      bkRight: 23,
      bkBottom: 22,
      variableBytes: new Uint8Array(0),
    }),
  );
  assertShows(decoder, (screen) => {
    for (const [x, y] of [
      [2, 2],
      [9, 2],
      [2, 5],
      [3, 5],
      [2, 9],
      [2, 10],
    ]) {
      screen.words[y * WIDTH + x] = WHITE;
    }
    fill(screen, rectangle(20, 20, 3, 2), RED);
  });
});

test('text: a fragment is added by one order and used by the next', () => {
  const decoder = open();
  const writer = new PrimaryOrderWriter();
  apply(
    decoder,
    secondary(writeCacheGlyphRev2({ cacheId: 0, glyphs: [{ cacheIndex: 5, glyph: DOT }] })),
    writer.write('glyphIndex', { backColor: white, x: 2, y: 3, variableBytes: Uint8Array.of(5, 0, 5, 4, 0xff, 1, 4) }),
    writer.write('glyphIndex', { y: 9, variableBytes: Uint8Array.of(5, 0, 0xfe, 1, 10, 5, 2) }),
  );
  assertShows(decoder, (screen) => {
    for (const x of [2, 6]) screen.words[2 * WIDTH + x] = WHITE;
    for (const x of [2, 12, 16, 18]) screen.words[8 * WIDTH + x] = WHITE;
  });
  apply(decoder, writer.write('glyphIndex', { variableBytes: Uint8Array.of(0xfe, 2) }));
  assert.match(`${decoder.lastError}`, /fragment: entry 2 is empty/);
});
