import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { Sampler } from './sampler.ts';
import { exceeded } from './thresholds.ts';

const thresholds = { cpu: 80, memory: 80, disk: 90 };
const calm = {
  time: '2026-11-20T12:00:00.000Z',
  cpu_share: 0.79,
  memory_total_bytes: 1000,
  memory_used_bytes: 799,
  process_memory_bytes: 1,
  disk_total_bytes: 1000,
  disk_used_bytes: 899,
  live_connections: 0,
};

test('a figure at its threshold is named, one below is not', () => {
  assert.deepEqual(exceeded(calm, thresholds), []);
  assert.deepEqual(exceeded({ ...calm, cpu_share: 0.8, disk_used_bytes: 950 }, thresholds), [
    'processors 80 % used (threshold 80 %)',
    'the disk 95 % used (threshold 90 %)',
  ]);
});

test('a sample of this machine holds figures that can be', async () => {
  const sample = await new Sampler(tmpdir()).take(3);
  assert.ok(sample.cpu_share >= 0 && sample.cpu_share <= 1);
  assert.ok(sample.memory_used_bytes > 0 && sample.memory_used_bytes < sample.memory_total_bytes);
  assert.ok(sample.process_memory_bytes > 10_000_000 && sample.process_memory_bytes < sample.memory_total_bytes);
  assert.ok(sample.disk_used_bytes > 0 && sample.disk_used_bytes <= sample.disk_total_bytes);
  assert.equal(sample.live_connections, 3);
});
