import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { suite, test } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { FormatError } from '#evidence/format-error.ts';
import { FLAG_REPEATED, RecordType, type SessionRecord, writeRecord } from '#evidence/record.ts';
import { utf8 } from '#evidence/text.ts';
import { openBytes, sealBytes } from './age.ts';
import { formatIdentity, generateIdentity, parseIdentityFile } from './age-keys.ts';
import { openChunk, sealChunk } from './chunk.ts';
import { sha256 } from './hash.ts';
import { summarizeRun } from './run.ts';
import { createSessionKey, openSessionKey } from './session-keys.ts';

const identity = generateIdentity();
const record = (seq: number, body: Uint8Array, change: Partial<SessionRecord> = {}) =>
  writeRecord({ type: RecordType.clientPdu, flags: 0, time: seq * 1000, seq, body, ...change });
const run = (...records: Uint8Array[]) => Buffer.concat(records);

suite('chunks', () => {
  const text = run(...Array.from({ length: 200 }, (_, i) => record(i + 5, utf8('the same words again and again'))));
  const noise = run(record(1, randomBytes(100_000)));

  test('are compressed when it pays, and opened again', () => {
    for (const [records, encoding] of [
      [text, 'zst'],
      [noise, 'raw'],
    ] as const) {
      const sealed = sealChunk({ stream: 'input', records, recipient: identity.recipient });
      const stored = sealed.bytes;
      assert.equal(sealed.encoding, encoding);
      assert.deepEqual(sealed.sha256, sha256(stored));
      assert.deepEqual(openChunk(stored, encoding, identity), records);
    }
  });

  test('the summary is what the leaf says', () => {
    const { summary } = sealChunk({ stream: 'input', records: text, recipient: identity.recipient });
    assert.deepEqual(summary, { firstTime: 5000, lastTime: 204_000, firstSeq: 5, lastSeq: 204, records: 200 });
  });

  test('another encoding than the told one is refused', () => {
    const sealed = sealChunk({ stream: 'input', records: noise, recipient: identity.recipient });
    assert.throws(() => openChunk(sealed.bytes, 'zst', identity), { field: 'zstd' });
  });

  test('unencrypted bytes, and those for others, are refused', () => {
    assert.throws(() => openChunk(text, 'raw', identity), { field: 'age.header' });
    const stranger = generateIdentity();
    assert.throws(() => openChunk(sealBytes(text, [stranger.recipient]), 'raw', identity), { field: 'age.identity' });
  });

  test('what would fill the memory is refused', () => {
    const bomb = zstdCompressSync(Buffer.alloc(200 * 1024 * 1024));
    assert.throws(() => openChunk(sealBytes(bomb, [identity.recipient]), 'zst', identity), { field: 'zstd' });
  });

  test('compressed noise is refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const stored = sealBytes(bytes, [identity.recipient]);
        assert.throws(() => openChunk(stored, 'zst', identity), FormatError);
      }),
      { numRuns: 30 },
    );
  });
});

suite('runs', () => {
  const body = utf8('x');

  test('are refused when they do not hold together', () => {
    const config = { type: RecordType.config } as const;
    const wrong: [Parameters<typeof summarizeRun>[1], Buffer, RegExp][] = [
      ['input', run(), /no record of its own/],
      ['screen', run(record(1, body, { ...config, flags: FLAG_REPEATED })), /no record of its own/],
      ['screen', run(record(1, body, config), record(2, body, { ...config, flags: FLAG_REPEATED })), /at the head/],
      ['input', run(record(1, body, { flags: FLAG_REPEATED })), /only config records are repeated/],
      ['input', run(record(2, body), record(1, body)), /its time goes back/],
      ['input', run(record(2, body), record(2, body)), /seq 2 after 2/],
      ['screen', run(record(1, body)), /belongs to input, found in screen/],
      ['screen', run(record(1, body, { type: RecordType.serverPdu })), /begins with a config/],
      ['screen', run(record(1, body, config)).subarray(0, 24), /truncated/],
    ];
    for (const [stream, records, message] of wrong) assert.throws(() => summarizeRun(records, stream), message);
  });

  test('of derived streams may hold several records of one seq', () => {
    const keyframe = record(7, body, { type: RecordType.keyframe });
    assert.equal(summarizeRun(run(keyframe, keyframe), 'keyframes').records, 2);
  });
});

suite('session keys', () => {
  const [auditor, stranger] = [generateIdentity(), generateIdentity()];
  const { line, file } = createSessionKey('screen', [auditor.recipient]);

  test('open for recipients alone', () => {
    assert.equal(openSessionKey(file, line, [stranger, auditor])?.recipient, line.publicKey);
    assert.equal(openSessionKey(file, line, [stranger]), null);
  });

  test('the file is what the age program takes as an identity', () => {
    const [key] = parseIdentityFile(openBytes(file, [auditor]).toString());
    assert.equal(key.recipient, line.publicKey);
  });

  test('another key than the named one is refused', () => {
    const other = sealBytes(Buffer.from(`${formatIdentity(stranger)}\n`), [auditor.recipient]);
    assert.throws(() => openSessionKey(other, line, [auditor]), /keys\/screen\.age: holds the key of/);
    const words = sealBytes(Buffer.from('no key\n'), [auditor.recipient]);
    assert.throws(() => openSessionKey(words, line, [auditor]), FormatError);
  });
});
