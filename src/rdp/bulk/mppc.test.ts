import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { DecodeError } from '../bytes.ts';
import { BulkFlag, BulkType } from '../pdu/bulk-flags.ts';
import { MppcDecoder, mppcHistorySize } from './mppc-decoder.ts';
import { MppcEncoder } from './mppc-encoder.ts';

interface Packet {
  flags: number;
  data: string;
  plain: string;
  /** How often `plain` is repeated; once unless given. */
  times?: number;
}
/** What a real server sent. */
interface Capture {
  packets: { flags: number; data: string; length: number; sha256: string }[];
}
interface Vectors {
  streams: { name: string; packets: Packet[] }[];
  refused: { name: string; flags: number; data: string }[];
}

const load = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../../vectors/bulk/${name}`, import.meta.url), 'utf8'));
const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'));
const COMPRESSED = BulkFlag.compressed | BulkType.mppc64k;

const { streams, refused } = load('mppc-64k.json') as Vectors;

for (const { name, packets } of streams) {
  test(`MPPC 64K: ${name}`, () => {
    const decoder = new MppcDecoder();
    for (const [i, { flags, data, plain, times = 1 }] of packets.entries()) {
      assert.equal(Buffer.from(decoder.decode(bytes(data), flags)).toString('hex'), plain.repeat(times), `packet ${i}`);
    }
  });
}

for (const { name, flags, data } of refused) {
  test(`MPPC 64K refuses: ${name}`, () => {
    const decoder = new MppcDecoder();
    assert.throws(() => decoder.decode(bytes(data), flags), DecodeError);
    assert.ok(decoder.isLost);
    assert.throws(() => decoder.decode(bytes('41'), COMPRESSED | BulkFlag.atFront), /history that is lost/);
    assert.equal(decoder.decode(bytes('41'), COMPRESSED | BulkFlag.flushed)[0], 0x41, 'a flush makes it known again');
  });
}

test('MPPC 64K: packets of a real xrdp', () => {
  const decoder = new MppcDecoder();
  for (const [i, { flags, data, length, sha256 }] of (load('xrdp-mppc-64k.json') as Capture).packets.entries()) {
    const plain = decoder.decode(bytes(data), flags);
    assert.equal(plain.length, length, `packet ${i}`);
    assert.equal(createHash('sha256').update(plain).digest('hex'), sha256, `packet ${i}`);
  }
});

/** Data that has something to be found in it. */
const packet = fc
  .array(
    fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 40 }),
      fc.tuple(fc.integer({ min: 0, max: 255 }), fc.integer({ min: 1, max: 30_000 })).map(([byte, count]) => {
        return new Uint8Array(count).fill(byte);
      }),
      fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 2000 })).map(([step, count]) => {
        return Uint8Array.from({ length: count }, (_, i) => (i * step) & 0xff);
      }),
    ),
    { minLength: 1, maxLength: 6 },
  )
  .map((parts) => Uint8Array.from(Buffer.concat(parts).subarray(0, mppcHistorySize - 1)));

test('what the encoder makes, the decoder undoes, packet after packet, across saves', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(packet, fc.boolean()), { minLength: 1, maxLength: 12 }), (packets) => {
      const encoder = new MppcEncoder();
      let decoder = new MppcDecoder();
      for (const [plain, saves] of packets) {
        const { flags, data } = encoder.encode(plain);
        assert.deepEqual(Buffer.from(decoder.decode(data, flags)), Buffer.from(plain));
        if (saves) decoder = MppcDecoder.restore(decoder.save());
      }
    }),
    { numRuns: 60 },
  );
});

test('older data beyond the present end of the history is still referred to', () => {
  const noise = (seed: number, length: number) => {
    let state = seed;
    return Uint8Array.from({ length }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state >>> 25;
    });
  };
  const encoder = new MppcEncoder();
  const decoder = new MppcDecoder();
  const send = (plain: Uint8Array) => {
    const { flags, data } = encoder.encode(plain);
    assert.deepEqual(decoder.decode(data, flags), plain);
    return { flags, size: data.length };
  };
  const halves = [noise(1, 32_000), noise(2, 33_000)];
  for (const half of halves) send(Uint8Array.of(...half, ...new Uint8Array(200)));
  const { flags, size } = send(Uint8Array.of(1, 2, 3, ...halves[1].subarray(5000, 15_000)));
  assert.ok(flags & BulkFlag.atFront);
  assert.equal(flags & BulkFlag.flushed, 0);
  assert.ok(size < 100, `${size} bytes`);
});

test('data that would grow goes as it is, and both sides begin anew', () => {
  const encoder = new MppcEncoder();
  const decoder = new MppcDecoder();
  const letters = Uint8Array.from({ length: 60 }, (_, i) => 0x41 + (i % 5));
  const grows = Uint8Array.from({ length: 60 }, (_, i) => 0x80 | (i * 37));
  const first = encoder.encode(letters);
  assert.equal(first.flags, COMPRESSED | BulkFlag.atFront);
  decoder.decode(first.data, first.flags);
  const raw = encoder.encode(grows);
  assert.deepEqual(raw, { flags: BulkType.mppc64k | BulkFlag.flushed, data: grows });
  assert.equal(decoder.decode(raw.data, raw.flags), grows);
  const last = encoder.encode(letters);
  assert.equal(last.flags, COMPRESSED | BulkFlag.atFront);
  assert.deepEqual(decoder.decode(last.data, last.flags), letters);
});

test('data that is not compressed leaves the history alone', () => {
  const encoder = new MppcEncoder();
  const decoder = new MppcDecoder();
  const letters = Uint8Array.from({ length: 300 }, (_, i) => 0x41 + (i % 23));
  for (let i = 0; i < 3; i++) {
    const { flags, data } = encoder.encode(letters);
    assert.deepEqual(decoder.decode(data, flags), letters);
    const other = Uint8Array.of(1, 2, 3);
    assert.equal(decoder.decode(other, 0), other);
  }
});

test('no bytes make it hang, crash or write outside its history', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.uint8Array({ maxLength: 400 }), fc.integer({ min: 0, max: 255 })), { maxLength: 12 }),
      (packets) => {
        const decoder = new MppcDecoder();
        for (const [data, flags] of packets) {
          try {
            assert.ok(decoder.decode(data, flags).length <= mppcHistorySize);
          } catch (error) {
            assert.ok(error instanceof DecodeError, String(error));
          }
          assert.deepEqual(MppcDecoder.restore(decoder.save()).save(), decoder.save());
        }
      },
    ),
    { numRuns: 500 },
  );
});

test('a state that is none is refused', () => {
  for (const hex of ['', '02', '0000000100', '00010000', '0001000000', '000000000011']) {
    assert.throws(() => MppcDecoder.restore(bytes(hex)), DecodeError, hex);
  }
});
