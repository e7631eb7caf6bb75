import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { newId } from '#platform/id.ts';
import type { CapturedStream } from '#services/session-recorder/journal/journal.ts';
import { checkSession, openSmallJournal, type Stored } from './journal-workload.ts';

const PROGRAM = join(import.meta.dirname, 'journal-child.ts');
const SESSIONS = 4;

/**
 * Kills a program that writes to a journal, again and again at random moments, and checks each time that every record
 * whose acknowledgement it told is there as it was written, and none of another life.
 *
 * @param folder of the journal
 * @returns how many records were acknowledged
 */
export async function killRepeatedly(folder: string, times: number): Promise<number> {
  const acknowledged = new Map(Array.from({ length: SESSIONS }, () => [newId(), -1]));
  const stored = new Map<string, Stored>([...acknowledged.keys()].map((session) => [session, new Map()]));
  for (let i = 0; i < times; i++) {
    const left = Object.fromEntries([...stored].map(([session, streams]) => [session, [...streams]]));
    const child = spawn(process.execPath, [PROGRAM, folder, JSON.stringify(left)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await killAtRandom(child, (line) => {
      const [what, session, ...rest] = line.split(' ');
      if (what === 'a') acknowledged.set(session, Number(rest[0]));
      else stored.get(session)!.set(rest[0] as CapturedStream, Number(rest[1]));
    });
    const journal = await openSmallJournal(folder);
    for (const [session, seq] of acknowledged) {
      const found = await checkSession(journal, session, stored.get(session)!);
      assert.ok(found >= seq, `${session}: acknowledged up to ${seq}, found up to ${found} after kill ${i + 1}`);
    }
    await journal.close();
  }
  return [...acknowledged.values()].reduce((sum, seq) => sum + seq + 1, 0);
}

/** Lets the child work for a while, beginning with its first line, and takes all that it has told until its end. */
async function killAtRandom(child: ChildProcess, take: (line: string) => void): Promise<void> {
  const lines = createInterface({ input: child.stdout! });
  let count = 0;
  const wanted = 1 + Math.floor(Math.random() * 1000);
  lines.on('line', (line) => {
    take(line);
    if (++count === wanted) child.kill('SIGKILL');
  });
  await once(lines, 'close');
  assert.ok(count >= wanted, `the program ended by itself after ${count} lines`);
}
