import type { operation as routes } from '#contract/api/operation.ts';
import type { HandlersOf, Parts } from './parts.ts';

export function operationHandlers(parts: Parts): HandlersOf<typeof routes> {
  const { audit, peers, users } = parts;
  const pipeline = peers['session-pipeline'];
  return {
    listAudit: ({ query }) => audit.list(query),
    verifyAudit: async () => {
      const { firstBad, head } = await audit.verify();
      return { intact: firstBad === null, first_bad: firstBad, head };
    },
    pipelineStatus: () => pipeline.status({}),
    getStatistics: async ({ query }) => {
      const [sessions, store, sealing, byRole] = await Promise.all([
        pipeline.statistics({ query }),
        peers['session-storage'].status({}),
        peers['chunk-processor'].status({}),
        users.countByRole(),
      ]);
      const { sealed_chunks: chunks, plain_bytes, stored_bytes } = sealing;
      const ratio = stored_bytes === 0 ? null : Math.round((plain_bytes / stored_bytes) * 100) / 100;
      return {
        sessions,
        storage: { sessions: store.sessions, chunks: store.chunks, stored_bytes: store.stored_bytes },
        sealing: { chunks, plain_bytes, stored_bytes, ratio },
        users: byRole,
      };
    },
    listNodes: () => peers['node-management'].listNodes({}),
    listMetrics: ({ query }) => peers['rdp-monitor'].listSamples({ query }),
  };
}
