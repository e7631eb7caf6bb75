import { Counter, Gauge } from 'prom-client';
import { ServiceError } from '#contract/errors.ts';
import { rdpController } from '#contract/rdp-controller.ts';
import { openDatabase } from '#platform/database.ts';
import { peerAnswers } from '#platform/health.ts';
import { implement } from '#platform/http/app.ts';
import { newId } from '#platform/id.ts';
import { policyHash } from '#platform/policy-hash.ts';
import { type Repetition, repeat } from '#platform/repeat.ts';
import { defineService } from '#platform/service.ts';
import { Admissions } from './admission.ts';
import { Approvals } from './approvals.ts';
import { settings, splitList } from './config.ts';
import { Connections } from './connections.ts';
import { migrations, type Tables } from './database.ts';
import { Lockout } from './lockout.ts';
import { NamedPolicies } from './named-policies.ts';
import { resolvePolicy, type Wish, wishedPolicy } from './policies.ts';
import { Tickets } from './tickets.ts';

const SWEEP_MS = 5000;

/** Decides who is let in, to what, and for how long. */
export const service = defineService({
  name: 'rdp-controller',
  settings,
  async create({ settings, folder, log, peers, registry }) {
    const database = await openDatabase<Tables>(`${folder}/controller.sqlite`, migrations);
    const pipeline = peers['session-pipeline'];
    const servers = peers['rdp-server-manager'];
    const gateway = peers['rdp-xrdp'];
    const tickets = new Tickets(database);
    const lockout = new Lockout({ attempts: settings.LUCID_LOCKOUT_ATTEMPTS, seconds: settings.LUCID_LOCKOUT_SECONDS });
    const connections = new Connections({
      database,
      pipeline,
      gateway,
      log,
      limits: {
        all: settings.LUCID_MAX_CONNECTIONS,
        user: settings.LUCID_MAX_CONNECTIONS_PER_USER,
        server: settings.LUCID_MAX_CONNECTIONS_PER_SERVER,
        address: settings.LUCID_MAX_CONNECTIONS_PER_ADDRESS,
      },
    });
    const sessionMinutes = settings.LUCID_SESSION_MINUTES;
    const admissions = new Admissions({ tickets, connections, lockout, pipeline, servers, sessionMinutes });
    const rules = {
      defaults: splitList(settings.LUCID_DEFAULT_POLICY),
      user: splitList(settings.LUCID_USER_POLICY),
      sessionMinutes,
      idleMinutes: settings.LUCID_IDLE_MINUTES,
      approvalRoles: splitList(settings.LUCID_APPROVAL_ROLES),
    };
    const policies = new NamedPolicies(database, rules);
    const approvals = new Approvals(database, settings.LUCID_APPROVAL_MINUTES);

    /** @throws ServiceError `not_found` for a policy name that there is not */
    async function wishOf(asked: Wish & { policy_name?: string }): Promise<Wish> {
      const { role, server_id, policy, policy_name } = asked;
      if (policy_name === undefined) return { role, server_id, ...(policy && { policy }) };
      if (policy) throw new ServiceError('invalid_request', 'a policy of its own or a named one is wanted, not both');
      return { role, server_id, named: await policies.named(policy_name) };
    }

    const outcomes = new Counter({
      name: 'lucid_admissions_total',
      help: 'Clients let in (done) or refused, by the code of the refusal',
      labelNames: ['outcome'],
      registers: [registry],
    });
    new Gauge({
      name: 'lucid_connections',
      help: 'Live connections',
      registers: [registry],
      async collect() {
        this.set((await connections.list()).filter((connection) => connection.ended_at === null).length);
      },
    });

    /** Counts and logs how an admission went. */
    async function tell<T>(client: { address: string; name: string }, admission: Promise<T>): Promise<T> {
      try {
        const admitted = await admission;
        outcomes.inc({ outcome: 'done' });
        return admitted;
      } catch (error) {
        const code = error instanceof ServiceError ? error.code : 'internal';
        outcomes.inc({ outcome: code });
        log.info({ client: client.address, client_name: client.name, code }, 'a client was refused');
        throw error;
      }
    }

    let sweeping: Repetition | undefined;

    async function sweep(): Promise<void> {
      await connections.sweep();
      await connections.reconcile();
      await tickets.prune();
      await approvals.prune();
    }

    return {
      handlers: implement(rdpController, {
        resolvePolicy: async ({ body }) => {
          const { approval_id } = body;
          if (approval_id && (body.policy || body.policy_name)) {
            throw new ServiceError(
              'invalid_request',
              'the approval says what is allowed: no policy is wanted beside it',
            );
          }
          const policy = approval_id
            ? await approvals.use(approval_id, body)
            : resolvePolicy(await wishOf(body), rules);
          return { policy, policy_sha256: policyHash(policy).toString('hex') };
        },
        createPolicy: ({ body }) => policies.create(body),
        listPolicies: ({ query }) => policies.list(query),
        getPolicy: ({ params }) => policies.get(params.id),
        updatePolicy: ({ params, body }) => policies.update(params.id, body),
        deletePolicy: async ({ params }) => {
          await policies.delete(params.id);
          return {};
        },
        createApproval: async ({ body }) => {
          const { user_id, server_id, reason, policy_name = null } = body;
          const policy = wishedPolicy(await wishOf(body), rules);
          return approvals.create({ user_id, server_id, reason, policy_name, policy });
        },
        listApprovals: ({ query }) => approvals.list(query),
        getApproval: ({ params }) => approvals.get(params.id),
        decideApproval: ({ params, body }) => approvals.decide(params.id, body),
        unuseApproval: async ({ params, body }) => {
          await approvals.unuse(params.id, body.session_id);
          return {};
        },
        createTicket: ({ body }) =>
          tickets.create(body.session_id, body.lifetime_seconds ?? settings.LUCID_TICKET_SECONDS),
        admit: ({ body }) => {
          const client = { address: body.client_address, name: body.client_name };
          return tell(client, admissions.admit({ id: body.ticket_id, secret: body.secret }, client));
        },
        readmit: ({ body }) => {
          const client = { address: body.client_address, name: '' };
          return tell(client, admissions.readmit(body.session_id, client));
        },
        connectionEnded: async ({ params, body }) => {
          await connections.ended(params.id, body.resumable, body.reason);
          return {};
        },
        serverCertificate: async ({ params, body }) => {
          const { server_id } = await connections.get(params.id);
          await servers.pinCertificate({ params: { id: server_id }, body });
          return {};
        },
        listConnections: async () => ({ items: await connections.list() }),
        pauseSession: async ({ params, body }) => {
          await connections.pauseSession(params.id, body.reason);
          return {};
        },
        resumeSession: async ({ params }) => {
          await connections.resumeSession(params.id);
          return {};
        },
        endSession: async ({ params, body }) => {
          await connections.endSession(params.id, body.reason);
          return {};
        },
      }),
      checks: {
        database: async () => {
          await database.selectFrom('connections').select('id').limit(1).execute();
          return { status: 'healthy' };
        },
        'session-pipeline': peerAnswers(() => pipeline.listSessions({ query: { limit: 1 } })),
        'rdp-server-manager': peerAnswers(() => servers.getServer({ params: { id: newId() } })),
        'rdp-xrdp': peerAnswers(() => gateway.status({})),
      },
      async start() {
        await connections.reconcile(true).catch((error) => log.warn({ err: error }, 'the gateway cannot be asked yet'));
        sweeping = repeat(sweep, SWEEP_MS, (error) => log.warn({ err: error }, 'live connections could not be swept'));
      },
      async stop() {
        await sweeping?.stop();
        await database.destroy();
      },
    };
  },
});
