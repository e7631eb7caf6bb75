/** zstd levels that make a difference, the cheapest first; 0 stores as it is. */
const LADDER = [0, 1, 2, 3, 4, 6, 9, 12, 15, 19];
/** zstd is to be through with what waits within this time: a higher level must leave room for that. */
const TARGET_MS = 1000;
/** Before anything was measured: what a thread of a small machine needs at the lowest level. */
const FIRST_MS_A_BYTE = 1 / 100_000;
/** A rung of the ladder costs about so many times the one below, until it has been measured. */
const COST_OF_A_RUNG = 1.3;
/** Weight of the latest run in what is known of a level. */
const WEIGHT = 0.2;

/**
 * Chooses the zstd level of each run: the highest that settings allow, as long as zstd takes no more than a second for what
 * waits, else a lower one. How long a level takes is measured on the runs themselves, on this machine and under its load.
 */
export class LevelChooser {
  readonly #levels: readonly number[];
  /** Milliseconds that zstd takes for a byte of records. */
  readonly #msAByte = new Map<number, number>();

  /** @param min @param max 0 to 19, min at most max */
  constructor(min: number, max: number) {
    const between = LADDER.filter((level) => level > min && level < max);
    this.#levels = [...new Set([min, ...between, max])];
  }

  /** @param waitingBytes of all runs that wait, the one to be sealed included; @param workers that share them */
  choose(waitingBytes: number, workers: number): number {
    const limit = (TARGET_MS * workers) / waitingBytes;
    const fits = this.#costs().findLast(({ msAByte }) => msAByte <= limit);
    return fits?.level ?? this.#levels[0];
  }

  /** Tells how long zstd has taken for a run of so many bytes. */
  learn(level: number, bytes: number, ms: number): void {
    const known = this.#msAByte.get(level);
    const found = ms / bytes;
    this.#msAByte.set(level, known === undefined ? found : known + WEIGHT * (found - known));
  }

  /** What each level costs, by what was measured of it or of those beside it; never less than a lower one. */
  #costs(): { level: number; msAByte: number }[] {
    const measured = this.#levels.findIndex((level) => this.#msAByte.has(level));
    const first = measured < 0 ? FIRST_MS_A_BYTE : this.#msAByte.get(this.#levels[measured])!;
    let msAByte = first / COST_OF_A_RUNG ** (Math.max(0, measured) + 1);
    return this.#levels.map((level) => {
      msAByte = Math.max(msAByte, this.#msAByte.get(level) ?? msAByte * COST_OF_A_RUNG);
      return { level, msAByte };
    });
  }
}
