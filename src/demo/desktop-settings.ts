/** What comes out of a demo desktop's and its client's capabilities. */
import { type CapabilitySet, findCapability } from '#rdp/pdu/capability-set.ts';
import { ExtraFlag } from '#rdp/sequence/server-settings.ts';

/** What a Confirm Active lets the server do. */
export function confirmedModes(sets: readonly CapabilitySet[]) {
  const general = findCapability(sets, 'general');
  const pointer = findCapability(sets, 'pointer');
  const extraFlags = general?.extraFlags ?? 0;
  return {
    fastPath: (extraFlags & ExtraFlag.fastPathOutput) !== 0,
    noCompressionHeader: (extraFlags & ExtraFlag.noBitmapCompressionHeader) !== 0,
    /** Pointers of 32 bits. */
    colorPointers: (pointer?.pointerCacheSize ?? 0) > 1,
  };
}
