import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { FormatError } from './format-error.ts';
import {
  FLAG_REPEATED,
  RecordType,
  readRecords,
  type SessionRecord,
  streamOf,
  writeRecord,
  writeRecordInto,
} from './record.ts';
import {
  type ConfigBody,
  readChannelBody,
  readConfigBody,
  readMarkerBody,
  writeChannelBody,
  writeJsonBody,
} from './record-body.ts';
import { toHex, utf8 } from './text.ts';

const anyRecord: fc.Arbitrary<SessionRecord> = fc.record(
  {
    type: fc.constantFrom(...Object.values(RecordType)),
    flags: fc.constantFrom(0, FLAG_REPEATED),
    time: fc.maxSafeNat(),
    seq: fc.maxSafeNat(),
    body: fc.uint8Array({ maxLength: 50 }).map((bytes) => Uint8Array.from(bytes)),
  },
  { noNullPrototype: true },
);

const read = (bytes: Uint8Array) => [...readRecords(bytes)].map(({ record }) => record);

suite('records', () => {
  test('the header is as documented, little-endian', () => {
    const record = { type: RecordType.serverPdu, flags: 0, time: 0x0001_0203_0405, seq: 7, body: Uint8Array.of(0xaa) };
    assert.equal(toHex(writeRecord(record)), '01000000020000000504030201000000' + '0700000000000000' + 'aa');
  });

  test('what is written is read back, with the place of each', () => {
    fc.assert(
      fc.property(fc.array(anyRecord, { maxLength: 10 }), (records) => {
        const bytes = new Uint8Array(records.reduce((sum, { body }) => sum + 24 + body.length, 0));
        const offsets: number[] = [];
        let at = 0;
        for (const record of records) {
          offsets.push(at);
          at = writeRecordInto(bytes, at, record);
        }
        assert.deepEqual(
          [...readRecords(bytes)].map(({ offset }) => offset),
          offsets,
        );
        assert.deepEqual(read(bytes), records);
      }),
    );
  });

  test('a run that is cut short says where', () => {
    const run = Buffer.concat([1, 2].map((seq) => writeRecord({ type: 2, flags: 0, time: 1, seq, body: utf8('pdu') })));
    assert.throws(() => read(run.subarray(0, 30)), /record\.header: 3 bytes left.*record at byte 27 of 30/);
    assert.throws(() => read(run.subarray(0, 53)), /record\.body: 3 bytes, 2 left.*record at byte 27 of 53/);
  });

  test('each field is checked', () => {
    const record = writeRecord({ type: RecordType.marker, flags: 0, time: 1, seq: 2, body: utf8('{}') });
    const changed = (at: number, value: number) => {
      const bytes = record.slice();
      bytes[at] = value;
      return bytes;
    };
    assert.throws(() => read(changed(3, 0x7f)), { field: 'record.length' });
    assert.throws(() => read(changed(4, 0x99)), { field: 'record.type' });
    assert.throws(() => read(changed(5, 0x02)), { field: 'record.flags' });
    assert.throws(() => read(changed(6, 1)), { field: 'record.reserved' });
    assert.throws(() => read(changed(15, 1)), { field: 'record.time' });
    assert.throws(() => read(changed(23, 1)), { field: 'record.seq' });
    assert.throws(() => [...readRecords(record, 'input')], /0x03 belongs to screen, found in input/);
  });

  test('noise ends in a FormatError or in records', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
        try {
          for (const record of read(noise)) assert.ok(streamOf(record.type));
        } catch (error) {
          assert.ok(error instanceof FormatError, String(error));
        }
      }),
    );
  });

  test('what cannot be written is refused', () => {
    const record = { type: RecordType.serverPdu, flags: 0, time: 0, seq: 0, body: new Uint8Array(0) };
    assert.throws(() => writeRecord({ ...record, time: -1 }), RangeError);
    assert.throws(() => writeRecord({ ...record, time: 0.5 }), RangeError);
    assert.throws(() => writeRecord({ ...record, seq: 2 ** 53 }), RangeError);
  });
});

suite('bodies', () => {
  const config: ConfigBody = {
    version: 1,
    session: '0190f3c8-0000-7000-8000-000000000001',
    startedAt: '2026-01-31T09:30:00.000Z',
    width: 1280,
    height: 800,
    depth: 32,
    codecs: { '1': 'nsc' },
    profile: 'bitmaps',
    versions: { lucid: '0.1.0' },
  };

  test('config and markers are read back', () => {
    assert.deepEqual(readConfigBody(writeJsonBody(config)), config);
    assert.deepEqual(readMarkerBody(writeJsonBody({ kind: 'gap', missing: 3 })), { kind: 'gap', missing: 3 });
  });

  test('what is wrong with them is named', () => {
    assert.throws(() => readConfigBody(writeJsonBody({ ...config, width: -1 })), { field: 'config.width' });
    assert.throws(() => readConfigBody(writeJsonBody({ ...config, height: 9000 })), { field: 'config.width' });
    assert.throws(() => readConfigBody(utf8('{"version":2}')), { field: 'config.version' });
    assert.throws(() => readConfigBody(utf8('[]')), /not a JSON object/);
    assert.throws(() => readConfigBody(Uint8Array.of(0xff)), /not valid UTF-8/);
    assert.throws(() => readMarkerBody(utf8('{"kind":"party"}')), { field: 'marker.kind' });
    assert.throws(() => readMarkerBody(new Uint8Array(1024 * 1024 + 1)), /at most/);
  });

  test('channel data is read back, and noise is not', () => {
    const chunk = { direction: 'client-to-server', channel: 'cliprdr', data: utf8('text') } as const;
    assert.deepEqual(readChannelBody(writeChannelBody(chunk)), chunk);
    assert.throws(() => writeChannelBody({ ...chunk, channel: '' }), RangeError);
    assert.throws(() => writeChannelBody({ ...chunk, channel: 'ä' }), RangeError);
    assert.throws(() => readChannelBody(Uint8Array.of(2, 1, 65)), { field: 'channel.direction' });
    assert.throws(() => readChannelBody(Uint8Array.of(0, 9, 65)), /truncated/);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (noise) => {
        try {
          assert.deepEqual(writeChannelBody(readChannelBody(noise)), Uint8Array.from(noise));
        } catch (error) {
          assert.ok(error instanceof FormatError, String(error));
        }
      }),
    );
  });
});
