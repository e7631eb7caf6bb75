/** Flags of bulk compression, as share data, fast-path updates and channel chunks carry them (MS-RDPBCGR 3.1.8.2.1). */

export const BulkFlag = {
  /** The data is compressed. */
  compressed: 0x20,
  /** The history goes on at its start; what it held stays valid until it is overwritten. */
  atFront: 0x40,
  /** The history is filled with zeros and goes on at its start: done before all else. */
  flushed: 0x80,
} as const;

/** Compression types, the low four bits (MS-RDPBCGR 2.2.8.1.1.1.2, compressedType). */
export const BulkType = { mppc8k: 0x0, mppc64k: 0x1, ncrush: 0x2, xcrush: 0x3 } as const;

export const bulkTypeMask = 0x0f;
