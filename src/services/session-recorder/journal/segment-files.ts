/** What the journal's threads do with segment files. Everything here blocks. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { FormatError } from '#evidence/format-error.ts';
import type { Disk } from './disk.ts';
import { frameKey, KEY_BYTES, openFrameInto, sealFrames } from './frame.ts';
import type { CommitJob, CommitTimes, PrepareJob, ReadJob, ReadResult, ScannedSegment } from './jobs.ts';
import { readSegment, SEGMENT_HEADER_BYTES, writeSegmentHeader } from './segment-reader.ts';
import { summarizeFrame } from './summary.ts';

const ZEROS_BYTES = 1024 * 1024;
const SEGMENT_NAME = /^(\d{16})\.segment$/;
const KEY_NAME = /^\d{16}\.key$/;
/** A segment larger than this was not made by Lucid. */
const MAX_SEGMENT_BYTES = 1024 * 1024 * 1024;

/** The jobs, by name, with what they take and give. */
export class SegmentFiles {
  readonly #disk: Disk;
  readonly #segments: string;
  readonly #keys: string;
  /** The segment that commits go to. */
  #open: { readonly number: number; readonly file: number } | null = null;

  constructor(disk: Disk, folder: string) {
    this.#disk = disk;
    this.#segments = join(folder, 'segments');
    this.#keys = join(folder, 'keys');
  }

