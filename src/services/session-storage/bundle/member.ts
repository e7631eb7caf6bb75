/** A file of a bundle or backup. */
import { createHash } from 'node:crypto';
import { ServiceError } from '#contract/errors.ts';
import { diskError } from '../durable-write.ts';
import type { SessionPlace } from '../session-place.ts';

const PIECE_BYTES = 256 * 1024;

export interface Member {
  /** With `/` between folders. */
  readonly path: string;
  /** In bytes. */
  readonly size: number;
  /** SHA-256 that the leaf says, hexadecimal; null: no leaf speaks of it. */
  readonly leafSum: string | null;
  /** SHA-256 of the whole, hexadecimal. */
  sha256(): Promise<string>;
  /** The bytes from `from` on. @throws ServiceError when the file is not as long as it must be, or cannot be read */
  read(from: number): AsyncIterable<Uint8Array>;
}

export function memoryMember(path: string, bytes: Uint8Array): Member {
  return {
    path,
    size: bytes.length,
    leafSum: null,
    sha256: async () => createHash('sha256').update(bytes).digest('hex'),
    async *read(from) {
      if (from < bytes.length) yield bytes.subarray(from);
    },
  };
}

/**
 * A file of the store.
 * @param size what the file must have at least: more is left out
 * @param leafSum its SHA-256 where a leaf says it
 */
export function fileMember(place: SessionPlace, path: string, size: number, leafSum: string | null = null): Member {
  async function* read(from: number): AsyncGenerator<Uint8Array> {
    const file = await place.open(path);
    try {
      const found = (await file.stat()).size;
      if (found < size)
        throw new ServiceError('unavailable', `${path} of ${place.session} has ${found} bytes, not ${size}`);
      for (let at = from; at < size; ) {
        const piece = Buffer.allocUnsafe(Math.min(PIECE_BYTES, size - at));
        const { bytesRead } = await file.read(piece, 0, piece.length, at);
        if (bytesRead === 0)
          throw new ServiceError('unavailable', `${path} of ${place.session} ends after ${at} bytes`);
        at += bytesRead;
        // Not only when the last piece has been taken: many files may be begun at once.
        if (at === size) await file.close();
        yield piece.subarray(0, bytesRead);
      }
    } catch (error) {
      throw diskError(error);
    } finally {
      await file.close();
    }
  }
  return {
    path,
    size,
    leafSum,
    read,
    async sha256() {
      if (leafSum !== null) return leafSum;
      const hash = createHash('sha256');
      for await (const piece of read(0)) hash.update(piece);
      return hash.digest('hex');
    },
  };
}
