import { test } from 'node:test';
import { killServices } from '../support/killed-services.ts';

test('services are killed a hundred times, each a process of its own: every byte that was shown is recorded', async () => {
  await killServices(100);
});
