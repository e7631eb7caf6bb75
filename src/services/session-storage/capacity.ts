/** How much room the store has, what it may take, and whether its disk does what it is told. */
import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { ServiceError } from '#contract/errors.ts';
import type { CheckResult } from '#platform/health.ts';
import { diskError, writeDurably } from './durable-write.ts';
import type { SessionIndex } from './session-index.ts';

/** A disk that failed is tried again by itself, no oftener than this. */
const PROBE_PAUSE_MS = 5000;
const PROBE = new Uint8Array(4096);

export interface CapacitySettings {
  /** Free space, in bytes, below which health is degraded. */
  readonly lowBytes: number;
  /** Free space, in bytes, below which new sessions are refused as well. */
  readonly floorBytes: number;
  /** Bytes of chunks that the store may hold before it refuses new sessions; 0: as many as fit. */
  readonly quotaBytes: number;
}

export interface DiskSpace {
  readonly free_bytes: number;
  readonly total_bytes: number;
}

export class Capacity {
  readonly #folder: string;
  readonly #settings: CapacitySettings;
  readonly #index: SessionIndex;
  /** Why the last write failed; null once one has succeeded. */
  #failure: string | null = null;
  #triedAt = Number.NEGATIVE_INFINITY;

  /** @param folder that new evidence goes to */
  constructor(folder: string, settings: CapacitySettings, index: SessionIndex) {
    this.#folder = folder;
    this.#settings = settings;
    this.#index = index;
  }

  /**
   * Runs a write and keeps in mind whether the disk took it.
   * @throws what `write` throws
   */
  async writing<T>(write: () => Promise<T>): Promise<T> {
    try {
      const result = await write();
      this.#failure = null;
      return result;
    } catch (error) {
      if (error instanceof ServiceError && ['storage_full', 'unavailable'].includes(error.code)) {
        this.#failure = error.message;
        this.#triedAt = performance.now();
      }
      throw error;
    }
  }

  /** @throws ServiceError `storage_full` saying why no new session is taken, and what to do */
  async checkNewSession(): Promise<void> {
    const [reason] = await this.refusals();
    if (reason) throw new ServiceError('storage_full', reason);
  }

  /** Why new sessions are refused; none: they are taken. */
  async refusals(): Promise<string[]> {
    const { floorBytes, quotaBytes } = this.#settings;
    const reasons: string[] = [];
    const { free_bytes } = await this.space();
    if (free_bytes < floorBytes) {
      const what = `${free_bytes} bytes are free in the store, new sessions need ${floorBytes}`;
      reasons.push(`below the floor: ${what}; free space, or lower LUCID_STORAGE_FLOOR_BYTES`);
    }
    if (quotaBytes > 0) {
      const { stored_bytes } = await this.#index.totals();
      if (stored_bytes >= quotaBytes) {
        const what = `the store holds ${stored_bytes} bytes of its quota of ${quotaBytes}`;
        reasons.push(`${what}; delete sessions, or raise LUCID_STORAGE_QUOTA_BYTES`);
      }
    }
    await this.#probe();
    if (this.#failure) reasons.push(this.#failure);
    return reasons;
  }

  async check(): Promise<CheckResult> {
    const { lowBytes } = this.#settings;
    const refusals = await this.refusals();
    if (this.#failure) return { status: 'unhealthy', detail: this.#failure };
    if (refusals.length > 0) return { status: 'degraded', detail: `no new sessions: ${refusals.join('; ')}` };
    const { free_bytes, total_bytes } = await this.space();
    const figures = `${free_bytes} of ${total_bytes} bytes free`;
    if (free_bytes >= lowBytes) return { status: 'healthy', detail: figures };
    return { status: 'degraded', detail: `${figures}, less than ${lowBytes} (LUCID_STORAGE_LOW_BYTES)` };
  }

  /** @throws ServiceError `unavailable` when the disk cannot be asked */
  space(): Promise<DiskSpace> {
    return spaceOf(this.#folder);
  }

  /** Without it a disk that has room again would be told full until someone writes. */
  async #probe(): Promise<void> {
    if (this.#failure === null || performance.now() - this.#triedAt < PROBE_PAUSE_MS) return;
    await this.writing(() => writeDurably(join(this.#folder, 'probe'), PROBE)).catch(() => {});
  }
}

/** @throws ServiceError `unavailable` */
export async function spaceOf(folder: string): Promise<DiskSpace> {
  const { bavail, blocks, bsize } = await statfs(folder).catch((error) => {
    throw diskError(error);
  });
  return { free_bytes: bavail * bsize, total_bytes: blocks * bsize };
}
