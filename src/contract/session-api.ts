import { evidence } from './api/evidence.ts';
import { operation } from './api/operation.ts';
import { people } from './api/people.ts';
import { policies } from './api/policies.ts';
import { recorders } from './api/recorders.ts';
import { servers } from './api/servers.ts';
import { sessions } from './api/sessions.ts';
import { videos } from './api/videos.ts';
import { defineContract } from './contract.ts';

export type { AuditEntry, Statistics } from './api/operation.ts';
export { type ApiToken, Password, type User, UserName } from './api/people.ts';
export type { OutsideRecorder } from './api/recorders.ts';
export type { SessionTicket, WatchTicket } from './api/sessions.ts';

/** The public REST API. */
export const sessionApi = defineContract('session-api', {
  ...people,
  ...sessions,
  ...evidence,
  ...videos,
  ...recorders,
  ...servers,
  ...policies,
  ...operation,
});
