import { BulkFlag } from '#rdp/pdu/bulk-flags.ts';
import { TPKT_VERSION } from '#rdp/pdu/x224.ts';

/** What fast-path updates, which do not say how large they are without it, mostly grow by when bulk compression is undone. */
const FAST_PATH_GROWTH = 3;
/** compressionUsed in an updateHeader. */
const COMPRESSION_USED = 2;
/** Offsets: a slow-path PDU's first share PDU where its length takes one byte, and fields of that. */
const SHARE_OFFSET = 14;
const UNCOMPRESSED_LENGTH_OFFSET = 12;
const COMPRESSED_TYPE_OFFSET = 15;

/**
 * By how much a server PDU is likely to grow when bulk compression is undone, in bytes: a look at its headers, since this runs
 * for every PDU. On the slow path they say it; 0 where nothing is compressed.
 */
export function bulkGrowth(pdu: Uint8Array): number {
  if (pdu[0] !== TPKT_VERSION) {
    const updateHeader = pdu[1] & 0x80 ? pdu[3] : pdu[2];
    return updateHeader >> 6 === COMPRESSION_USED ? pdu.length * FAST_PATH_GROWTH : 0;
  }
  const share = pdu[SHARE_OFFSET - 1] & 0x80 ? SHARE_OFFSET + 1 : SHARE_OFFSET;
  if ((pdu[share + COMPRESSED_TYPE_OFFSET] & BulkFlag.compressed) === 0) return 0;
  const length = pdu[share + UNCOMPRESSED_LENGTH_OFFSET] | (pdu[share + UNCOMPRESSED_LENGTH_OFFSET + 1] << 8);
  return Math.max(0, share + length - pdu.length);
}
