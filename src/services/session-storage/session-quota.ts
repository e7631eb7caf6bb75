/** Ends live sessions whose recording has reached its quota. What was shown is stored all the same. */
import { ServiceError } from '#contract/errors.ts';
import type { Peers } from '#contract/index.ts';
import type { Log } from '#platform/log.ts';

export class SessionQuota {
  readonly #bytes: number;
  readonly #pipeline: Pick<Peers['session-pipeline'], 'endSession'>;
  readonly #log: Log;
  /** Sessions that were told to end. */
  readonly #told = new Set<string>();

  /** @param bytes of chunks that a session may have; 0: no quota */
  constructor(bytes: number, pipeline: Pick<Peers['session-pipeline'], 'endSession'>, log: Log) {
    this.#bytes = bytes;
    this.#pipeline = pipeline;
    this.#log = log;
  }

  /** Says how much a live session has now: beyond the quota it is told to end, once, or until it hears it. */
  grown(id: string, storedBytes: number): void {
    if (this.#bytes === 0 || storedBytes < this.#bytes || this.#told.has(id)) return;
    this.#told.add(id);
    const reason = `the recording has reached its quota of ${this.#bytes} bytes`;
    this.#pipeline.endSession({ params: { id }, body: { reason } }).then(
      () => this.#log.warn({ session: id, bytes: storedBytes }, 'a session was ended: its recording reached its quota'),
      (error) => {
        // It is ending already.
        if (error instanceof ServiceError && error.code === 'wrong_state') return;
        this.#told.delete(id);
        this.#log.error({ err: error, session: id }, 'a session beyond its quota could not be ended');
      },
    );
  }

  /** The session is over. */
  closed(id: string): void {
    this.#told.delete(id);
  }
}
