import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { zstdDecompressSync } from 'node:zlib';
import { compressIfWorthwhile } from './zstd.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const OPTIONS = { level: 3, windowLog: 24 };

/** Noise that is the same in every run. */
class Noise {
  #state = 7;

  word(): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return this.#state >>> 0;
  }

  bytes(length: number): Buffer {
    const words = Uint32Array.from({ length: length / 4 }, () => this.word());
    return Buffer.from(words.buffer);
  }
}

suite('zstd', () => {
  const noise = new Noise();
  const random = noise.bytes(8 * MIB);

  test('is left out where nothing repeats', () => {
    assert.equal(compressIfWorthwhile(random, OPTIONS), null);
  });

  test('is left out where what repeats is a little of each record', () => {
    const records = Array.from({ length: 4000 }, (_, i) => {
      const head = Buffer.alloc(24);
      head.writeUInt32LE(2000);
      head.writeUInt32LE(i, 16);
      return [head, random.subarray(i * 2000, i * 2000 + 2000)];
    });
    assert.equal(compressIfWorthwhile(Buffer.concat(records.flat()), OPTIONS), null);
  });

  test('is used where blocks come again at any distance', () => {
    const blocks: Buffer[] = [];
    for (let i = 0; i < 2048; i++) {
      const isRepeated = i > 0 && noise.word() % 5 === 0;
      blocks.push(isRepeated ? blocks[noise.word() % i] : random.subarray(i * 4 * KIB, (i + 1) * 4 * KIB));
    }
    const run = Buffer.concat(blocks);
    const compressed = compressIfWorthwhile(run, OPTIONS);
    assert.ok(compressed && compressed.length < 0.9 * run.length);
    assert.ok(zstdDecompressSync(compressed).equals(run));
  });

  test('is used where a part of the run is text', () => {
    const text = Buffer.from('the same words again and again\n'.repeat(MIB / 31));
    assert.ok(compressIfWorthwhile(Buffer.concat([random.subarray(0, 7 * MIB), text]), OPTIONS));
  });

  test('is left out where all that repeats is farther away than the window', () => {
    const half = random.subarray(0, 4 * MIB);
    const twice = Buffer.concat([half, half]);
    assert.equal(compressIfWorthwhile(twice, { level: 3, windowLog: 20 }), null);
    assert.ok(compressIfWorthwhile(twice, OPTIONS));
  });

  test('is tried on small runs as a whole', () => {
    const small = Buffer.concat([random.subarray(0, 100 * KIB), Buffer.alloc(8 * KIB)]);
    assert.ok(compressIfWorthwhile(small, OPTIONS));
    assert.equal(compressIfWorthwhile(random.subarray(0, 100 * KIB), OPTIONS), null);
  });
});
