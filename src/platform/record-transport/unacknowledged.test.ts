import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Unacknowledged } from './unacknowledged.ts';

test('bytes are those of the records above the acknowledged one', () => {
  const steps = fc.array(
    fc.oneof(fc.record({ size: fc.nat(1000) }), fc.record({ number: fc.integer({ min: -5, max: 300 }) })),
    {
      maxLength: 300,
    },
  );
  fc.assert(
    fc.property(steps, (steps) => {
      const pending = new Unacknowledged();
      const sizes: number[] = [];
      let acknowledged = -1;
      for (const step of steps) {
        if ('size' in step) assert.equal(pending.add(step.size), sizes.push(step.size) - 1);
        else {
          const last = Math.min(step.number, sizes.length - 1);
          assert.equal(pending.acknowledge(step.number), last > acknowledged);
          acknowledged = Math.max(acknowledged, last);
        }
        assert.equal(pending.acknowledged, acknowledged);
        assert.equal(
          pending.bytes,
          sizes.slice(acknowledged + 1).reduce((sum, size) => sum + size, 0),
        );
      }
    }),
  );
});

test('a flush waits for what was added before it, and for nothing else', async () => {
  const pending = new Unacknowledged();
  await pending.flush();
  pending.add(1);
  const flushed = pending.flush();
  pending.add(1);
  pending.acknowledge(0);
  await flushed;
  assert.equal(pending.bytes, 1);
});

test('after the end nothing is acknowledged, and flushes reject with the reason', async () => {
  const pending = new Unacknowledged();
  pending.add(1);
  const flushed = pending.flush();
  assert.equal(pending.end(new Error('gone')), true);
  assert.equal(pending.end(new Error('again')), false);
  assert.equal(pending.acknowledge(0), false);
  await assert.rejects(flushed, /gone/);
  await assert.rejects(pending.flush(), /gone/);
});
