/** A tar archive (POSIX ustar) as segments: the same members give the same bytes. */
import { formatTarHeader, TAR_BLOCK_BYTES, tarPadding } from '#evidence/node/tar.ts';
import type { Member } from './member.ts';
import { madeSegment, type Segment } from './segment.ts';

/** The two blocks of zeros that end an archive. */
export const TAR_END: Uint8Array = Buffer.alloc(2 * TAR_BLOCK_BYTES);

export async function* tarSegments(members: AsyncIterable<Member>): AsyncGenerator<Segment> {
  for await (const member of members) {
    yield madeSegment(TAR_BLOCK_BYTES, () => tarHeader(member));
    yield { length: member.size, read: (from) => member.read(from) };
    yield madeSegment(tarPadding(member.size), () => tarPaddingOf(member));
  }
  yield madeSegment(TAR_END.length, () => TAR_END);
}

/** @param folder that the member is put in, with `/` at its end; empty: none */
export function tarHeader({ path, size }: Member, folder = ''): Uint8Array {
  return formatTarHeader(folder + path, size);
}

/** What follows the member's bytes. */
export function tarPaddingOf({ size }: Member): Uint8Array {
  return TAR_END.subarray(0, tarPadding(size));
}
