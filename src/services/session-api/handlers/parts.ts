import type { Contract, Route } from '#contract/contract.ts';
import type { Peers } from '#contract/index.ts';
import type { Handlers } from '#platform/http/app.ts';
import type { Access } from '../access.ts';
import type { ApiTokens } from '../api-tokens.ts';
import type { AuditLog } from '../audit-log.ts';
import type { OutsideRecordings } from '../outside-recordings.ts';
import type { Rates } from '../rates.ts';
import type { Recorders } from '../recorders.ts';
import type { Sessions } from '../sessions.ts';
import type { Tokens } from '../tokens.ts';
import type { Users } from '../users.ts';
import type { WatchTickets } from '../watch-tickets.ts';

/** What the handlers work with. */
export interface Parts {
  peers: Peers;
  access: Access;
  users: Users;
  tokens: Tokens;
  apiTokens: ApiTokens;
  audit: AuditLog;
  rates: Rates;
  sessions: Sessions;
  recorders: Recorders;
  outside: OutsideRecordings;
  watchTickets: WatchTickets;
}

/** Handlers of some of the API's routes. */
export type HandlersOf<R extends Record<string, Route>> = Handlers<Contract<R>>;
