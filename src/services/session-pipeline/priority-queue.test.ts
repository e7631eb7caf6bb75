import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PRIORITIES, type Priority } from '#contract/common.ts';
import { PriorityQueue } from './priority-queue.ts';

test('the most urgent goes first, of equals the one that came first; each place is told', () => {
  const queue = new PriorityQueue();
  queue.add('a', 'normal');
  queue.add('b', 'low');
  queue.add('c', 'urgent');
  queue.add('d', 'normal');
  queue.add('a', 'normal');
  assert.deepEqual(queue.sizes, { low: 1, normal: 2, high: 0, urgent: 1 });
  assert.deepEqual(
    ['c', 'a', 'd', 'b', 'e'].map((id) => queue.place(id)),
    [1, 2, 3, 4, null],
  );
  queue.add('b', 'high');
  assert.deepEqual(
    [queue.take(), queue.take(), queue.take(), queue.take(), queue.take()],
    ['c', 'b', 'a', 'd', undefined],
  );
});

test('whatever is asked for, ids come out once each, in the order of a stable sort', () => {
  const step = fc.record({ id: fc.integer({ min: 0, max: 20 }).map(String), priority: fc.constantFrom(...PRIORITIES) });
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const queue = new PriorityQueue();
      const line: { id: string; priority: Priority }[] = [];
      for (const { id, priority } of steps) {
        queue.add(id, priority);
        const at = line.findIndex((entry) => entry.id === id);
        if (line[at]?.priority === priority) continue;
        if (at >= 0) line.splice(at, 1);
        line.push({ id, priority });
      }
      const expected = line
        .toSorted((a, b) => PRIORITIES.indexOf(b.priority) - PRIORITIES.indexOf(a.priority))
        .map(({ id }) => id);
      assert.deepEqual(
        expected.map((id) => queue.place(id)),
        expected.map((_, i) => i + 1),
      );
      assert.deepEqual(
        expected.map(() => queue.take()),
        expected,
      );
      assert.equal(queue.take(), undefined);
    }),
  );
});
