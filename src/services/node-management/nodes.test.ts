import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openDatabase } from '#platform/database.ts';
import { migrations, type Tables } from './database.ts';
import { Nodes } from './nodes.ts';

const capacity = { cores: 4, memory_bytes: 8e9 };

test('a node registers once, is heard of, falls silent, comes back and leaves', async () => {
  const clock = { now: Date.parse('2026-11-20T12:00:00Z') };
  const nodes = new Nodes(await openDatabase<Tables>(':memory:', migrations), 15, () => clock.now);
  const state = async () => (await nodes.list()).map((node) => `${node.name} ${node.state}`);
  await nodes.beat('pi', capacity);
  await nodes.beat('attic', capacity);
  assert.deepEqual(await state(), ['attic active', 'pi active']);

  clock.now += 60_000;
  await nodes.beat('pi', { cores: 8, memory_bytes: 8e9 });
  assert.deepEqual(await nodes.failSilent(), []);
  clock.now += 1;
  assert.deepEqual(await nodes.failSilent(), ['attic']);
  assert.deepEqual(await nodes.failSilent(), [], 'told once');
  assert.deepEqual(await state(), ['attic failed', 'pi active']);

  await nodes.beat('attic', capacity);
  await nodes.leave('pi');
  assert.deepEqual(await state(), ['attic active', 'pi inactive']);
  const [, pi] = await nodes.list();
  assert.deepEqual([pi.cores, pi.registered_at], [8, '2026-11-20T12:00:00.000Z']);
});
