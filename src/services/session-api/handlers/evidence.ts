import { Readable } from 'node:stream';
import type { evidence as routes } from '#contract/api/evidence.ts';
import type { CallContext } from '#platform/http/app.ts';
import { sendBundle } from '../bundle-download.ts';
import type { HandlersOf, Parts } from './parts.ts';

/** What people do with stored recordings: through session-storage, in their own name. */
export function evidenceHandlers(parts: Parts): HandlersOf<typeof routes> {
  const { access, peers, sessions } = parts;
  const storage = peers['session-storage'];
  const groundsOf = (context: CallContext, { reason }: { reason: string }) => {
    return { by: access.userOf(context).id, reason };
  };
  return {
    listChunks: ({ params, query }) => storage.listChunks({ params, query }),
    getChunk: async ({ params }) => Readable.from(await storage.getChunk({ params }), { objectMode: false }),
    proveChunk: ({ params }) => storage.proveChunk({ params }),
    getManifest: ({ params }) => storage.getManifest({ params }),
    getBundle: ({ params, query }, context) => sendBundle(storage, params.id, query.format ?? 'tar', context),
    nodeKey: () => peers['session-recorder'].nodeKey({}),
    getEvidence: ({ params }) => storage.getSession({ params }),
    holdSession: ({ params, body }, context) => storage.holdSession({ params, body: groundsOf(context, body) }),
    releaseSession: ({ params, body }, context) => storage.releaseSession({ params, body: groundsOf(context, body) }),
    archiveSession: ({ params, body }, context) => storage.archiveSession({ params, body: groundsOf(context, body) }),
    restoreSession: ({ params, body }, context) => storage.restoreSession({ params, body: groundsOf(context, body) }),
    checkSession: ({ params }) => storage.checkSession({ params }),
    deleteSession: ({ params, query }, context) => sessions.delete(access.userOf(context), params.id, query.reason),
    storageStatus: () => storage.status({}),
    listEvidence: ({ query }) => storage.listSessions({ query }),
    listProblems: ({ query }) => storage.listProblems({ query }),
    acknowledgeProblem: ({ params }, context) =>
      storage.acknowledgeProblem({ params, body: { by: access.userOf(context).id } }),
    beginScrub: () => storage.beginScrub({}),
    getBackup: async (_input, { reply }) => {
      const name = `lucid-backup-${new Date().toISOString().slice(0, 10)}.tar`;
      reply.type('application/x-tar').header('content-disposition', `attachment; filename="${name}"`);
      return Readable.from(await storage.getBackup({}), { objectMode: false });
    },
  };
}
