/** Reads a tar archive (POSIX ustar) as it comes, member by member, in memory that does not grow with it. */
import { FormatError } from '#evidence/format-error.ts';
import { quote } from '#evidence/text.ts';
import { parseTarHeader, TAR_BLOCK_BYTES, tarPadding } from './tar.ts';

/** A regular file of the archive. */
export interface TarMember {
  readonly path: string;
  /** In bytes. */
  readonly size: number;
  /** Its bytes: to be read before the next member is asked for, or else passed over. */
  readonly content: AsyncIterable<Uint8Array>;
}

/**
 * The archive's regular files, in their order; folders are passed over.
 *
 * @throws FormatError `tar` when it breaks off, is damaged, or holds what is neither file nor folder; what `stream` throws
 */
export async function* readTar(stream: AsyncIterable<Uint8Array>): AsyncGenerator<TarMember, void, undefined> {
  const source = new ByteSource(stream);
  for (;;) {
    const header = parseTarHeader(await source.block());
    if (header === null) {
      // Until the sender is done, however many blocks of zeros it sends.
      while (await source.some(TAR_BLOCK_BYTES));
      return;
    }
    const { path, size, kind } = header;
    if (kind === 'extension')
      throw new FormatError('tar', `${quote(path)} is an extension: make it with --format=ustar`);
    const content = source.exactly(size);
    if (kind === 'file') yield { path, size, content };
    for await (const _rest of content);
    for await (const _padding of source.exactly(tarPadding(size)));
  }
}

/** Hands out exactly as many bytes as asked for, from parts of any size, copying only where a block is torn. */
class ByteSource {
  readonly #parts: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);

  constructor(stream: AsyncIterable<Uint8Array>) {
    this.#parts = stream[Symbol.asyncIterator]();
  }

  /** Up to `most` bytes, at least one; null at the end. */
  async some(most: number): Promise<Uint8Array | null> {
    while (this.#rest.length === 0) {
      const { value, done } = await this.#parts.next();
      if (done) return null;
      this.#rest = value;
    }
    const taken = this.#rest.subarray(0, most);
    this.#rest = this.#rest.subarray(taken.length);
    return taken;
  }

  /** The next `count` bytes. Left early, it goes on where it was left. */
  exactly(count: number): AsyncIterableIterator<Uint8Array> {
    let left = count;
    return {
      [Symbol.asyncIterator]() {
        return this;
      },
      next: async () => {
        if (left === 0) return { done: true, value: undefined };
        const part = await this.some(left);
        if (part === null) throw new FormatError('tar', `the archive breaks off: ${left} more bytes were wanted`);
        left -= part.length;
        return { done: false, value: part };
      },
    };
  }

  async block(): Promise<Uint8Array> {
    const block = new Uint8Array(TAR_BLOCK_BYTES);
    let at = 0;
    for await (const part of this.exactly(block.length)) {
      block.set(part, at);
      at += part.length;
    }
    return block;
  }
}
