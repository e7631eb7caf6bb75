/** Tells session-pipeline which recordings were deleted, until it knows. */
import { ServiceError } from '#contract/errors.ts';
import type { Peers } from '#contract/index.ts';
import type { EvidenceStore } from './evidence-store.ts';
import { FactFiles } from './fact-files.ts';

const BATCH = 100;

/** @throws ServiceError `unavailable` and the like when it does not answer: to be tried again */
export async function tellDeletions(
  store: EvidenceStore,
  pipeline: Pick<Peers['session-pipeline'], 'sessionDeleted'>,
): Promise<void> {
  for (let ids = await store.index.untold(BATCH); ids.length > 0; ids = await store.index.untold(BATCH)) {
    for (const id of ids) {
      const tombstone = await new FactFiles(id, store.place(id).home).tombstone();
      const cause = `the recording was deleted (${tombstone?.reason ?? 'no reason is known'})`;
      await pipeline.sessionDeleted({ params: { id }, body: { cause } }).catch((error) => {
        // A store that was restored has sessions that the pipeline has never heard of.
        const isKnown = error instanceof ServiceError && ['not_found', 'wrong_state'].includes(error.code);
        if (!isKnown) throw error;
      });
      await store.index.setTold(id);
    }
  }
}
