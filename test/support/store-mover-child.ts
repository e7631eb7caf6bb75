/** Moves a session to the archive and back without end, or deletes it: what `store-killed.test.ts` kills. */

import { Archive } from '#services/session-storage/archive.ts';
import { FinishedSessions } from '#services/session-storage/finished-sessions.ts';
import { Mover } from '#services/session-storage/mover.ts';
import { openStore, silent } from './store.ts';

const [folder, id, work] = process.argv.slice(2);
const grounds = { by: null, reason: 'test' };
const archive = new Archive(`${folder}-archive`);
const { store, database, index } = await openStore(folder, archive);
await archive.prepare(false);
process.stdout.write('ready\n');
if (work === 'delete') await new FinishedSessions(store).delete(id, grounds);
else {
  const mover = new Mover({ database, store, log: silent, archiveDays: 0, onDamage: () => process.exit(3) });
  await mover.work();
  for (;;) {
    const { place } = (await index.get(id))!;
    await mover.request(id, place === 'store' ? 'archive' : 'restore', grounds);
    await mover.work();
    process.stdout.write('moved\n');
  }
}
