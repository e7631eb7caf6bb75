import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ServiceError } from '#contract/errors.ts';
import type { Peers } from '#contract/index.ts';
import { openStore, recordStore, silent } from '../../../test/support/store.ts';
import { Capacity, type CapacitySettings } from './capacity.ts';
import { writeDurably } from './durable-write.ts';
import { SessionQuota } from './session-quota.ts';

const root = mkdtempSync(join(tmpdir(), 'lucid-capacity-'));
after(() => rmSync(root, { recursive: true }));
const MORE_THAN_ANY = 2 ** 52;

async function withCapacity(
  changes: Partial<CapacitySettings>,
  body: (capacity: Capacity, folder: string) => Promise<void>,
) {
  const { folder } = recordStore(root, 1);
  const { index, close } = await openStore(folder);
  await body(new Capacity(folder, { lowBytes: 0, floorBytes: 0, quotaBytes: 0, ...changes }, index), folder);
  await close();
}

test('with room enough the store is healthy, and says how much', async () => {
  await withCapacity({}, async (capacity) => {
    assert.deepEqual(await capacity.refusals(), []);
    const { status, detail } = await capacity.check();
    assert.equal(status, 'healthy');
    assert.match(detail!, /^\d+ of \d+ bytes free$/);
  });
});

test('below the first limit health is degraded, below the second new sessions are refused', async () => {
  await withCapacity({ lowBytes: MORE_THAN_ANY }, async (capacity) => {
    assert.deepEqual(await capacity.refusals(), []);
    await capacity.checkNewSession();
    const { status, detail } = await capacity.check();
    assert.equal(status, 'degraded');
    assert.match(detail!, /bytes free, less than 4503599627370496 \(LUCID_STORAGE_LOW_BYTES\)/);
  });
  await withCapacity({ floorBytes: MORE_THAN_ANY }, async (capacity) => {
    await assert.rejects(capacity.checkNewSession(), { code: 'storage_full', message: /below the floor/ });
    assert.equal((await capacity.check()).status, 'degraded');
  });
});

test('a store that has reached its quota refuses new sessions', async () => {
  await withCapacity({ quotaBytes: 100 }, async (capacity) => {
    await assert.rejects(capacity.checkNewSession(), { code: 'storage_full', message: /of its quota of 100/ });
    assert.equal((await capacity.check()).status, 'degraded');
  });
});

test('a write that failed makes health unhealthy until a later one succeeds', async () => {
  await withCapacity({}, async (capacity, folder) => {
    writeFileSync(join(folder, 'file'), '');
    await assert.rejects(capacity.writing(() => writeDurably(join(folder, 'file', 'x'), new Uint8Array(1))));
    assert.equal((await capacity.check()).status, 'unhealthy');
    assert.equal((await capacity.refusals()).length, 1);
    await assert.rejects(capacity.writing(() => Promise.reject(new ServiceError('conflict', 'not the disk'))));
    assert.equal((await capacity.check()).status, 'unhealthy');
    await capacity.writing(async () => {});
    assert.equal((await capacity.check()).status, 'healthy');
  });
});

test('a session beyond its quota is told to end once, and again if nobody heard it', async () => {
  const told: string[] = [];
  let answer: () => Promise<never> = async () => ({}) as never;
  const pipeline = {
    endSession: ({ params, body }: { params: { id: string }; body: { reason: string } }) => {
      told.push(`${params.id}: ${body.reason}`);
      return answer();
    },
  } as Pick<Peers['session-pipeline'], 'endSession'>;
  const quota = new SessionQuota(1000, pipeline, silent);
  quota.grown('a', 999);
  quota.grown('a', 1000);
  quota.grown('a', 2000);
  assert.deepEqual(told, ['a: the recording has reached its quota of 1000 bytes']);
  answer = () => Promise.reject(new ServiceError('unavailable', 'nobody there'));
  quota.grown('b', 1000);
  await new Promise(setImmediate);
  answer = () => Promise.reject(new ServiceError('wrong_state', 'it is ending already'));
  quota.grown('b', 1001);
  await new Promise(setImmediate);
  quota.grown('b', 1002);
  assert.equal(told.filter((line) => line.startsWith('b')).length, 2);
  new SessionQuota(0, pipeline, silent).grown('c', 1e15);
  assert.equal(told.length, 3);
});
