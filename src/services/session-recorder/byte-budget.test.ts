import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { ByteBudget } from './byte-budget.ts';

test('what is taken never exceeds the budget, and nobody is overtaken', async () => {
  const budget = new ByteBudget(10);
  const got: string[] = [];
  const take = async (name: string, bytes: number) => {
    const release = await budget.take(bytes);
    got.push(name);
    return release;
  };
  const [a, b, c, d] = [take('a', 6), take('b', 6), take('c', 1), take('d', 100)];
  await nextTurn();
  assert.deepEqual(got, ['a'], 'c would fit, and waits behind b');
  (await a)();
  await nextTurn();
  assert.deepEqual(got, ['a', 'b', 'c']);
  (await b)();
  await nextTurn();
  assert.deepEqual(got, ['a', 'b', 'c'], 'd wants all of it');
  (await c)();
  await nextTurn();
  assert.deepEqual(got, ['a', 'b', 'c', 'd']);
  (await d)();
  (await budget.take(10))();
});
