/** A bundle's files, whether it is a folder or a tar archive. */
import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { OPEN_PATH } from '#evidence/bundle-layout.ts';
import { FormatError } from '#evidence/format-error.ts';
import { quote } from '#evidence/text.ts';
import { parseTarHeader, TAR_BLOCK_BYTES, tarPadding } from './tar.ts';

const PIECE_BYTES = 1024 * 1024;
const MAX_FILES = 2_000_000;
const MAX_EXTENSION_BYTES = 64 * 1024;

/** Reads a bundle's files. Paths are relative to the bundle, with `/` between folders. */
export interface BundleSource {
  /** All files, sorted by their bytes. */
  readonly paths: readonly string[];
  has(path: string): boolean;
  /** Bytes of a file. */
  size(path: string): number;
  /**
   * A whole file.
   * @throws FormatError when it is missing or has more than `limit` bytes
   */
  read(path: string, limit: number): Buffer;
  /** A file piece by piece; a piece is valid until the next. */
  pieces(path: string): Generator<Buffer, void, undefined>;
  close(): void;
}

/**
 * Opens a bundle.
 * @param path a folder, or a tar archive of one
 * @throws FormatError when it is neither, or holds anything but regular files; Error when it cannot be read
 */
export function openBundleSource(path: string): BundleSource {
  return statSync(path).isDirectory() ? new FolderSource(path) : new TarSource(path);
}

/** Where a file's bytes lie. */
interface Extent {
  readonly offset: number;
  readonly size: number;
}

abstract class ExtentSource implements BundleSource {
  abstract readonly paths: readonly string[];
  protected abstract extent(path: string): Extent | null;
  /** Gives a descriptor to `use` and takes it back afterwards. */
  protected abstract descriptor(path: string): { fd: number; release: () => void };
  abstract close(): void;

  has(path: string): boolean {
    return this.extent(path) !== null;
  }

  size(path: string): number {
    return this.#find(path).size;
  }

  read(path: string, limit: number): Buffer {
    const { size } = this.#find(path);
    if (size > limit) throw new FormatError(path, `${size} bytes, at most ${limit}`);
    const bytes = Buffer.alloc(size);
    let at = 0;
    for (const piece of this.pieces(path)) at += piece.copy(bytes, at);
    return bytes;
  }

  *pieces(path: string): Generator<Buffer, void, undefined> {
    const { offset, size } = this.#find(path);
    const { fd, release } = this.descriptor(path);
    try {
      const buffer = Buffer.alloc(Math.min(size, PIECE_BYTES));
      for (let at = 0; at < size; ) {
        const count = readSync(fd, buffer, 0, Math.min(buffer.length, size - at), offset + at);
        if (count === 0) throw new FormatError(path, `ends after ${at} of ${size} bytes`);
        yield buffer.subarray(0, count);
        at += count;
      }
    } finally {
      release();
    }
  }

  #find(path: string): Extent {
    const extent = this.extent(path);
    if (extent === null) throw new FormatError(path, 'is missing');
    return extent;
  }
}

class FolderSource extends ExtentSource {
  readonly paths: readonly string[];
  readonly #folder: string;
  readonly #sizes = new Map<string, number>();

  constructor(folder: string) {
    super();
    this.#folder = folder;
    this.#scan('');
    this.paths = [...this.#sizes.keys()].sort(byBytes);
  }

  #scan(prefix: string): void {
    for (const entry of readdirSync(join(this.#folder, prefix), { withFileTypes: true })) {
      const path = prefix + entry.name;
      // No bundle has a folder within a folder: what lies deeper is named, not read.
      if (entry.isDirectory() && prefix === '') this.#scan(`${path}/`);
      else if (entry.isFile()) this.#sizes.set(path, statSync(join(this.#folder, path)).size);
      else throw new FormatError(path, 'is neither a regular file nor a folder of the bundle');
      if (this.#sizes.size > MAX_FILES) throw new FormatError('bundle', `more than ${MAX_FILES} files`);
    }
  }

  protected extent(path: string): Extent | null {
    const size = this.#sizes.get(path);
    return size === undefined ? null : { offset: 0, size };
  }

  protected descriptor(path: string): { fd: number; release: () => void } {
    const fd = openSync(join(this.#folder, path), 'r');
    return { fd, release: () => closeSync(fd) };
  }

  close(): void {}
}

class TarSource extends ExtentSource {
  readonly paths: readonly string[];
  readonly #fd: number;
  readonly #extents: ReadonlyMap<string, Extent>;

  constructor(path: string) {
    super();
    this.#fd = openSync(path, 'r');
    try {
      this.#extents = withoutCommonFolder(this.#scan(statSync(path).size));
    } catch (cause) {
      closeSync(this.#fd);
      throw cause;
    }
    this.paths = [...this.#extents.keys()].sort(byBytes);
  }

  #scan(end: number): Map<string, Extent> {
    const extents = new Map<string, Extent>();
    for (let at = 0; ; ) {
      const header = parseTarHeader(this.#block(at, TAR_BLOCK_BYTES));
      if (header === null) return extents;
      const { path, size, kind } = header;
      const offset = at + TAR_BLOCK_BYTES;
      at = offset + size + tarPadding(size);
      if (at > end) throw new FormatError('tar', `ends within ${quote(path)}: truncated`);
      if (kind === 'extension') this.#refuseRenaming(offset, size);
      if (kind !== 'file') continue;
      const name = path.replace(/^\.\//, '');
      if (extents.has(name)) throw new FormatError('tar', `holds ${quote(name)} twice`);
      extents.set(name, { offset, size });
      if (extents.size > MAX_FILES) throw new FormatError('tar', `more than ${MAX_FILES} files`);
    }
  }

  /** pax extensions may carry times and owners, but no second opinion on what a file is called or how long it is. */
  #refuseRenaming(offset: number, size: number): void {
    if (size > MAX_EXTENSION_BYTES) throw new FormatError('tar', `an extension of ${size} bytes`);
    if (/(^|\n)\d+ (path|linkpath|size|GNU\.sparse[^=]*)=/.test(this.#block(offset, size).toString('latin1'))) {
      throw new FormatError('tar', 'an extension renames or resizes a file: make the archive with --format=ustar');
    }
  }

  #block(offset: number, length: number): Buffer {
    const block = Buffer.alloc(length);
    if (readSync(this.#fd, block, 0, length, offset) !== length) throw new FormatError('tar', 'has no end: truncated');
    return block;
  }

  protected extent(path: string): Extent | null {
    return this.#extents.get(path) ?? null;
  }

  protected descriptor(): { fd: number; release: () => void } {
    return { fd: this.#fd, release: () => {} };
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** An archive of a folder holds `<folder>/open.note`: then the folder's name is left out of every path. */
function withoutCommonFolder(extents: Map<string, Extent>): Map<string, Extent> {
  const folders = new Set([...extents.keys()].map((path) => path.slice(0, path.indexOf('/') + 1)));
  const [folder] = folders;
  if (folders.size !== 1 || folder === '' || extents.has(OPEN_PATH)) return extents;
  return new Map([...extents].map(([path, extent]) => [path.slice(folder.length), extent]));
}

/** Orders paths by their UTF-8 bytes, as `sort` does under LC_ALL=C. */
export function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