  commit({ number, key, offset, bytes }: CommitJob): CommitTimes {
    sealFrames(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), key, offset);
    const file = this.#use(number);
    const started = performance.now();
    this.#disk.write(file, bytes, offset);
    const written = performance.now();
    this.#disk.sync(file);
    return { writeMs: written - started, syncMs: performance.now() - written };
  }

  #use(number: number): number {
    if (this.#open?.number === number) return this.#open.file;
    if (this.#open) this.#disk.close(this.#open.file);
    this.#open = null;
    const file = this.#disk.open(this.#path(number));
    this.#open = { number, file };
    return file;
  }

  /**
   * Makes a segment ready to be written, key first: a durable frame whose key is not durable would be lost. All of its
   * blocks are written once, since making a write durable takes longer where the file system must first allot space.
   *
   * @returns the segment's key
   */
  prepare({ number, bytes, reuse, floorBytes }: PrepareJob): Uint8Array {
    this.#require(reuse === null ? bytes : 0, floorBytes);
    const key = randomBytes(KEY_BYTES);
    try {
      this.#create(this.#keyPath(number), 0o600, (file) => this.#disk.write(file, key, 0));
      this.#disk.syncFolder(this.#keys);
      if (reuse === null) this.#create(this.#path(number), 0o600, (file) => this.#fill(file, bytes));
      else this.#disk.rename(this.#path(reuse), this.#path(number));
      this.#within(this.#path(number), (file) => {
        this.#disk.write(file, writeSegmentHeader(number), 0);
        this.#disk.sync(file);
      });
      this.#disk.syncFolder(this.#segments);
      return key;
    } catch (error) {
      for (const path of [this.#keyPath(number), this.#path(number)]) this.#tryUnlink(path);
      throw error;
    }
  }

  #require(bytes: number, floorBytes: number): void {
    const free = this.freeBytes();
    if (free - bytes >= floorBytes) return;
    const words = `${free} bytes are free for the journal, of which ${floorBytes} must stay free`;
    throw Object.assign(new Error(words), { code: 'ENOSPC' });
  }

  #fill(file: number, bytes: number): void {
    const zeros = new Uint8Array(ZEROS_BYTES);
    for (let at = 0; at < bytes; at += zeros.length) {
      this.#disk.write(file, zeros.subarray(0, Math.min(zeros.length, bytes - at)), at);
      // Synced piece by piece: one large sync would hold up the commits of another segment.
      this.#disk.sync(file);
    }
  }

  /**
   * Destroys a segment: its key is overwritten and unlinked, so that what it holds cannot be read any more.
   * @param keepFile whether the file is left, to be used again
   */
  destroy({ number, keepFile }: { number: number; keepFile: boolean }): void {
    const path = this.#keyPath(number);
    this.#within(path, (file) => {
      this.#disk.write(file, randomBytes(KEY_BYTES), 0);
      this.#disk.sync(file);
    });
    this.#disk.unlink(path);
    this.#disk.syncFolder(this.#keys);
    if (keepFile) return;
    this.#disk.unlink(this.#path(number));
    this.#disk.syncFolder(this.#segments);
  }

  /** Reads frames back. One that cannot be read does not keep the others. */
  read({ places, before, bytes }: ReadJob): ReadResult {
    const target = new Uint8Array(new SharedArrayBuffer(before.length + bytes));
    target.set(before);
    const longest = places.reduce((most, { lengths }) => lengths.reduce((a, b) => Math.max(a, b), most), 0);
    const frame = Buffer.allocUnsafeSlow(longest);
    const damage: string[] = [];
    let used = before.length;
    for (const { number, key, offsets, lengths } of places) {
      const secret = frameKey(key);
      this.#within(this.#path(number), (file) => {
        for (const [i, offset] of offsets.entries()) {
          try {
            const read = this.#disk.read(file, frame.subarray(0, lengths[i]), offset);
            used = openFrameInto(target, used, frame.subarray(0, read), secret, offset);
          } catch (error) {
            damage.push(`segment ${number}: ${(error as Error).message}`);
          }
        }
      });
    }
    return { bytes: target.subarray(0, used), damage };
  }

  freeBytes(): number {
    return this.#disk.freeBytes(this.#segments);
  }

  /** Makes the folders, and tells which segments an earlier run has left, in order. Those without a key are deleted. */
  list(): number[] {
    this.#disk.makeFolder(this.#segments);
    this.#disk.makeFolder(this.#keys);
    const numbers = this.#disk.list(this.#segments).flatMap((name) => {
      const match = SEGMENT_NAME.exec(name);
      return match ? [Number(match[1])] : [];
    });
    const keys = this.#disk.list(this.#keys).filter((name) => KEY_NAME.test(name));
    const left = new Set(numbers);
    for (const name of keys) {
      const number = Number(name.slice(0, 16));
      if (!left.has(number)) this.#tryUnlink(this.#keyPath(number));
    }
    const withKey = new Set(keys.map((name) => Number(name.slice(0, 16))));
    for (const number of numbers) if (!withKey.has(number)) this.#tryUnlink(this.#path(number));
    return numbers.filter((number) => withKey.has(number)).toSorted((a, b) => a - b);
  }

  /** Reads what a segment of an earlier run holds. What cannot be read at all is told as damage. */
  scan({ number }: { number: number }): ScannedSegment {
    const key = new Uint8Array(KEY_BYTES);
    let bytes = 0;
    try {
      const isWhole = this.#within(this.#keyPath(number), (file) => this.#disk.read(file, key, 0)) === KEY_BYTES;
      if (!isWhole) return { key, bytes, frames: [], torn: true, damage: [] };
      const content = this.#within(this.#path(number), (file) => {
        bytes = Math.min(this.#disk.size(file), MAX_SEGMENT_BYTES);
        const buffer = Buffer.allocUnsafeSlow(bytes);
        return buffer.subarray(0, this.#disk.read(file, buffer, 0));
      });
      if (isUnwritten(content)) return { key, bytes, frames: [], torn: true, damage: [] };
      const { frames, torn, damaged } = readSegment(content, key);
      const damage = damaged.map((offset) => `segment ${number}: the frame at byte ${offset} cannot be read any more`);
      return { key, bytes, frames: frames.map(summarizeFrame), torn, damage };
    } catch (error) {
      if (error instanceof FormatError || isSystemError(error)) {
        const damage = [`segment ${number}: ${(error as Error).message}`];
        return { key, bytes, frames: [], torn: false, damage };
      }
      throw error;
    }
  }

  #create(path: string, mode: number, write: (file: number) => void): void {
    const file = this.#disk.create(path, mode);
    try {
      write(file);
      this.#disk.sync(file);
    } finally {
      this.#disk.close(file);
    }
  }

  #within<T>(path: string, work: (file: number) => T): T {
    const file = this.#disk.open(path);
    try {
      return work(file);
    } finally {
      this.#disk.close(file);
    }
  }

  #tryUnlink(path: string): void {
    try {
      this.#disk.unlink(path);
    } catch {
      // It is not there, or the disk fails, which whoever writes next is told.
    }
  }

  #path(number: number): string {
    return join(this.#segments, `${String(number).padStart(16, '0')}.segment`);
  }

  #keyPath(number: number): string {
    return join(this.#keys, `${String(number).padStart(16, '0')}.key`);
  }
}

/** A crash while the segment was being made: nothing but zeros where its head belongs. */
function isUnwritten(bytes: Buffer): boolean {
  return bytes.subarray(0, SEGMENT_HEADER_BYTES).every((byte) => byte === 0);
}

function isSystemError(error: unknown): boolean {
  return typeof (error as NodeJS.ErrnoException).syscall === 'string';
}
