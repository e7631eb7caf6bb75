/**
 * A store that takes chunks on a disk that is full, slow or failing: what `store-failing-disk.test.ts` runs in a process of
 * its own. `node store-child.ts <folder> <session> <work> [<number>]`; prints what came of it as JSON.
 */
import { createHash } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { ServiceError } from '#contract/errors.ts';
import { Capacity } from '#services/session-storage/capacity.ts';
import { checkSession } from '#services/session-storage/check-session.ts';
import { SessionFiles } from '#services/session-storage/session-files.ts';
import { openStore } from './store.ts';

const CHUNK_BYTES = 256 * 1024;
const BALLAST_BYTES = 1024 * 1024;

const [folder, session, work, count = '0'] = process.argv.slice(2);

function chunkOf(index: number) {
  const bytes = Buffer.alloc(CHUNK_BYTES, index);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const chunk = {
    stream: 'screen' as const,
    index,
    compression: 'raw' as const,
    sha256,
    first_us: 0,
    last_us: 1,
    records: 1,
  };
  return { chunk, bytes };
}

async function problemsOf(place: Parameters<typeof checkSession>[0]): Promise<string[]> {
  const problems: string[] = [];
  // Nobody has opened this session with an entry.
  for await (const { path, problem } of checkSession(place)) {
    if (problem && path !== 'open.note') problems.push(`${path}: ${problem.kind}: ${problem.what}`);
  }
  return problems;
}

const { store, index, close } = await openStore(folder);
const capacity = new Capacity(folder, { lowBytes: 0, floorBytes: 0, quotaBytes: 0 }, index);

/** Stores chunks from what there is up to `last`, and stops at the first that fails. */
async function putUpTo(files: SessionFiles, last: number) {
  const times: number[] = [];
  for (let index = files.leaves; index <= last; index++) {
    const { chunk, bytes } = chunkOf(index);
    const start = performance.now();
    try {
      await capacity.writing(() => files.putChunk(chunk, bytes));
    } catch (error) {
      const told = error instanceof ServiceError ? error : new Error(String(error));
      return {
        stored: files.leaves,
        error: { code: (told as ServiceError).code ?? 'none', message: told.message },
        times,
      };
    }
    times.push(performance.now() - start);
  }
  return { stored: files.leaves, error: null, times };
}

async function fill() {
  const ballast = join(folder, 'ballast');
  writeFileSync(ballast, Buffer.alloc(BALLAST_BYTES));
  await store.create(session);
  const files = await store.session(session);
  const full = await putUpTo(files, 1000);
  const health = await capacity.check();
  const refusals = await capacity.refusals();
  rmSync(ballast);
  const after = await putUpTo(files, full.stored);
  return { full, health, refusals, after, healthAfter: await capacity.check() };
}

async function put() {
  await store.create(session);
  const files = await store.session(session);
  const delays = monitorEventLoopDelay({ resolution: 5 });
  delays.enable();
  const result = await putUpTo(files, Number(count) - 1);
  delays.disable();
  return { ...result, health: await capacity.check(), blockedMs: delays.percentile(50) / 1e6 };
}

const result = work === 'fill' ? await fill() : work === 'put' ? await put() : {};
const reopened = await SessionFiles.open(session, store.place(session).home);
process.stdout.write(
  JSON.stringify({ ...result, leaves: reopened.leaves, problems: await problemsOf(store.place(session)) }),
);
await close();
