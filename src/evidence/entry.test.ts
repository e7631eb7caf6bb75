import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { type CloseEntry, type Entry, formatEntry, type OpenEntry, type PartialEntry, parseEntry } from './entry.ts';
import { FormatError } from './format-error.ts';

const RECIPIENT = 'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p';
const head = {
  session: '0190f3c8-0000-7000-8000-000000000001',
  node: 'lucid.example/node',
  time: '2026-01-31T09:30:00.000Z',
};
const open: OpenEntry = {
  kind: 'lucid/open/v1',
  ...head,
  server: '0190f3c8-0000-7000-8000-000000000002',
  policy: new Uint8Array(32).fill(1),
  keys: [
    { name: 'screen', publicKey: RECIPIENT, file: new Uint8Array(32).fill(2), recipients: [RECIPIENT, RECIPIENT] },
    { name: 'input', publicKey: RECIPIENT, file: new Uint8Array(32).fill(3), recipients: [RECIPIENT] },
  ],
  checkpoint: { origin: 'lucid/0190f3c8', size: 7, root: new Uint8Array(32).fill(4) },
  block: { chain: 1, number: 22_000_000, hash: new Uint8Array(32).fill(5) },
};
const partial: PartialEntry = {
  kind: 'lucid/partial/v1',
  ...head,
  number: 3,
  leaves: 12,
  root: new Uint8Array(32).fill(6),
};
const close: CloseEntry = {
  kind: 'lucid/close/v1',
  ...head,
  open: new Uint8Array(32).fill(7),
  reason: 'idle-limit',
  durability: 'strict',
  partials: 4,
  leaves: 13,
  root: new Uint8Array(32).fill(8),
  records: 1000,
  gaps: 1,
  undecodable: { bytes: 10, of: 100_000 },
  streams: [{ stream: 'screen', chunks: 13, records: 1001, recordBytes: 2000, storedBytes: 1500 }],
};
const ENTRIES: Entry[] = [open, { ...open, checkpoint: undefined, block: undefined } as OpenEntry, partial, close];

suite('entries', () => {
  test('are read back', () => {
    for (const entry of ENTRIES) {
      assert.equal(formatEntry(parseEntry(formatEntry(entry))), formatEntry(entry));
      assert.deepEqual(parseEntry(formatEntry(entry)), JSON.parse(JSON.stringify(entry), revive));
    }
  });

  test('a partial entry is these lines', () => {
    assert.equal(
      formatEntry(partial),
      `lucid/partial/v1
session 0190f3c8-0000-7000-8000-000000000001
node lucid.example/node
time 2026-01-31T09:30:00.000Z
partial 3
leaves 12
root ${'06'.repeat(32)}
`,
    );
  });

  test('have one spelling', () => {
    for (const entry of ENTRIES) {
      const text = formatEntry(entry);
      for (let i = 0; i <= text.length; i++) {
        for (const added of [' ', '\n', '0']) {
          const changed = text.slice(0, i) + added + text.slice(i);
          // A digit may make another number or name: then that is what it says.
          if (added !== '0') assert.throws(() => parseEntry(changed), FormatError, JSON.stringify(changed));
          else assertOneSpelling(changed);
        }
        assertOneSpelling(text.slice(0, i));
      }
    }
  });

  test('what is wrong is named', () => {
    const wrong: [Entry, string, string, string][] = [
      [open, 'lucid/open/v1', 'lucid/open/v2', 'entry'],
      [open, 'session 0190', 'session 019g', 'entry.session'],
      [open, 'T09:30', 'T25:30', 'entry.time'],
      [open, 'key screen', 'key sound', 'entry.key'],
      [open, 'key input', 'key screen', 'entry.recipient'],
      [open, 'recipient input', 'recipient channels', 'entry.recipient'],
      [open, `recipient input ${RECIPIENT}\n`, '', 'entry.recipient'],
      [partial, 'leaves 12', 'leaves 012', 'entry.leaves'],
      [partial, 'leaves 12', 'leaves 1000001', 'entry.leaves'],
      [close, 'strict', 'lax', 'entry.durability'],
      [close, 'idle-limit', 'Idle', 'entry.reason'],
      [close, 'stream screen', 'stream sound', 'entry.stream'],
      [close, 'gaps 1', 'gaps one', 'entry.gaps'],
    ];
    for (const [entry, from, to, field] of wrong) {
      assert.throws(() => parseEntry(formatEntry(entry).replace(from, to)), { field }, `${from} → ${to}`);
    }
  });

  test('noise is no entry', () => {
    fc.assert(
      fc.property(fc.constantFrom(...ENTRIES), fc.string({ unit: 'binary' }), fc.nat(), (entry, noise, at) => {
        assert.throws(() => parseEntry(noise), FormatError);
        const text = formatEntry(entry);
        const lines = text.split('\n');
        lines.splice(at % lines.length, 1, noise);
        assertOneSpelling(lines.join('\n'));
      }),
    );
  });
});

/** Either the text is no entry, or it is the spelling of what it says. */
function assertOneSpelling(text: string): void {
  try {
    assert.equal(formatEntry(parseEntry(text)), text);
  } catch (error) {
    assert.ok(error instanceof FormatError, String(error));
  }
}

/** Makes byte arrays of what JSON made of them. */
function revive(_key: string, value: unknown): unknown {
  const isBytes = typeof value === 'object' && value !== null && '31' in value;
  return isBytes ? Uint8Array.from(Object.values(value)) : value;
}
