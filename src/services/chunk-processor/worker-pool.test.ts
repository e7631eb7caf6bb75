import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import { ServiceError } from '#contract/errors.ts';
import { decodeSealAnswer, encodeSealRequest } from '#contract/seal-message.ts';
import { generateIdentity } from '#evidence/node/age-keys.ts';
import { openChunk } from '#evidence/node/chunk.ts';
import { RecordType, writeRecord } from '#evidence/record.ts';
import { LevelChooser } from './level-chooser.ts';
import { WorkerPool } from './worker-pool.ts';

const identity = generateIdentity();
const head = {
  session_id: '019aa000-0000-7000-8000-000000000000',
  stream: 'input' as const,
  recipient: identity.recipient,
  next_index: { screen: 0, keyframes: 0 },
  stored_bytes: { all: 0, keyframes: 0 },
  activity: [],
};

/** An input run of so many records. */
const run = (count: number) =>
  Array.from({ length: count }, (_, seq) =>
    writeRecord({ type: RecordType.clientPdu, flags: 0, time: seq, seq, body: Uint8Array.of(0x44, 4, 0, seq & 0xff) }),
  );
const request = (count: number) => encodeSealRequest(head, new Uint8Array(0), run(count));

/** A pool whose threads run `program`, which may do something to the job before the real one serves it. */
function pool(options: { workers?: number; queueLimit?: number; before?: string } = {}) {
  const worker = new URL('./worker.ts', import.meta.url);
  const program = `
    const { parentPort } = await import('node:worker_threads');
    const on = parentPort.on.bind(parentPort);
    parentPort.on = (event, listener) => on(event, (job) => { ${options.before ?? ''} listener(job); });
    await import(${JSON.stringify(worker.href)});`;
  return new WorkerPool({
    workers: options.workers ?? 1,
    queueLimit: options.queueLimit ?? 10,
    queueBytes: 1e9,
    levels: new LevelChooser(1, 3),
    log: pino({ level: 'silent' }),
    ...(options.before && { program: new URL(`data:text/javascript,${encodeURIComponent(program)}`) }),
  });
}

test('a run comes back as a chunk that the key opens', async () => {
  const threads = pool();
  const { head: answer, chunks } = decodeSealAnswer(await threads.seal(request(500)));
  assert.equal(answer.chunks.length, 1);
  const [{ compression, records, first_us, last_us, plain_bytes }] = answer.chunks;
  assert.deepEqual([records, first_us, last_us], [500, 0, 499]);
  assert.deepEqual(openChunk(chunks[0], compression, identity), Buffer.concat(run(500)));
  const { sealed_runs, sealed_chunks, raw_chunks, levels, threads: alive, ...status } = threads.status;
  assert.deepEqual([sealed_runs, sealed_chunks, raw_chunks], [1, 1, 0]);
  assert.deepEqual([status.plain_bytes, status.stored_bytes], [plain_bytes, chunks[0].length]);
  assert.deepEqual([status.ratio, status.worker_crashes], [plain_bytes / chunks[0].length, 0]);
  assert.deepEqual([alive.length, alive[0].runs, alive[0].busy], [1, 1, false]);
  assert.equal(levels.length, 1);
  await threads.close(1000);
});

test('a thread that dies in mid-run is replaced, and its run is sealed all the same', async () => {
  const threads = pool({ before: 'if (job.attempt === 1) process.exit(3);' });
  const answer = decodeSealAnswer(await threads.seal(request(20)));
  assert.equal(answer.head.chunks[0].records, 20);
  assert.equal(threads.statistics.crashes, 1);
  await threads.close(1000);
});

test('a run that brings every thread down is given up, and the next one is served', async () => {
  const threads = pool({ before: 'if (job.requests[0].length > 5000) throw new Error("no");' });
  const [large, small] = await Promise.allSettled([threads.seal(request(1000)), threads.seal(request(5))]);
  assert.ok(large.status === 'rejected' && large.reason instanceof ServiceError);
  assert.match(large.reason.message, /could not be sealed: no/);
  assert.equal(threads.trouble, null, 'forgotten once a run was sealed');
  assert.equal(small.status, 'fulfilled');
  assert.equal(threads.statistics.crashes, 3);
  await threads.close(1000);
});

test('a run that does not hold together is refused in words', async () => {
  const threads = pool();
  const broken = encodeSealRequest(head, new Uint8Array(0), [run(1)[0].subarray(0, 20)]);
  await assert.rejects(threads.seal(broken), /record.header: 20 bytes left/);
  await threads.close(1000);
});

test('a full queue sends away', async () => {
  const threads = pool({ queueLimit: 2 });
  const runs = [1, 2, 3, 4].map((count) => threads.seal(request(count)));
  const results = await Promise.allSettled(runs);
  assert.deepEqual(
    results.map(({ status }) => status),
    ['fulfilled', 'fulfilled', 'rejected', 'rejected'],
  );
  assert.match(String((results[2] as PromiseRejectedResult).reason), /2 runs wait to be sealed already/);
  await threads.close(1000);
  await assert.rejects(threads.seal(request(1)), /stops/);
});

test('small runs that come together are one job, and each is answered for itself', async () => {
  const threads = pool({ queueLimit: 100 });
  const broken = encodeSealRequest(head, new Uint8Array(0), [run(1)[0].subarray(0, 20)]);
  const requests = [...Array.from({ length: 40 }, (_, i) => request(i + 1)), broken];
  const results = await Promise.allSettled(requests.map((request) => threads.seal(request)));
  for (const [i, result] of results.slice(0, 40).entries()) {
    assert.ok(result.status === 'fulfilled');
    assert.equal(decodeSealAnswer(result.value).head.chunks[0].records, i + 1);
  }
  assert.equal(results[40].status, 'rejected');
  assert.deepEqual([threads.status.jobs, threads.status.sealed_runs], [1, 40]);
  await threads.close(1000);
});

test('of runs that shared a job that died, each is tried by itself', async () => {
  const threads = pool({ queueLimit: 100, before: 'if (job.requests.length > 1) process.exit(3);' });
  const results = await Promise.all([1, 2, 3].map((count) => threads.seal(request(count))));
  assert.deepEqual(
    results.map((answer) => decodeSealAnswer(answer).head.chunks[0].records),
    [1, 2, 3],
  );
  assert.deepEqual([threads.status.jobs, threads.status.worker_crashes], [4, 1]);
  await threads.close(1000);
});
