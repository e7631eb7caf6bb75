import { type Commit, gather, partition, roomFor, type Waiting } from './commit.ts';
import type { DiskPart } from './disk-part.ts';
import type { Segments } from './segments.ts';

/** What waits to be written, in the order in which it came. */
export class CommitQueue {
  #waiting: Waiting[] = [];
  /** Of what waits, and of the commit that is under way. */
  bytes = 0;

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  push(waiting: Waiting): void {
    this.#waiting.push(waiting);
    this.bytes += waiting.bytes;
  }

  /** A commit is over. */
  settle({ takenBytes }: Commit): void {
    this.bytes -= takenBytes;
  }

  /** The next commit; null when there is nothing to write, or no room now. */
  take(segments: Segments): Commit | null {
    this.#dropAbandoned();
    if (this.isEmpty) return null;
    const segment = segments.current(roomFor(this.#waiting[0]), false);
    if (segment) {
      const commit = gather(this.#waiting, segment);
      this.#waiting = this.#waiting.slice(commit.taken);
      return commit;
    }
    const { urgent, others } = partition(segments.isFull ? this.#waiting : []);
    const reserve = urgent.length > 0 ? segments.current(roomFor(urgent[0]), true) : null;
    if (!reserve) return null;
    const commit = gather(urgent, reserve);
    this.#waiting = [...urgent.slice(commit.taken), ...others];
    return commit;
  }

  /** Drops all that waits. @returns whose it was */
  clear(): Set<DiskPart> {
    const parts = new Set(this.#waiting.map(({ run }) => run.part));
    for (const { bytes } of this.#waiting) this.bytes -= bytes;
    this.#waiting = [];
    return parts;
  }

  /** Takes out what nobody wants any more. */
  #dropAbandoned(): void {
    if (!this.#waiting.some(({ run }) => run.isAbandoned)) return;
    for (const { run, bytes } of this.#waiting) if (run.isAbandoned) this.bytes -= bytes;
    this.#waiting = this.#waiting.filter(({ run }) => !run.isAbandoned);
  }
}
