import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { DiskJournal } from './journal/disk-journal.ts';
import type { Recorder } from './recorder.ts';

const SYNC_BUCKETS = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5];

/** Tells how the recorder and its journal do. */
export function collectMetrics(registry: Registry, recorder: Recorder, journal: DiskJournal): void {
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  gauge('lucid_recorder_recordings', 'recordings that are open', () => recorder.liveCount);
  gauge('lucid_recorder_journal_bytes', 'the journal on disk: records not sealed and stored', () => journal.heldBytes);
  gauge('lucid_recorder_journal_segments', 'segments of the journal that hold records', () => journal.segmentCount);
  gauge('lucid_recorder_journal_waiting_bytes', 'records that wait for the disk', () => journal.waitingBytes);

  new Counter({
    name: 'lucid_recorder_journal_written_bytes_total',
    help: 'bytes of records made durable',
    registers: [registry],
    collect() {
      this.reset();
      this.inc(journal.totals.bytes);
    },
  });
  new Counter({
    name: 'lucid_recorder_journal_failures_total',
    help: 'writes and syncs that failed: each has ended sessions',
    registers: [registry],
    collect() {
      this.reset();
      this.inc(journal.totals.failures);
    },
  });
  const syncs = new Histogram({
    name: 'lucid_recorder_journal_sync_seconds',
    help: 'how long the disk took to make a commit durable: screens are shown that much later',
    buckets: SYNC_BUCKETS,
    registers: [registry],
  });
  journal.times.onSync = (ms) => syncs.observe(ms / 1000);
}
