import type { CapabilityKind, CapabilityOf, CapabilitySet } from '../pdu/capability-set.ts';

type SetOf<K extends CapabilitySet['kind']> = K extends CapabilityKind
  ? CapabilityOf<K>
  : Extract<CapabilitySet, { kind: K }>;

/** What becomes of each set, in both directions. A set without an edit is left out: nobody here knows what it allows. */
export type CapabilityEdits = {
  readonly [K in Exclude<CapabilitySet['kind'], 'unknown'>]?: (set: SetOf<K>) => SetOf<K>;
};

/**
 * The sets as they are to be seen on the other side, the first of each kind: which of two would count is not for the
 * recording to guess. Nothing is altered in place.
 */
export function editCapabilitySets(sets: readonly CapabilitySet[], edits: CapabilityEdits): CapabilitySet[] {
  const seen = new Set<CapabilitySet['kind']>();
  return sets.flatMap((set) => {
    if (set.kind === 'unknown' || seen.has(set.kind)) return [];
    seen.add(set.kind);
    const edit = edits[set.kind] as ((set: CapabilitySet) => CapabilitySet) | undefined;
    return edit ? [edit(set)] : [];
  });
}
