import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { DecodeError } from './bytes.ts';
import { type Frame, Framer } from './framer.ts';
import { writeData } from './pdu/x224.ts';

const tpkt = fc.uint8Array({ maxLength: 600 }).map((payload): Frame => ({ kind: 'tpkt', bytes: writeData(payload) }));
const fastPath = fc
  .tuple(fc.nat(0x3f), fc.uint8Array({ maxLength: 600 }), fc.boolean())
  .map(([high, body, long]): Frame => {
    const head = high << 2;
    if (body.length + 2 < 0x80 && !long) {
      return { kind: 'fastPath', bytes: Uint8Array.of(head, body.length + 2, ...body) };
    }
    const length = body.length + 3;
    return { kind: 'fastPath', bytes: Uint8Array.of(head, 0x80 | (length >> 8), length & 0xff, ...body) };
  });

function drain(framer: Framer): Frame[] {
  const frames: Frame[] = [];
  for (let frame = framer.next(); frame; frame = framer.next()) frames.push(frame);
  return frames;
}

test('frames come out as they went in, however the stream is cut', () => {
  const stream = fc.array(fc.oneof(tpkt, fastPath), { maxLength: 8 });
  fc.assert(
    fc.property(stream, fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 30 }), (frames, cuts) => {
      const bytes = Uint8Array.from(frames.flatMap((frame) => [...frame.bytes]));
      const framer = new Framer();
      const found: Frame[] = [];
      for (let at = 0, i = 0; at < bytes.length; i++) {
        const end = Math.min(at + cuts[i % cuts.length], bytes.length);
        framer.push(bytes.subarray(at, end));
        found.push(...drain(framer));
        at = end;
      }
      assert.deepEqual(found, frames);
      assert.equal(framer.buffered, 0);
    }),
  );
});

test('a frame within one buffer is a view into it', () => {
  const frame = writeData(Uint8Array.of(1, 2, 3));
  const pushed = Uint8Array.from([...frame, ...frame, 3]);
  const framer = new Framer();
  framer.push(pushed);
  const found = drain(framer);
  assert.equal(found.length, 2);
  for (const { bytes } of found) assert.equal(bytes.buffer, pushed.buffer);
  assert.equal(framer.buffered, 1);
});

test('a first byte or a length that no frame has is refused', () => {
  for (const bytes of [
    [0x47, 0x45],
    [3, 0, 0, 5],
    [0, 1],
    [0, 0x80, 2],
  ]) {
    const framer = new Framer();
    framer.push(Uint8Array.from(bytes));
    assert.throws(() => framer.next(), DecodeError);
  }
});

test('any bytes give frames or a DecodeError', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 20 }), (chunks) => {
      const framer = new Framer();
      try {
        for (const chunk of chunks) {
          framer.push(chunk);
          for (const { bytes } of drain(framer)) assert.ok(bytes.length >= 2);
        }
      } catch (error) {
        assert.ok(error instanceof DecodeError, String(error));
      }
    }),
  );
});
