import { randomFillSync } from 'node:crypto';

const RANDOM_BYTES = 10;
/** Random bytes in stock: asking for a few at a time costs more than they do. */
const stock = Buffer.alloc(400 * RANDOM_BYTES);
let used = stock.length;

/** A new UUIDv7: 48 bits of milliseconds since 1970, then random bits (RFC 9562, section 5.7). */
export function newId(now = Date.now()): string {
  if (used === stock.length) {
    randomFillSync(stock);
    used = 0;
  }
  const bytes = Buffer.alloc(16);
  bytes.writeUIntBE(now, 0, 6);
  stock.copy(bytes, 6, used, used + RANDOM_BYTES);
  used += RANDOM_BYTES;
  bytes[6] = (bytes[6] & 0x0f) | 0x70;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
