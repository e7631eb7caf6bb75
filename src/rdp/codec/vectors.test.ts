import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { DecodeError } from '../bytes.ts';
import { decodeInterleavedRle } from './interleaved-rle.ts';
import { rgbx } from './pixel.ts';
import { decodePlanar } from './planar.ts';

interface Vector {
  name: string;
  bitsPerPixel: 8 | 15 | 16 | 24;
  width: number;
  height: number;
  data: string;
  pixels: string;
}

interface Vectors {
  palette?: string;
  cases: Vector[];
  refused?: Vector[];
}

const load = (name: string): Vectors =>
  JSON.parse(readFileSync(new URL(`../../../vectors/codec/${name}`, import.meta.url), 'utf8'));
const hex = (text: string) => Uint8Array.from(text.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
const asHex = (words: Uint32Array) =>
  [...new Uint8Array(words.buffer)].map((b) => b.toString(16).padStart(2, '0')).join('');

const rle = load('interleaved-rle.json');
const colors = hex(rle.palette!);
const palette = Uint32Array.from({ length: 256 }, (_, i) => rgbx(colors[3 * i], colors[3 * i + 1], colors[3 * i + 2]));

for (const { name, bitsPerPixel, width, height, data, pixels } of rle.cases) {
  test(`interleaved RLE: ${name}`, () => {
    const out = new Uint32Array(width * height);
    decodeInterleavedRle(hex(data), width, height, bitsPerPixel, palette, out);
    assert.equal(asHex(out), pixels);
  });
}

for (const { name, bitsPerPixel, width, height, data } of rle.refused!) {
  test(`interleaved RLE refuses: ${name}`, () => {
    const out = new Uint32Array(width * height);
    assert.throws(() => decodeInterleavedRle(hex(data), width, height, bitsPerPixel, palette, out), DecodeError);
  });
}

for (const { name, width, height, data, pixels } of load('planar.json').cases) {
  test(`planar: ${name}`, () => {
    const out = new Uint32Array(width * height);
    decodePlanar(hex(data), width, height, out);
    assert.equal(asHex(out), pixels);
  });
}
