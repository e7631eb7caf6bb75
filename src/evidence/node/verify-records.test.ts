import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import fc from 'fast-check';
import { readIndex, writeIndex } from '#evidence/index-record.ts';
import { readKeyframe, writeKeyframe } from '#evidence/keyframe.ts';
import { type SessionRecord, type Stream, writeRecord } from '#evidence/record.ts';
import { utf8 } from '#evidence/text.ts';
import { player, type RecordOptions, recordSession } from '../../../test/support/recorded-session.ts';
import { type BundleSource, openBundleSource } from './bundle-source.ts';
import { exportBundle } from './bundle-writer.ts';
import { verifyBundle } from './verify.ts';

const folder = mkdtempSync(join(tmpdir(), 'lucid-records-'));
after(() => rmSync(folder, { recursive: true }));
let count = 0;

/** Records a session as a lying recorder would and verifies it with the auditor's identity: what is found. */
function forged(forge: NonNullable<RecordOptions['forge']>): string[] {
  const session = recordSession(folder, { runs: 2, forge });
  const bundle = join(folder, `bundle-${count++}`);
  exportBundle(session.folder, bundle);
  const source = openBundleSource(bundle);
  const steps = verifyBundle(source, { nodeKeys: [session.signer.key], identities: [session.auditor], player });
  let step = steps.next();
  while (!step.done) step = steps.next();
  source.close();
  return step.value.checks.flatMap(({ name, problems }) =>
    problems.map(({ where, what }) => `${name}: ${where}: ${what}`),
  );
}

/** Changes the records of one stream's run 1; all others stay. */
function change(stream: Stream, edit: (records: SessionRecord[]) => SessionRecord[]): string[] {
  return forged((of, index, records) =>
    Buffer.concat((of === stream && index === 1 ? edit([...records]) : records).map(writeRecord)),
  );
}

const editBody = (at: number, edit: (body: Uint8Array) => Uint8Array) => (records: SessionRecord[]) =>
  records.map((record, i) => (i === at ? { ...record, body: edit(record.body.slice()) } : record));

