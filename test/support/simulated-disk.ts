/**
 * A disk that keeps a log of what is asked of it, and fails on request: stands between the journal and the machine's own
 * disk, in each of the journal's threads. `diskAfterPowerCut` makes of the log what a power cut would have left.
 *
 * Why this is faithful: all of the journal's input and output goes through `Disk`, and the log has it in order. A real disk
 * promises just what the simulation gives: written bytes of a file whose sync has returned, and names of a folder whose
 * sync has returned. Of everything else each sector may be there or not, in any order, and of the changes of a folder's
 * names the first few, since file systems journal them in order. That is stricter than ext4 and XFS are in practice.
 */
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type Disk, disk as machine } from '#services/session-recorder/journal/disk.ts';

const SECTOR = 512;

type Entry =
  | { op: 'create' | 'unlink' | 'syncFolder'; path: string }
  | { op: 'write'; path: string; offset: number; bytes: number }
  /** `ok` false: the sync failed, and what it was to make durable may be lost for good. */
  | { op: 'sync'; path: string; ok: boolean }
  | { op: 'rename'; path: string; to: string };

type Trouble = 'sync' | 'write' | 'space' | 'slow';

/** Where a simulated disk writes its log, and the files whose presence makes it fail. */
export class DiskControl {
  readonly log: string;

  /** @param log file that is made */
  constructor(log: string) {
    this.log = log;
    writeFileSync(log, '');
  }

  /** The module to give to the journal. */
  get module(): URL {
    const url = new URL(import.meta.url);
    url.search = new URLSearchParams({ log: this.log }).toString();
    return url;
  }

  /** Bytes of the log so far: a moment. */
  get now(): number {
    return machine.size(this.#fd);
  }

  get #fd(): number {
    this.#opened ??= openSync(this.log, 'r');
    return this.#opened;
  }
  #opened: number | null = null;

  /** From now on syncs or writes of segments fail, the disk is full, or each sync takes 100 ms. */
  fail(how: Trouble): void {
    writeFileSync(`${this.log}.${how}`, '');
  }

  mend(how: Trouble): void {
    unlinkSync(`${this.log}.${how}`);
  }

  close(): void {
    if (this.#opened !== null) closeSync(this.#opened);
  }
}

function simulate(log: string): Disk {
  const file = openSync(log, 'a');
  const paths = new Map<number, string>();
  const note = (entry: Entry, bytes: Uint8Array = new Uint8Array(0)) => {
    const head = Buffer.from(JSON.stringify(entry));
    const size = Buffer.alloc(4);
    size.writeUInt32LE(head.length);
    writeSync(file, Buffer.concat([size, head, bytes]));
  };
  const fails = (how: string, path: string) => path.endsWith('.segment') && existsSync(`${log}.${how}`);
  const failure = (code: string) => Object.assign(new Error(`${code}: simulated`), { code, syscall: 'simulated' });
  return {
    ...machine,
    makeFolder: (path) => mkdirSync(path, { recursive: true }),
    freeBytes: (path) => (existsSync(`${log}.space`) ? 0 : machine.freeBytes(path)),
    create(path, mode) {
      if (fails('space', path)) throw failure('ENOSPC');
      const fd = machine.create(path, mode);
      paths.set(fd, path);
      note({ op: 'create', path });
      return fd;
    },
    open(path) {
      const fd = machine.open(path);
      paths.set(fd, path);
      return fd;
    },
    write(fd, bytes, offset) {
      const path = paths.get(fd)!;
      if (fails('write', path)) throw failure('EIO');
      note({ op: 'write', path, offset, bytes: bytes.length }, bytes);
      machine.write(fd, bytes, offset);
    },
    sync(fd) {
      const path = paths.get(fd)!;
      if (fails('slow', path)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
      const ok = !fails('sync', path);
      note({ op: 'sync', path, ok });
      if (!ok) throw failure('EIO');
    },
    rename(from, to) {
      machine.rename(from, to);
      note({ op: 'rename', path: from, to });
    },
    unlink(path) {
      machine.unlink(path);
      note({ op: 'unlink', path });
    },
    syncFolder: (path) => note({ op: 'syncFolder', path }),
  };
}

interface Inode {
  durable: Buffer;
  pending: { offset: number; bytes: Buffer }[];
}
type Names = Map<string, Inode>;

/**
 * What is on the disk when the power goes at `moment`.
 *
 * @param target folder that is filled, in place of the journal's
 * @param random gives numbers from 0 up to 1
 */
export function diskAfterPowerCut(log: string, moment: number, target: string, random: () => number): void {
  const bytes = readFileSync(log).subarray(0, moment);
  const now: Names = new Map();
  const durable: Names = new Map();
  const changes: { folder: string; apply: (names: Names) => void }[] = [];
  const change = (path: string, apply: (names: Names) => void) => {
    apply(now);
    changes.push({ folder: dirname(path), apply });
  };
  for (let at = 0; at + 4 <= bytes.length; ) {
    const head = at + 4 + bytes.readUInt32LE(at);
    if (head > bytes.length) break;
    const entry: Entry = JSON.parse(bytes.toString('utf8', at + 4, head));
    at = head;
    const { path } = entry;
    switch (entry.op) {
      case 'create': {
        const inode: Inode = { durable: Buffer.alloc(0), pending: [] };
        change(path, (names) => names.set(path, inode));
        break;
      }
      case 'write':
        now.get(path)!.pending.push({ offset: entry.offset, bytes: bytes.subarray(at, at + entry.bytes) });
        at += entry.bytes;
        break;
      case 'sync':
        settle(now.get(path)!, entry.ok ? () => true : () => random() < 0.5);
        break;
      case 'rename': {
        const inode = now.get(path)!;
        change(path, (names) => {
          names.delete(path);
          names.set(entry.to, inode);
        });
        break;
      }
      case 'unlink':
        change(path, (names) => names.delete(path));
        break;
      case 'syncFolder':
        for (const { apply } of changes.filter(({ folder }) => folder === path)) apply(durable);
        changes.splice(0, changes.length, ...changes.filter(({ folder }) => folder !== path));
        break;
    }
  }
  for (const folder of new Set(changes.map((change) => change.folder))) {
    const own = changes.filter((change) => change.folder === folder);
    for (const { apply } of own.slice(0, Math.floor(random() * (own.length + 1)))) apply(durable);
  }
  for (const folder of ['segments', 'keys']) mkdirSync(join(target, folder), { recursive: true });
  for (const [path, inode] of durable) {
    settle(inode, () => random() < 0.5);
    writeFileSync(join(target, basename(dirname(path)), basename(path)), inode.durable, { mode: 0o600 });
  }
}

/** Applies pending writes, sector by sector, as far as `isKept` says so. */
function settle(inode: Inode, isKept: () => boolean): void {
  for (const { offset, bytes } of inode.pending) {
    for (let at = 0; at < bytes.length; ) {
      const end = Math.min(bytes.length, at + SECTOR - ((offset + at) % SECTOR));
      if (isKept()) {
        if (inode.durable.length < offset + end) {
          inode.durable = Buffer.concat([inode.durable, Buffer.alloc(offset + end - inode.durable.length)]);
        }
        bytes.copy(inode.durable, offset + at, at, end);
      }
      at = end;
    }
  }
  inode.pending = [];
}

const log = new URL(import.meta.url).searchParams.get('log');
export const disk: Disk = log ? simulate(log) : machine;
