import { ServiceError } from '#contract/errors.ts';

/**
 * Reads a stream to its end. What comes in one piece, as it does within one process, is not copied.
 *
 * @param limit bytes
 * @throws ServiceError `too_large` as soon as more come
 */
export async function gather(stream: AsyncIterable<Buffer>, limit = Number.POSITIVE_INFINITY): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of stream) {
    length += piece.length;
    if (length > limit)
      throw new ServiceError('too_large', `more than ${limit} bytes came, which is what is taken here`);
    pieces.push(piece);
  }
  return pieces.length === 1 ? pieces[0] : Buffer.concat(pieces, length);
}
