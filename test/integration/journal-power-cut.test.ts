/** What was acknowledged is there after a power cut at any moment. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { newId } from '#platform/id.ts';
import { checkSession, openSmallJournal, recordAt, STREAMS, type Stored, seeded } from '../support/journal-workload.ts';
import { DiskControl, diskAfterPowerCut } from '../support/simulated-disk.ts';

const root = mkdtempSync(join(tmpdir(), 'lucid-power-cut-'));
after(() => rmSync(root, { recursive: true }));

const CUTS = 20;

test('after a power cut at any moment every acknowledged record is there, and nothing is damaged', async () => {
  const control = new DiskControl(join(root, 'log'));
  const journal = await openSmallJournal(join(root, 'journal'), { disk: control.module });
  const random = seeded(Date.now());
  /** Of each session: the moment at which each seq was acknowledged, and those at which runs were released. */
  const acknowledged = new Map<string, number[]>();
  const released = new Map<string, { moment: number; stored: Stored }[]>();

  async function work(session: string): Promise<void> {
    const moments: number[] = [];
    acknowledged.set(session, moments);
    released.set(session, []);
    const stored: Stored = new Map();
    let wake = () => {};
    const part = journal.open(session, {
      durable(seq) {
        const { now } = control;
        while (moments.length <= seq) moments.push(now);
        wake();
      },
      failed: (error) => assert.fail(error),
    });
    for (let seq = 0; seq < 800; ) {
      for (let burst = Math.ceil(random() * 12); burst > 0; burst--, seq++) {
        const { stream, record } = recordAt(session, seq);
        part.append(stream, record);
      }
      if (random() < 0.8) {
        while (moments.length < seq)
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
      }
      if (random() > 0.1) continue;
      const run = part.cut(STREAMS[Math.floor(random() * 3)]);
      if (!run) continue;
      await run.read();
      stored.set(run.stream, run.lastSeq);
      released.get(session)!.push({ moment: control.now, stored: new Map(stored) });
      run.release();
    }
  }

  await Promise.all(Array.from({ length: 6 }, () => work(newId())));
  assert.ok(journal.totals.commits > 80);
  await journal.close();
  const end = control.now;

  let mostFound = 0;
  for (let i = 0; i < CUTS; i++) {
    const moment = Math.floor(end * random());
    const folder = join(root, `cut-${i}`);
    diskAfterPowerCut(control.log, moment, folder, random);
    const after = await openSmallJournal(folder);
    for (const [session, moments] of acknowledged) {
      const stored = released.get(session)!.findLast((release) => release.moment <= moment)?.stored ?? new Map();
      // A journal that was cut off while it released a run may have it or not.
      const last = await checkSession(after, session, stored);
      const wanted = moments.findLastIndex((acknowledgedAt) => acknowledgedAt <= moment);
      assert.ok(last >= wanted, `${session}: acknowledged up to ${wanted} before the cut, found up to ${last}`);
      mostFound = Math.max(mostFound, last);
    }
    await after.close();
    rmSync(folder, { recursive: true });
  }
  assert.ok(mostFound > 400);
  control.close();
});
