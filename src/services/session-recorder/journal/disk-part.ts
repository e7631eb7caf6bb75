import { recordSize, type SessionRecord } from '#evidence/record.ts';
import type { Waiting } from './commit.ts';
import { DiskRun, type RunHost } from './disk-run.ts';
import type { CapturedStream, JournalEvents, JournalPart, JournalRun, KeptState, PresentRun } from './journal.ts';
import { joinStatePieces, writeStatePieces } from './state-piece.ts';

/** What a part needs of its journal. */
export interface PartHost extends RunHost {
  enqueue(waiting: Waiting): void;
  /** A run was cut. */
  cut(): void;
}

/** One recording's records in a `DiskJournal`. */
export class DiskPart implements JournalPart {
  readonly session: string;
  readonly #host: PartHost;
  readonly #events: JournalEvents;
  readonly #present = new Map<CapturedStream, DiskRun<CapturedStream>>();
  /** All that is not released; runs that were are dropped when another begins. */
  readonly #runs = new Set<DiskRun>();
  /** Of what was appended. */
  lastSeq = -1;
  durableSeq = -1;
  #isOver = false;

  constructor(host: PartHost, session: string, events: JournalEvents) {
    this.#host = host;
    this.session = session;
    this.#events = events;
  }

  append(stream: CapturedStream, record: SessionRecord): void {
    if (this.#isOver) return;
    let run = this.#present.get(stream);
    if (!run) {
      run = this.begin(stream, record.time);
      this.#present.set(stream, run);
    }
    const bytes = recordSize(record);
    run.expect(bytes);
    this.lastSeq = record.seq;
    this.#host.enqueue({ run, content: record, bytes, seq: record.seq });
  }

  /** A new run of this part. */
  begin<K extends DiskRun['stream']>(stream: K, firstTime: number): DiskRun<K> {
    for (const run of this.#runs) if (run.isReleased) this.#runs.delete(run);
    const run = new DiskRun(this.#host, this, stream, firstTime);
    this.#runs.add(run);
    return run;
  }

  present(stream: CapturedStream): PresentRun | null {
    const run = this.#present.get(stream);
    return run && run.records > 0 ? run : null;
  }

  cut(stream: CapturedStream): JournalRun | null {
    const run = this.#present.get(stream);
    this.#present.delete(stream);
    if (!run || run.records === 0) return null;
    run.isCut = true;
    this.#host.cut();
    return run;
  }

  async keep(state: Uint8Array, seq: number): Promise<KeptState> {
    if (this.#isOver) throw new Error('the journal holds no more of this session');
    const run = this.begin('state', 0);
    run.isCut = true;
    for (const content of writeStatePieces(state, seq)) {
      run.expect(content.length);
      this.#host.enqueue({ run, content, bytes: content.length, seq });
    }
    await run.settled();
    if (run.isAbandoned) throw new Error('the journal failed while it kept the state of a decoder');
    return keptState(run);
  }

  /** Records up to `seq` are on the disk, or good enough as they are. */
  acknowledge(seq: number): void {
    if (!this.#isOver) this.#events.durable(seq);
  }

  /** The disk has failed this part. What is durable can still be read. */
  fail(error: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const run of this.#runs) run.abandon();
    this.#events.failed(error);
  }

  close(): void {
    this.#isOver = true;
    this.#present.clear();
    for (const run of this.#runs) run.release();
    this.#runs.clear();
  }
}

/** A state whose pieces are all in `run`. */
export function keptState(run: DiskRun): KeptState {
  return {
    async read() {
      return joinStatePieces(await run.read());
    },
    release: () => run.release(),
  };
}
