/** What real servers drew with orders, replayed: vectors/orders. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ScreenDecoder } from './screen-decoder.ts';

interface Capture {
  width: number;
  height: number;
  depth: number;
  orders: unknown;
  pdus: string[];
  moments: { pdus: number; sha256: string }[];
}

const folder = new URL('../../../vectors/orders/', import.meta.url);
const captures = readdirSync(folder).filter((name) => name.endsWith('.json'));
assert.ok(captures.length > 0);

for (const name of captures) {
  const { width, height, depth, orders, ...capture } = JSON.parse(
    readFileSync(new URL(name, folder), 'utf8'),
  ) as Capture;
  const pdus = capture.pdus.map((hex) => Uint8Array.from(Buffer.from(hex, 'hex')));
  const hash = (decoder: ScreenDecoder) => createHash('sha256').update(decoder.pixels).digest('hex');
  const open = () => {
    const decoder = new ScreenDecoder(width, height, depth);
    decoder.configure({ width, height, depth, codecs: {}, orders });
    return decoder;
  };

  test(`${name}: the desktop's own pixels at every moment of rest`, () => {
    const decoder = open();
    let applied = 0;
    for (const { pdus: until, sha256 } of capture.moments) {
      for (; applied < until; applied++) decoder.apply(pdus[applied]);
      assert.equal(hash(decoder), sha256);
    }
    assert.equal(decoder.undecodableBytes, 0, `${decoder.lastError}`);
  });

  test(`${name}: a decoder that is saved after any PDU goes on the same`, () => {
    let decoder = open();
    for (const pdu of pdus) {
      decoder = ScreenDecoder.restore(decoder.save(false), decoder.pixels);
      decoder.apply(pdu);
    }
    assert.equal(hash(decoder), capture.moments.at(-1)!.sha256);
    assert.equal(decoder.undecodableBytes, 0, `${decoder.lastError}`);
  });
}