suite('a recorder that lies is found out, though its signatures are right', () => {
  test('not when it does not lie', () => {
    assert.deepEqual(
      change('screen', (records) => records),
      [],
    );
  });

  test('a record left out', () => {
    const found = change('screen', (records) => records.toSpliced(3, 1)).join('\n');
    assert.match(found, /screen\/000001\.age: leaf\.records: 11, the chunk has 10/);
  });

  test('a record left out of one stream and another put into a second', () => {
    const found = change('channels', (records) => [...records.slice(0, 9), { ...records[9], seq: records[9].seq + 1 }]);
    assert.match(found.join('\n'), /channels\/000001\.age byte \d+: seq 61 follows 59: records are missing/);
  });

  test('a PDU changed: the next keyframe tells', () => {
    const found = change(
      'screen',
      editBody(5, (body) => body.fill(0x55, body.length - 16)),
    );
    assert.match(
      found.join('\n'),
      /replay: keyframes\/000001\.age byte 0: pixels at seq \d+ hash to .* the replay's to/,
    );
  });

  test('a receipt changed', () => {
    const found = change(
      'keyframes',
      editBody(0, (body) => writeKeyframe({ ...readKeyframe(body), sha256: new Uint8Array(32) })),
    );
    assert.match(found.join('\n'), /replay: keyframes\/000001\.age byte 0: pixels at seq/);
  });

  test('a picture in the keyframe that is not what was replayed', () => {
    let first: Uint8Array = new Uint8Array();
    const found = forged((stream, index, records) => {
      if (stream === 'keyframes' && index === 0) first = readKeyframe(records[0].body).png;
      const edit = editBody(0, (body) => writeKeyframe({ ...readKeyframe(body), png: first }));
      return Buffer.concat((stream === 'keyframes' && index === 1 ? edit(records) : records).map(writeRecord));
    });
    assert.match(found.join('\n'), /replay: keyframes\/000001\.age byte 0: its PNG shows other pixels/);
  });

  test('an index that points elsewhere', () => {
    for (const field of ['seq', 'chunk', 'offset', 'screenChunk', 'screenOffset'] as const) {
      const found = change(
        'index',
        editBody(0, (body) => {
          const index = readIndex(body);
          return writeIndex({ ...index, keyframes: index.keyframes.map((at) => ({ ...at, [field]: at[field] + 1 })) });
        }),
      );
      assert.match(found.join('\n'), /replay: index\/000001\.age byte 0: index\.keyframes: /, field);
    }
  });

  test('a config that wants a desktop that cannot be', () => {
    const found = forged((stream, index, records) => {
      const body = utf8(JSON.stringify({ version: 1, session: '', startedAt: '', profile: '', width: 1e9, height: 1 }));
      const edited = stream === 'screen' && index === 0 ? [{ ...records[0], body }, ...records.slice(1)] : records;
      return Buffer.concat(edited.map(writeRecord));
    });
    assert.match(found.join('\n'), /screen\/000000\.age byte 0: config\.width: 1000000000 × 1/);
  });

  test('a repetition that is not what it repeats', () => {
    const other = change(
      'screen',
      editBody(0, (body) => utf8(Buffer.from(body).toString().replace('bitmaps', 'bitmany'))),
    );
    assert.match(other.join('\n'), /screen\/000001\.age byte 0: is no copy of record 0/);
    const unknown = change('screen', ([config, ...records]) => [{ ...config, seq: 1 }, ...records]);
    assert.match(unknown.join('\n'), /screen\/000001\.age byte 0: is no copy of record 1/);
    const pdu = change('screen', ([config, first, ...records]) => [config, { ...first, flags: 1 }, ...records]);
    assert.match(pdu.join('\n'), /screen\/000001\.age: run: record at byte \d+: only config records are repeated/);
  });

  test('noise in the place of records, bodies or parts of them ends in a report', () => {
    fc.assert(
      fc.property(
        fc.constantFrom<Stream>('screen', 'input', 'channels', 'keyframes', 'index'),
        fc.uint8Array({ minLength: 1, maxLength: 60 }),
        fc.nat(),
        fc.boolean(),
        (stream, noise, at, whole) => {
          const found = forged((of, index, records) => {
            const run = Buffer.concat(records.map(writeRecord));
            if (of !== stream || index !== 1) return run;
            if (whole) return noise;
            run.set(noise.subarray(0, run.length - (at % run.length)), at % run.length);
            return run;
          });
          assert.ok(Array.isArray(found));
        },
      ),
      { numRuns: 20 },
    );
  });
});

test('a bundle whose files are noise ends in a report', () => {
  const session = recordSession(folder, { runs: 1 });
  const bundle = join(folder, 'noise');
  exportBundle(session.folder, bundle);
  const source = openBundleSource(bundle);
  fc.assert(
    fc.property(fc.constantFrom(...source.paths), fc.nat(), fc.uint8Array({ maxLength: 40 }), (path, at, noise) => {
      const bytes = readFileSync(join(bundle, path));
      const start = at % (bytes.length + 1);
      const changed = Buffer.concat([bytes.subarray(0, start), noise, bytes.subarray(start + noise.length)]);
      const other: BundleSource = {
        paths: source.paths,
        has: (of) => source.has(of),
        size: (of) => (of === path ? changed.length : source.size(of)),
        read: (of, limit) => (of === path ? changed : source.read(of, limit)),
        *pieces(of) {
          if (of === path) yield changed;
          else yield* source.pieces(of);
        },
        close: () => {},
      };
      const steps = verifyBundle(other, { nodeKeys: [session.signer.key], identities: [session.auditor], player });
      let step = steps.next();
      while (!step.done) step = steps.next();
      assert.equal(step.value.verdict === 'verified', changed.equals(bytes), path);
    }),
    { numRuns: 200 },
  );
});
