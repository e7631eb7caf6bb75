import { BulkFlag, BulkType } from '#rdp/pdu/bulk-flags.ts';
import { FastPathUpdateCode, Fragmentation, writeFastPathUpdates } from '#rdp/pdu/fast-path-output.ts';

/**
 * A frame that shows nothing and has the client's history of bulk compression begin anew, as that of the next server does.
 * On the fast path: clients that can take a history of 64 KiB can take that.
 */
export function bulkFlushFrame(): Uint8Array {
  return writeFastPathUpdates([
    {
      code: FastPathUpdateCode.synchronize,
      fragmentation: Fragmentation.single,
      compressionFlags: BulkType.mppc64k | BulkFlag.flushed,
      data: new Uint8Array(0),
    },
  ]);
}
