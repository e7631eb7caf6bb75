/** Shows each of 50 records, on its standard output, once it is acknowledged. Argument: the journal's folder. */
import { writeSync } from 'node:fs';
import { newId } from '#platform/id.ts';
import { openSmallJournal, recordAt } from './journal-workload.ts';

const journal = await openSmallJournal(process.argv[2]);
const session = newId();
let show = (_seq: number) => {};
const part = journal.open(session, { durable: (seq) => show(seq), failed: () => process.exit(1) });
for (let seq = 0; seq < 50; seq++) {
  const { promise, resolve } = Promise.withResolvers<number>();
  show = resolve;
  const { stream, record } = recordAt(session, seq);
  part.append(stream, record);
  writeSync(1, `shown ${await promise}\n`);
}
await journal.close();
