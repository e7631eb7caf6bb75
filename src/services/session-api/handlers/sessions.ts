import type { sessions as routes } from '#contract/api/sessions.ts';
import { ServiceError } from '#contract/errors.ts';
import { LIVE_PROTOCOL } from '#contract/live-frames.ts';
import type { CallContext } from '#platform/http/app.ts';
import type { HandlersOf, Parts } from './parts.ts';

const REASON_LENGTH = 500;

interface Wish {
  params: { id: string };
  body: { reason?: string };
}

export function sessionHandlers(parts: Parts): HandlersOf<typeof routes> {
  const { access, peers, sessions, watchTickets } = parts;
  const pipeline = peers['session-pipeline'];

  /** Who did what to a session that they may see, and why: for its person, its history and its recording. */
  async function grounds(done: string, { params, body }: Wish, context: CallContext) {
    const user = access.userOf(context);
    const session = await sessions.get(user, params.id);
    const by = session.user_id === user.id ? 'its owner' : `an ${user.role}`;
    const reason = `${done} by ${by}${body.reason ? `: ${body.reason}` : ''}`;
    return { params, body: { reason: reason.slice(0, REASON_LENGTH) } };
  }

  return {
    createSession: ({ body }, context) => sessions.create(access.userOf(context), body, context.request.hostname),
    listSessions: ({ query }, context) => {
      const { id, role } = access.userOf(context);
      return pipeline.listSessions({ query: { ...query, ...(role === 'user' && { user_id: id }) } });
    },
    getSession: ({ params }, context) => sessions.get(access.userOf(context), params.id),
    updateSession: ({ params, body }, context) => sessions.update(access.userOf(context), params.id, body),
    getSessionHistory: async ({ params }, context) => {
      await sessions.get(access.userOf(context), params.id);
      return pipeline.getHistory({ params });
    },
    getSessionProcessing: async ({ params }, context) => {
      await sessions.get(access.userOf(context), params.id);
      return pipeline.getProcessing({ params });
    },
    getRecording: async ({ params }, context) => {
      await sessions.get(access.userOf(context), params.id);
      return peers['session-recorder'].getRecording({ params });
    },
    createTicket: ({ params, body }, context) =>
      sessions.createTicket(access.userOf(context), params.id, body.ticket_seconds, context.request.hostname),
    startSession: async ({ params }, context) => {
      await sessions.get(access.userOf(context), params.id);
      return pipeline.startSession({ params, body: {} });
    },
    pauseSession: async (input, context) => pipeline.pauseSession(await grounds('paused', input, context)),
    resumeSession: async (input, context) => pipeline.resumeSession(await grounds('resumed', input, context)),
    stopSession: async (input, context) => pipeline.endSession(await grounds('ended', input, context)),
    watchSession: async ({ params: { id } }, context) => {
      const user = access.userOf(context);
      const session = await sessions.getRecordedHere(user, id);
      if (session.ended_at !== null) throw new ServiceError('wrong_state', `the session is over (${session.state})`);
      const { authorization = '' } = context.request.headers;
      const ticket = watchTickets.create({ session: id, user: user.id, authorization });
      return { ...ticket, path: `/api/v1/sessions/${id}/live`, protocol: LIVE_PROTOCOL };
    },
    listConnections: () => peers['rdp-controller'].listConnections({}),
  };
}
