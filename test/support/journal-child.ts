/**
 * A journal in a program of its own, to be killed: takes up what is left, then writes for as long as it lives.
 *
 * Arguments: the journal's folder; JSON of the sessions, each with what is stored of it, by stream. Its output has a line
 * for each acknowledgement, `a <session> <seq>`, and, before a run is released, one that says what counts as stored from
 * then on: `s <session> <stream> <seq>`.
 */
import { writeSync } from 'node:fs';
import type { CapturedStream } from '#services/session-recorder/journal/journal.ts';
import { openSmallJournal, recordAt, STREAMS, seeded } from './journal-workload.ts';

const [folder, sessions] = process.argv.slice(2);
const journal = await openSmallJournal(folder);
const random = seeded(process.pid);
const tell = (line: string) => writeSync(1, `${line}\n`);
const left: Record<string, [CapturedStream, number][]> = JSON.parse(sessions);

async function work(session: string): Promise<void> {
  let acknowledged = -1;
  let wake = () => {};
  const events = {
    durable(seq: number) {
      acknowledged = seq;
      tell(`a ${session} ${seq}`);
      wake();
    },
    failed(error: Error) {
      throw error;
    },
  };
  const stored = new Map(left[session]);
  const { part, runs, lastSeq } = journal.resume(session, events, stored, 1e9);
  /** Cut and not released, the oldest first. */
  const waiting = new Map(
    STREAMS.map((stream) => [stream, runs.map(({ run }) => run).filter((run) => run.stream === stream)]),
  );
  acknowledged = Math.max(lastSeq, ...stored.values());
  for (let seq = acknowledged + 1; ; ) {
    for (let burst = Math.ceil(random() * 8); burst > 0; burst--, seq++) {
      const { stream, record } = recordAt(session, seq);
      part.append(stream, record);
    }
    while (acknowledged < seq - 1) {
      const { promise, resolve } = Promise.withResolvers<void>();
      wake = resolve;
      await promise;
    }
    const stream = STREAMS[Math.floor(random() * 60)];
    const queue = waiting.get(stream);
    const cut = queue && part.cut(stream);
    if (cut) queue.push(cut);
    const oldest = queue?.shift();
    if (!oldest) continue;
    await oldest.read();
    tell(`s ${session} ${stream} ${oldest.lastSeq}`);
    oldest.release();
  }
}

await Promise.all(Object.keys(left).map(work));
