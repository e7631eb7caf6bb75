import type { SealStatus } from '#contract/chunk-processor.ts';
import { STAGES } from './serve-seal.ts';
import type { SealResult } from './worker.ts';

type Totals = Omit<SealStatus, 'workers' | 'queued' | 'queued_bytes' | 'queue_limit' | 'queue_limit_bytes' | 'threads'>;
type LevelTotals = SealStatus['levels'][number];

/** What was sealed since the start, and what that took. */
export class SealStatistics {
  jobs = 0;
  crashes = 0;
  #runs = 0;
  #chunks = 0;
  #rawChunks = 0;
  #plainBytes = 0;
  #storedBytes = 0;
  readonly #stagesMs: SealStatus['stages_ms'] = { wait: 0, check: 0, decode: 0, compress: 0, encrypt: 0 };
  readonly #levels = new Map<number, LevelTotals>();

  /** @param waitMs that the run has waited for a thread */
  add({ chunks, stagesMs }: Extract<SealResult, { answer: unknown }>, level: number, waitMs: number): void {
    const plain = chunks.reduce((sum, chunk) => sum + chunk.plain, 0);
    const stored = chunks.reduce((sum, chunk) => sum + chunk.stored, 0);
    this.#runs++;
    this.#chunks += chunks.length;
    this.#rawChunks += chunks.filter(({ isRaw }) => isRaw).length;
    this.#plainBytes += plain;
    this.#storedBytes += stored;
    this.#stagesMs.wait += waitMs;
    for (const stage of STAGES) this.#stagesMs[stage] += stagesMs[stage];
    const totals = this.#levels.get(level) ?? { level, runs: 0, plain_bytes: 0, stored_bytes: 0, compress_ms: 0 };
    totals.runs++;
    totals.plain_bytes += plain;
    totals.stored_bytes += stored;
    totals.compress_ms += stagesMs.compress;
    this.#levels.set(level, totals);
  }

  get totals(): Totals {
    return {
      sealed_runs: this.#runs,
      sealed_chunks: this.#chunks,
      raw_chunks: this.#rawChunks,
      plain_bytes: this.#plainBytes,
      stored_bytes: this.#storedBytes,
      ratio: this.#storedBytes === 0 ? null : this.#plainBytes / this.#storedBytes,
      stages_ms: { ...this.#stagesMs },
      levels: [...this.#levels.values()].toSorted((a, b) => a.level - b.level),
      jobs: this.jobs,
      worker_crashes: this.crashes,
    };
  }
}
