import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Command } from 'commander';
import { addDisplayOptions, displayOf } from './display-options.ts';

const parse = (...args: string[]) => displayOf(addDisplayOptions(new Command()).parse(args, { from: 'user' }).opts());

test('what is not named says nothing', () => {
  assert.deepEqual(parse(), {});
  assert.deepEqual(parse('--profiles', 'orders, bitmaps,orders', '--bulk-compression', 'off'), {
    profiles: ['orders', 'bitmaps'],
    bulk_compression: false,
  });
  assert.deepEqual(parse('--bulk-compression', 'on'), { bulk_compression: true });
});

test('a profile that there is not is named, with those that there are', () => {
  assert.throws(() => parse('--profiles', 'orders,gfx'), /--profiles gfx: wants a list of orders, remotefx, bitmaps/);
});
