import { Counter } from 'prom-client';
import { sessionApi } from '#contract/session-api.ts';
import { openDatabase } from '#platform/database.ts';
import { optional, peerAnswers } from '#platform/health.ts';
import { implement } from '#platform/http/app.ts';
import { type Repetition, repeat } from '#platform/repeat.ts';
import { defineService } from '#platform/service.ts';
import { Access } from './access.ts';
import { ApiTokens } from './api-tokens.ts';
import { AuditLog } from './audit-log.ts';
import { withAudit } from './auditing.ts';
import { settings } from './config.ts';
import { migrations, type Tables } from './database.ts';
import { serveDocuments } from './documents.ts';
import { evidenceHandlers } from './handlers/evidence.ts';
import { operationHandlers } from './handlers/operation.ts';
import { peopleHandlers } from './handlers/people.ts';
import { policyHandlers } from './handlers/policies.ts';
import { recorderHandlers } from './handlers/recorders.ts';
import { serverHandlers } from './handlers/servers.ts';
import { sessionHandlers } from './handlers/sessions.ts';
import { videoHandlers } from './handlers/videos.ts';
import { IdempotentAnswers } from './idempotency.ts';
import { LiveRelay } from './live-relay.ts';
import { OutsideRecordings } from './outside-recordings.ts';
import type { Operation } from './permissions.ts';
import { sendToHttps } from './plain-http.ts';
import { Rates } from './rates.ts';
import { Recorders } from './recorders.ts';
import { Sessions } from './sessions.ts';
import { Tokens } from './tokens.ts';
import { Uploads } from './uploads.ts';
import { Users } from './users.ts';
import { WatchTickets } from './watch-tickets.ts';
import { withIdempotency } from './with-idempotency.ts';

const PRUNE_MS = 3_600_000;

/** The public REST API: people log in here, and reach the other services through it. */
export const service = defineService({
  name: 'session-api',
  settings,
  async create({ settings, folder, log, peers, live, registry }) {
    const database = await openDatabase<Tables>(`${folder}/api.sqlite`, migrations);
    const users = new Users(database);
    const tokens = Tokens.open(`${folder}/keys`, settings.LUCID_TOKEN_HOURS * 3600);
    const apiTokens = new ApiTokens(database);
    const audit = new AuditLog(database);
    const answers = IdempotentAnswers.open(database, `${folder}/keys`);
    const rates = new Rates({
      read: settings.LUCID_READS_PER_MINUTE,
      write: settings.LUCID_WRITES_PER_MINUTE,
      create: settings.LUCID_CREATES_PER_MINUTE,
      transfer: settings.LUCID_TRANSFERS_PER_MINUTE,
      password: settings.LUCID_LOGINS_PER_MINUTE,
    });
    const uploads = new Uploads(settings.LUCID_UPLOADS);
    const sessions = new Sessions({
      peers,
      gatewayHost: settings.LUCID_GATEWAY_HOST,
      gatewayPort: settings.LUCID_GATEWAY_PORT,
    });
    const recorders = new Recorders(database);
    const outside = new OutsideRecordings(peers, recorders);
    const access = new Access({ users, tokens, apiTokens, audit, rates });
    const watchTickets = new WatchTickets();
    const relay = new LiveRelay({
      ...{ live, tickets: watchTickets, access, audit, log },
      recheckMs: settings.LUCID_LIVE_RECHECK_SECONDS * 1000,
    });
    const logIns = new Counter({
      name: 'lucid_logins_total',
      help: 'Log-ins, by outcome',
      labelNames: ['outcome'],
      registers: [registry],
    });

    const parts = { peers, access, users, tokens, apiTokens, audit, rates, sessions, recorders, outside, watchTickets };
    const handlers = implement(sessionApi, {
      ...peopleHandlers(parts),
      ...sessionHandlers(parts),
      ...evidenceHandlers(parts),
      ...videoHandlers(parts),
      ...recorderHandlers(parts),
      ...serverHandlers(parts),
      ...policyHandlers(parts),
      ...operationHandlers(parts),
    });
    const audited = withAudit(handlers, {
      audit,
      users,
      access,
      onOutcome(operation, outcome) {
        if (operation === 'logIn') logIns.inc({ outcome });
      },
    });
    let pruning: Repetition | undefined;

    return {
      handlers: withIdempotency(audited, answers, access),
      async authenticate(route, request, reply) {
        await access.check(route as Operation, request, reply);
        if (route === 'putChunk') uploads.enter(reply.raw);
      },
      checks: {
        users: async () => {
          if ((await users.count()) > 0) return { status: 'healthy' };
          return { status: 'unhealthy', detail: 'there is no user: set LUCID_ADMIN_PASSWORD and start again' };
        },
        'session-pipeline': peerAnswers(() => peers['session-pipeline'].listSessions({ query: { limit: 1 } })),
        'session-storage': optional(async () => {
          const { accepts_sessions, free_bytes } = await peers['session-storage'].status({});
          if (accepts_sessions) return { status: 'healthy' };
          return { status: 'degraded', detail: `no new sessions: ${free_bytes} bytes are free` };
        }),
        'rdp-server-manager': peerAnswers(() => peers['rdp-server-manager'].listServers({ query: { limit: 1 } })),
        'rdp-xrdp': peerAnswers(() => peers['rdp-xrdp'].status({})),
      },
      upgrade: (request, socket, head) => relay.upgrade(request, socket, head),
      extend(app) {
        sendToHttps(app);
        serveDocuments(app);
      },
      async start() {
        const onError = (error: unknown) => log.error({ err: error }, 'old answers could not be removed');
        pruning = repeat(() => answers.prune(), PRUNE_MS, onError);
        // Last of all: a start that fails leaves no admin behind whose password nobody was told.
        await users.createFirstAdmin(settings.LUCID_ADMIN_NAME, settings.LUCID_ADMIN_PASSWORD);
      },
      async stop() {
        relay.close();
        await pruning?.stop();
        await database.destroy();
      },
    };
  },
});
