/**
 * Claim: with 100,000 chunks a store starts, answers, and gives out bundles and backups as with few, in memory that does
 * not grow with their number.
 * Floors, measured in the same run on the same files: the tar program for bundles and backups, sha256sum for checks.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { createSigner } from '#evidence/node/signing.ts';
import { openDatabase } from '#platform/database.ts';
import { backUpStore } from '#services/session-storage/backup.ts';
import { Bundle } from '#services/session-storage/bundle/bundle.ts';
import { checkSession } from '#services/session-storage/check-session.ts';
import { listChunks, readChunk } from '#services/session-storage/chunks.ts';
import { migrations, type Tables } from '#services/session-storage/database.ts';
import { EvidenceStore } from '#services/session-storage/evidence-store.ts';
import { SessionIndex } from '#services/session-storage/session-index.ts';
import { makeLargeSession } from '../test/support/large-store.ts';
import { printResult, quantile, type Row } from './support/result.ts';

const SHORT = process.argv.includes('--short');
const SIZES = SHORT ? { sessions: 8, chunks: 100, large: 1000 } : { sessions: 80, chunks: 1000, large: 20_000 };
const CHUNK_BYTES = 1000;
const HEAVY = { chunks: SHORT ? 2 : 16, bytes: 32 * 1024 * 1024 };
const NONE: ReadonlySet<string> = new Set();
const MIB = 1024 * 1024;

const root = mkdtempSync(join(tmpdir(), 'lucid-bench-storage-'));
const sessions = join(root, 'store', 'sessions');
mkdirSync(sessions, { recursive: true });
const rows: Row[] = [];

/** Times work, and watches how much memory it takes beyond what was taken before. */
async function measure(what: string, work: () => Promise<{ files?: number; bytes?: number }>): Promise<void> {
  globalThis.gc?.();
  const before = process.memoryUsage.rss();
  let peak = before;
  const watch = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss());
  }, 10);
  const start = performance.now();
  const { files, bytes } = await work();
  const seconds = (performance.now() - start) / 1000;
  clearInterval(watch);
  peak = Math.max(peak, process.memoryUsage.rss());
  rows.push({
    what,
    ms: Math.round(seconds * 10_000) / 10,
    'files/s': files === undefined ? '' : Math.round(files / seconds),
    'MB/s': bytes === undefined ? '' : Math.round(bytes / seconds / 1e5) / 10,
    'memory MiB': Math.round((peak - before) / MIB),
  });
}

/** A program's time on the same files. */
function floor(what: string, command: string, size: { files?: number; bytes?: number }): Promise<void> {
  return measure(what, async () => {
    execFileSync('bash', ['-c', command], { cwd: sessions, stdio: 'ignore' });
    return size;
  });
}

async function drain(pieces: AsyncIterable<Uint8Array>): Promise<number> {
  let bytes = 0;
  for await (const piece of pieces) bytes += piece.length;
  return bytes;
}

async function openStore() {
  const database = await openDatabase<Tables>(join(root, 'store', 'index.sqlite'), migrations);
  const index = new SessionIndex(database);
  const store = new EvidenceStore(sessions, null, index);
  await store.reconcile(pino({ level: 'silent' }));
  return { store, index, close: () => database.destroy() };
}

try {
  const signer = createSigner(join(root, 'node.pem'), 'bench/node');
  for (let i = 0; i < SIZES.sessions; i++)
    makeLargeSession(sessions, signer, { chunks: SIZES.chunks, bytes: CHUNK_BYTES });
  const large = makeLargeSession(sessions, signer, { chunks: SIZES.large, bytes: CHUNK_BYTES });
  const heavy = makeLargeSession(sessions, signer, HEAVY);
  const chunks = SIZES.sessions * SIZES.chunks + SIZES.large + HEAVY.chunks;

  await measure(`first start, ${chunks} chunks, no index`, async () => {
    await (await openStore()).close();
    return {};
  });
  let opened = await openStore();
  await opened.close();
  await measure('start', async () => {
    opened = await openStore();
    return {};
  });
  const { store, index } = opened;
  const place = store.place(large);
  const totals = await index.totals();
  if (totals.chunks !== chunks) throw new Error(`${totals.chunks} chunks in the index, ${chunks} were made`);

  await measure('totals of the store', async () => {
    await index.totals();
    return {};
  });
  await measure('50 sessions', async () => {
    await index.list({ limit: 50 });
    return {};
  });
  let cursor: string | undefined;
  const pages: number[] = [];
  do {
    const start = performance.now();
    const page = await listChunks(place, { limit: 500, cursor });
    pages.push(performance.now() - start);
    cursor = page.next_cursor ?? undefined;
  } while (cursor);
  rows.push({ what: 'page of 500 chunks, p50 of all pages', ms: quantile(pages, 0.5) });
  rows.push({ what: 'the last page', ms: pages[pages.length - 1] });
  await measure('last chunk of the large session', async () => {
    const stream = await readChunk(place, 'screen', Math.ceil(SIZES.large / 5) - 1);
    return { bytes: await drain(stream) };
  });

  for (const format of ['tar', 'zip'] as const) {
    const bundle = await Bundle.open(place, format, NONE);
    let length = 0;
    await measure(`length of the ${format} of ${SIZES.large} chunks`, async () => {
      length = await bundle.length();
      return {};
    });
    await measure(`first byte of it`, async () => {
      await bundle.read().next();
      return {};
    });
    await measure(`all of it`, async () => ({ files: SIZES.large, bytes: await drain(bundle.read()) }));
    await measure(`its last MiB`, async () => ({ bytes: await drain(bundle.read(Math.max(0, length - MIB))) }));
  }
  await floor(`tar program`, `tar -cf - ${large} | cat`, { files: SIZES.large, bytes: SIZES.large * CHUNK_BYTES });
  const heavyBytes = HEAVY.chunks * HEAVY.bytes;
  await measure(`tar of ${HEAVY.chunks} chunks of 32 MiB`, async () => {
    return { bytes: await drain((await Bundle.open(store.place(heavy), 'tar', NONE)).read()) };
  });
  await floor('tar program', `tar -cf - ${heavy} | cat`, { bytes: heavyBytes });
  const all = { files: chunks, bytes: totals.stored_bytes };
  await measure('backup of the store', async () => ({ files: chunks, bytes: await drain(backUpStore(store)) }));
  await floor('tar program', `tar -cf - . | cat`, all);
  await measure('check of the store', async () => {
    let wrong = 0;
    for (let next = await index.firstFrom(''); next; next = await index.firstFrom(`${next.session_id}\u0000`)) {
      for await (const { problem } of checkSession(store.place(next.session_id))) if (problem) wrong++;
    }
    if (wrong > 0) throw new Error(`${wrong} files are not as they were made`);
    return all;
  });
  await floor('sha256sum', `find . -type f -print0 | xargs -0 sha256sum`, all);
  await opened.close();
  printResult('storage', rows);
} finally {
  rmSync(root, { recursive: true, force: true });
}
