/** Disks that fail, that are full, and the order of writes and syncs. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { newId } from '#platform/id.ts';
import type { DiskJournal, DiskJournalOptions } from '#services/session-recorder/journal/disk-journal.ts';
import type { JournalPart } from '#services/session-recorder/journal/journal.ts';
import { checkSession, openSmallJournal, recordAt } from '../support/journal-workload.ts';
import { DiskControl, diskAfterPowerCut } from '../support/simulated-disk.ts';

const root = mkdtempSync(join(tmpdir(), 'lucid-failing-disk-'));
after(() => rmSync(root, { recursive: true }));

/** A session that appends one record after another. */
class Writer {
  readonly session = newId();
  readonly part: JournalPart;
  durable = -1;
  #next = 0;
  #told = () => {};
  failure: Error | null = null;

  constructor(journal: DiskJournal) {
    this.part = journal.open(this.session, {
      durable: (seq) => {
        this.durable = seq;
        this.#told();
      },
      failed: (error) => {
        this.failure = error;
        this.#told();
      },
    });
  }

  /** Appends so many records. Resolves when all are acknowledged, or the session has failed. */
  async write(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      const { stream, record } = recordAt(this.session, this.#next++);
      this.part.append(stream, record);
    }
    while (this.durable < this.#next - 1 && !this.failure) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#told = resolve;
      await promise;
    }
  }
}

async function onSimulatedDisk(
  name: string,
  options: Partial<DiskJournalOptions>,
  body: (journal: DiskJournal, control: DiskControl, troubles: string[]) => Promise<void>,
) {
  const folder = join(root, name);
  mkdirSync(folder);
  const control = new DiskControl(join(folder, 'log'));
  const troubles: string[] = [];
  const journal = await openSmallJournal(join(folder, 'journal'), {
    disk: control.module,
    onTrouble: (words, error) => troubles.push(`${words}: ${error?.message}`),
    ...options,
  });
  try {
    await body(journal, control, troubles);
  } finally {
    await journal.close();
    control.close();
  }
}

for (const how of ['sync', 'write'] as const) {
  test(`when a ${how} fails its sessions end, what was acknowledged stays, and others go on in a new segment`, async () => {
    await onSimulatedDisk(how, {}, async (journal, control, troubles) => {
      const [one, two] = [new Writer(journal), new Writer(journal)];
      await Promise.all([one.write(5), two.write(5)]);
      control.fail(how);
      await one.write(5);
      control.mend(how);
      assert.match(one.failure!.message, /the journal's disk failed: EIO/);
      assert.match(two.failure!.message, /the journal's disk failed: EIO/);
      assert.deepEqual([one.durable, two.durable], [4, 4]);
      assert.match(troubles[0], /given up/);

      // What was acknowledged can be read, and nothing else is counted.
      const run = one.part.cut(recordAt(one.session, 4).stream)!;
      assert.equal((await run.read()).length, run.bytes);
      assert.equal(run.lastSeq, 4);

      const three = new Writer(journal);
      await three.write(20);
      assert.deepEqual([three.failure, three.durable], [null, 19]);
      assert.notEqual(journal.check().status, 'unhealthy');

      // The failed sync has lost what it was to write, as Linux does: a power cut shows whether it was counted on.
      const folder = join(root, `${how}-cut`);
      diskAfterPowerCut(control.log, control.now, folder, Math.random);
      const after = await openSmallJournal(folder);
      for (const { session, durable } of [one, two, three]) {
        assert.ok((await checkSession(after, session, new Map())) >= durable);
      }
      await after.close();
    });
  });
}

test('a slow disk is named as the cause of slow screens, and more records share each sync', async () => {
  await onSimulatedDisk('slow', {}, async (journal, control) => {
    const writers = Array.from({ length: 10 }, () => new Writer(journal));
    await writers[0].write(1);
    control.fail('slow');
    const { commits } = journal.totals;
    await Promise.all(
      writers.map(async (writer) => {
        for (let i = 0; i < 5; i++) await writer.write(3);
      }),
    );
    assert.ok(journal.totals.commits - commits <= 25, `${journal.totals.commits - commits} commits`);
    assert.equal(journal.check().status, 'degraded');
    assert.match(
      journal.check().detail!,
      /the journal's disk is slow: .* \d{3,}\.\d ms \(p99\); screens are shown that much later/,
    );
  });
});

test('when the disk is full sessions end once the segments at hand are full, and new ones go on when there is room', async () => {
  await onSimulatedDisk('space', { segmentBytes: 32 * 1024 }, async (journal, control) => {
    const one = new Writer(journal);
    await one.write(1);
    control.fail('space');
    while (!one.failure) await one.write(20);
    assert.match(one.failure.message, /the journal cannot grow: (.*bytes are free|ENOSPC)/);
    assert.ok(one.durable > 0);
    assert.equal(journal.check().status, 'unhealthy');
    assert.match((await journal.refusal())!, /no segment can be added/);
    control.mend('space');
    one.part.close();
    while (journal.check().status === 'unhealthy') {
      const two = new Writer(journal);
      await two.write(1);
      two.part.close();
    }
  });
});

test('a full file system ends sessions with words, and loses nothing that was acknowledged', {
  skip: process.getuid?.() === 0 ? false : 'only root may mount a small file system',
}, async () => {
  const folder = mkdtempSync(join(root, 'tmpfs-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder]);
  try {
    const journal = await openSmallJournal(folder, { onTrouble: () => {} });
    const one = new Writer(journal);
    while (!one.failure) await one.write(20);
    assert.match(one.failure.message, /the journal cannot grow: (ENOSPC|\d+ bytes are free)/);
    await journal.close();
    const again = await openSmallJournal(folder, { onTrouble: () => {} });
    assert.ok((await checkSession(again, one.session, new Map())) >= one.durable);
    await again.close();
  } finally {
    execFileSync('umount', ['-l', folder]);
  }
});
