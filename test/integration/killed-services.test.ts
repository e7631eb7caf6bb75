import assert from 'node:assert/strict';
import { test } from 'node:test';
import { killServices } from '../support/killed-services.ts';

test('services are killed at random moments, each a process of its own: every byte that was shown is recorded', async () => {
  const pdus = await killServices(5);
  assert.ok(pdus > 100, `${pdus} PDUs`);
});
