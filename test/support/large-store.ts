/** Stores of many chunks, made quickly: right in every file, but what is in the chunks is noise and not encrypted. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chunkPath, entryPath, keyPath, LEAVES_PATH } from '#evidence/bundle-layout.ts';
import { type Entry, formatEntry } from '#evidence/entry.ts';
import { formatLeaf, hashLeaf, type Leaf } from '#evidence/leaf.ts';
import { MerkleTree } from '#evidence/merkle.ts';
import { generateIdentity } from '#evidence/node/age-keys.ts';
import { sha256 } from '#evidence/node/hash.ts';
import { createSessionKey } from '#evidence/node/session-keys.ts';
import type { NoteSigner } from '#evidence/node/signing.ts';
import { KEY_NAMES, STREAMS } from '#evidence/record.ts';
import { utf8 } from '#evidence/text.ts';
import { newId } from '#platform/id.ts';

const NOISE = randomBytes(1024 * 1024);
const TIME = '2026-01-31T09:30:00.000Z';
/** Chunks that one run brings, each followed by a partial entry: one of each stream. */
const A_RUN = STREAMS.length;

export interface LargeSession {
  /** Chunks, over all streams. */
  readonly chunks: number;
  /** Of each chunk. */
  readonly bytes: number;
}

/**
 * Makes a closed session in the folder `sessions`.
 * @returns its id
 */
export function makeLargeSession(sessions: string, signer: NoteSigner, { chunks, bytes }: LargeSession): string {
  const session = newId();
  const folder = join(sessions, session);
  for (const name of ['keys', 'partial', ...STREAMS]) mkdirSync(join(folder, name), { recursive: true });
  const write = (entry: Entry) => writeFileSync(join(folder, entryPath(entry)), signer.sign(formatEntry(entry)));
  const { recipient } = generateIdentity();
  const keys = KEY_NAMES.map((name) => {
    const { line, file } = createSessionKey(name, [recipient]);
    writeFileSync(join(folder, keyPath(name)), file);
    return line;
  });
  const own = { session, node: signer.key.name, time: TIME };
  const open: Entry = { kind: 'lucid/open/v1', ...own, server: newId(), policy: new Uint8Array(32), keys };
  write(open);

  const tree = new MerkleTree(sha256);
  const lines: string[] = [];
  const totals = STREAMS.map((stream) => ({ stream, chunks: 0, records: 0, recordBytes: 0, storedBytes: 0 }));
  let partials = 0;
  for (let i = 0; i < chunks; i++) {
    const total = totals[i % A_RUN];
    const leaf = writeChunk(folder, session, total.stream, total.chunks, bytes);
    total.chunks++;
    total.records++;
    total.recordBytes += bytes;
    total.storedBytes += bytes;
    tree.append(hashLeaf(sha256, leaf));
    lines.push(`${formatLeaf(leaf)}\n`);
    if ((i + 1) % A_RUN !== 0) continue;
    write({ kind: 'lucid/partial/v1', ...own, number: partials++, leaves: tree.size, root: tree.root() });
  }
  writeFileSync(join(folder, LEAVES_PATH), lines.join(''));
  write({
    kind: 'lucid/close/v1',
    ...own,
    open: sha256(utf8(formatEntry(open))),
    reason: 'left',
    durability: 'strict',
    partials,
    leaves: tree.size,
    root: tree.root(),
    records: chunks,
    gaps: 0,
    undecodable: { bytes: 0, of: 0 },
    streams: totals.filter((total) => total.chunks > 0),
  });
  return session;
}

function writeChunk(folder: string, session: string, stream: Leaf['stream'], index: number, bytes: number): Leaf {
  // Another beginning in each, so that none can be taken for another.
  const head = Buffer.from(`${session} ${stream} ${index}`.padEnd(Math.min(bytes, 64)).slice(0, bytes));
  const hash = createHash('sha256');
  const parts = [head];
  for (let left = bytes - head.length; left > 0; left -= NOISE.length) parts.push(NOISE.subarray(0, left));
  for (const part of parts) hash.update(part);
  const leaf: Leaf = {
    session,
    stream,
    index,
    encoding: 'zst',
    storedBytes: bytes,
    sha256: hash.digest(),
    firstTime: index * 1000,
    lastTime: index * 1000 + 999,
    records: 1,
  };
  writeFileSync(join(folder, chunkPath(leaf)), parts.length === 1 ? parts[0] : Buffer.concat(parts));
  return leaf;
}
