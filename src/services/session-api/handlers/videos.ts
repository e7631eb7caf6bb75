import { Readable } from 'node:stream';
import type { videos as routes } from '#contract/api/videos.ts';
import { ServiceError } from '#contract/errors.ts';
import type { Video } from '#contract/video.ts';
import { answerRange } from '../ranges.ts';
import type { HandlersOf, Parts } from './parts.ts';

/** Videos, which session-recorder makes where it may. */
export function videoHandlers({ access, peers, sessions }: Parts): HandlersOf<typeof routes> {
  const recorder = peers['session-recorder'];

  /** @throws ServiceError `not_found`, also for a video of another session */
  async function videoOf({ id, video }: { id: string; video: string }): Promise<Video> {
    const found = await recorder.getVideo({ params: { id: video } });
    if (found.session_id !== id) throw new ServiceError('not_found', `session ${id} has no video ${video}`);
    return found;
  }

  return {
    createVideo: async ({ params, body }, context) => {
      const { id, state } = await sessions.getRecordedHere(access.userOf(context), params.id);
      if (state !== 'completed') throw new ServiceError('wrong_state', `the session is ${state}, not completed`);
      return recorder.createVideo({ body: { session_id: id, ...body } });
    },
    listVideos: async ({ params }, context) => {
      const { id } = await sessions.get(access.userOf(context), params.id);
      const { items } = await recorder.listVideos({});
      return { items: items.filter(({ session_id }) => session_id === id) };
    },
    getVideo: ({ params }) => videoOf(params),
    downloadVideo: async ({ params }, context) => {
      const { id, state, facts } = await videoOf(params);
      if (!facts) throw new ServiceError('wrong_state', `the video is ${state}`);
      const { bytes, sha256 } = facts;
      const { request, reply } = context;
      reply.type('video/mp4').header('content-disposition', `attachment; filename="lucid-${params.id}.mp4"`);
      const range = answerRange({ what: 'the video', bytes, etag: sha256 }, context);
      if (request.method === 'HEAD') return Readable.from([]);
      return Readable.from(await recorder.downloadVideo({ params: { id }, query: range }), { objectMode: false });
    },
    deleteVideo: async ({ params }) => {
      const { id } = await videoOf(params);
      return recorder.deleteVideo({ params: { id } });
    },
  };
}
