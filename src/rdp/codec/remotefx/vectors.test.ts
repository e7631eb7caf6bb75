import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { RemoteFxDecoder } from './remotefx-decoder.ts';
import { decodeRlgr, type EntropyAlgorithm } from './rlgr.ts';
import { encodeRlgr } from './rlgr-encoder.ts';

const load = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../../../vectors/remotefx/${name}`, import.meta.url), 'utf8'));
const hex = (text: string) => Uint8Array.from(text.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));

interface RlgrVector {
  name: string;
  algorithms: EntropyAlgorithm[];
  encoded: string;
  coefficients: number[];
}

for (const { name, algorithms, encoded, coefficients } of load('rlgr.json').cases as RlgrVector[]) {
  test(`RLGR: ${name}`, () => {
    for (const algorithm of algorithms) {
      const bytes = hex(encoded);
      const out = new Int16Array(coefficients.length);
      const first = coefficients.findIndex((value) => value !== 0);
      assert.equal(decodeRlgr(algorithm, bytes, 0, bytes.length, out), first);
      assert.deepEqual([...out], coefficients);
      assert.deepEqual(encodeRlgr(algorithm, Int16Array.from(coefficients)), bytes);
    }
  });
}

interface Component {
  name: string;
  encoded: string;
  coefficients: string;
}

const tile: { headers: string; frame: string; components: Component[]; pixels: string } =
  load('specification-tile.json');

for (const { name, encoded, coefficients } of tile.components) {
  test(`the specification's tile: ${name} decodes to the printed coefficients`, () => {
    const bytes = hex(encoded);
    const wanted = new Int16Array(hex(coefficients).buffer);
    const out = new Int16Array(4096).fill(-1);
    decodeRlgr(4, bytes, 0, bytes.length, out);
    assert.deepEqual(out, wanted);
    const again = encodeRlgr(4, wanted);
    // The printed ones end otherwise: how the last run of zeros is closed is the encoder's choice.
    assert.deepEqual(again.subarray(0, -2), bytes.subarray(0, again.length - 2));
  });
}

test("the specification's tile: pixels are within 1 of the printed ones, nine of ten channels the same", () => {
  const decoder = new RemoteFxDecoder();
  const wanted = hex(tile.pixels);
  let tiles = 0;
  decoder.decode(hex(tile.headers), () => assert.fail('headers paint nothing'));
  assert.deepEqual(decoder.context, { width: 64, height: 64, entropyAlgorithm: 4 });
  decoder.decode(hex(tile.frame), (words, left, top, region) => {
    tiles++;
    assert.deepEqual([left, top, region], [0, 0, [{ left: 0, top: 0, right: 64, bottom: 64 }]]);
    const differences = [...wanted].map((value, i) =>
      Math.abs(((words[Math.floor(i / 3)] >> (8 * (i % 3))) & 0xff) - value),
    );
    assert.equal(Math.max(...differences), 1);
    assert.ok(differences.filter((difference) => difference > 0).length < wanted.length / 10);
  });
  assert.equal(tiles, 1);
});
