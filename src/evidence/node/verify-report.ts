/** What a verification found. */

/** What is checked, in this order. */
export const CHECKS = ['files', 'entries', 'tree', 'chunks', 'ledger', 'anchors', 'records', 'replay'] as const;
export type CheckName = (typeof CHECKS)[number];

/** Something that is not as it must be. */
export interface Problem {
  /** The file, and within it the place. */
  readonly where: string;
  /** What was found and what was wanted. */
  readonly what: string;
}

export interface Check {
  readonly name: CheckName;
  /** `skipped` when something that the check needs is not there; `detail` says what. */
  readonly status: 'passed' | 'failed' | 'skipped';
  /** What was checked, or why not. */
  readonly detail: string;
  readonly problems: readonly Problem[];
}

/** A time of which records are missing, as the recording itself says. Times in µs of the session's clock. */
export interface Gap {
  /** When it was marked. */
  readonly time: number;
  /** Between which times the records were; as far as known. */
  readonly from?: number;
  readonly to?: number;
  /** How many; as far as known. */
  readonly missing?: number;
  /** Why, in words. */
  readonly detail?: string;
}

export interface VerifyReport {
  /** `incomplete`: nothing is wrong, but the evidence or what was given does not suffice to vouch for the whole. */
  readonly verdict: 'verified' | 'failed' | 'incomplete';
  /** Why the verdict is `incomplete`. */
  readonly missing: readonly string[];
  readonly session: string | null;
  readonly ledgered: boolean;
  readonly anchored: boolean;
  /** Of a recording that was opened. */
  readonly gaps: readonly Gap[];
  readonly checks: readonly Check[];
}

/** How far a check has come. */
export interface VerifyProgress {
  readonly check: CheckName;
  readonly done: number;
  readonly total: number;
}

/** Gathers one check's problems. No more than a few hundred are kept: a bundle of noise must not fill the memory. */
export class Findings {
  readonly #name: CheckName;
  readonly #problems: Problem[] = [];
  #count = 0;

  constructor(name: CheckName) {
    this.#name = name;
  }

  get failed(): boolean {
    return this.#count > 0;
  }

  add(where: string, what: string): void {
    this.#count++;
    if (this.#count <= MAX_PROBLEMS) this.#problems.push({ where, what });
  }

  passedOrFailed(detail: string): Check {
    const problems = [...this.#problems];
    const more = this.#count - problems.length;
    if (more > 0) problems.push({ where: this.#name, what: `and ${more} more` });
    return { name: this.#name, status: this.failed ? 'failed' : 'passed', detail, problems };
  }

  /** The check could not be made; what was found on the way fails it all the same. */
  skipped(detail: string): Check {
    return this.failed ? this.passedOrFailed(detail) : { name: this.#name, status: 'skipped', detail, problems: [] };
  }
}

const MAX_PROBLEMS = 200;
