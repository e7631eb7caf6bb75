/** Bits of a byte array, most significant first, by their position: bit 0 is the top bit of byte 0. */

/** How many of the bits that `peek` returns are there at every position. */
export const PEEK_BITS = 25;

/** The bits from a position on, topmost first; beyond the array they are 0. */
export function peek(bytes: Uint8Array, position: number): number {
  const at = position >> 3;
  const word = (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
  return word << (position & 7);
}

/**
 * How many bits in a row, from a position to before `end`, are like the first bit of `mask`.
 * @param mask 0 to count zeros, -1 to count ones
 */
export function countAlike(bytes: Uint8Array, position: number, end: number, mask: 0 | -1): number {
  let count = Math.clz32(peek(bytes, position) ^ mask);
  if (count < PEEK_BITS) return count;
  for (count = PEEK_BITS; position + count < end; count += PEEK_BITS) {
    const more = Math.clz32(peek(bytes, position + count) ^ mask);
    if (more < PEEK_BITS) return count + more;
  }
  return count;
}
