import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { inflateSync } from 'node:zlib';
import fc from 'fast-check';
import { readPng } from './png.ts';
import { ScreenDecoder } from './screen-decoder.ts';

interface Capture {
  width: number;
  height: number;
  codecs: Record<string, string>;
  pdus: Uint8Array[];
  shown: Uint8Array;
}

function load(name: string): Capture {
  const file = new URL(`../../../vectors/surface-commands/${name}.json`, import.meta.url);
  const { pdus, shown, ...rest } = JSON.parse(readFileSync(file, 'utf8'));
  const png = Buffer.from(shown, 'base64');
  return {
    ...rest,
    pdus: pdus.map((pdu: string) => new Uint8Array(Buffer.from(pdu, 'hex'))),
    shown: readPng(png, (bytes, limit) => inflateSync(bytes, { maxOutputLength: limit })).pixels,
  };
}

function decoderFor({ width, height, codecs }: Capture): ScreenDecoder {
  const decoder = new ScreenDecoder();
  decoder.configure({ width, height, depth: 32, codecs });
  return decoder;
}

/** Greatest difference that FreeRDP may show: it rounds otherwise. */
const captures: [string, number][] = [
  ['xrdp-remotefx', 2],
  ['freerdp-remotefx', 2],
  ['freerdp-nscodec', 0],
];

for (const [name, tolerance] of captures) {
  const capture = load(name);

  test(`${name}: what FreeRDP shows of it`, () => {
    const decoder = decoderFor(capture);
    for (const pdu of capture.pdus) decoder.apply(pdu);
    assert.equal(decoder.undecodableBytes, 0, String(decoder.lastError));
    const worst = decoder.pixels.reduce((most, value, i) => Math.max(most, Math.abs(value - capture.shown[i])), 0);
    assert.ok(worst <= tolerance, `a channel differs by ${worst}`);
  });

  test(`${name}: going on from any PDU gives the same`, () => {
    const whole = decoderFor(capture);
    const states = capture.pdus.map((pdu) => {
      whole.apply(pdu);
      return { state: whole.save(false), pixels: whole.pixels.slice() };
    });
    for (const [i, { state, pixels }] of states.entries()) {
      const resumed = ScreenDecoder.restore(state, pixels);
      for (const pdu of capture.pdus.slice(i + 1)) resumed.apply(pdu);
      assert.ok(Buffer.compare(resumed.pixels, whole.pixels) === 0, `from PDU ${i}`);
      assert.deepEqual(resumed.counts, whole.counts);
    }
  });

  test(`${name}: changed anywhere, it is decoded or counted`, () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 10 });
    fc.assert(
      fc.property(fc.nat(capture.pdus.length - 1), changes, (which, list) => {
        const decoder = decoderFor(capture);
        const head = capture.pdus[0].slice();
        const body = capture.pdus[which].slice();
        for (const [at, value] of list) body[4 + (at % (body.length - 4))] = value;
        for (const pdu of [head, body]) decoder.apply(pdu);
        const { decoded, ignored, undecodable } = decoder.counts;
        assert.equal(decoded + ignored + undecodable, head.length + body.length);
      }),
      { numRuns: 40 },
    );
  });
}
