import { dirname } from 'node:path';
import { Gauge } from 'prom-client';
import { rdpServerManager, SERVER_STATES } from '#contract/rdp-server-manager.ts';
import { openDatabase } from '#platform/database.ts';
import { implement } from '#platform/http/app.ts';
import { defineService } from '#platform/service.ts';
import { settings } from './config.ts';
import { migrations, type Tables } from './database.ts';
import { ServerStore } from './server-store.ts';
import { Servers } from './servers.ts';
import { Supervisor } from './supervisor.ts';
import { Vault } from './vault.ts';

/** Runs hosted xrdp desktops, each in a sandbox, and keeps external servers with their credentials. */
export const service = defineService({
  name: 'rdp-server-manager',
  settings,
  async create({ settings, folder, log, registry }) {
    const database = await openDatabase<Tables>(`${folder}/servers.sqlite`, migrations);
    const store = new ServerStore(database);
    const sandbox = settings.LUCID_DESKTOP_SANDBOX;
    const supervisor = new Supervisor({
      store,
      // The folder above holds all services' data.
      host: { sandbox, uid: settings.LUCID_DESKTOP_UID, hidden: [dirname(folder)] },
      folder: `${folder}/desktops`,
      exposeDisplay: settings.LUCID_DESKTOP_EXPOSE_DISPLAY,
      checkEveryMs: settings.LUCID_SERVER_CHECK_SECONDS * 1000,
      log,
    });
    const vault = Vault.open(`${folder}/vault.key`);
    const servers = new Servers(store, vault, supervisor, settings.LUCID_MAX_SERVERS);
    if (sandbox === 'none') log.warn(UNPROTECTED);
    new Gauge({
      name: 'lucid_servers',
      help: 'Servers, by state',
      labelNames: ['state'],
      registers: [registry],
      async collect() {
        const states = (await store.all()).map(({ state }) => state);
        for (const state of SERVER_STATES) this.set({ state }, states.filter((each) => each === state).length);
      },
    });

    return {
      handlers: implement(rdpServerManager, {
        createServer: ({ body }) => servers.create(body),
        listServers: ({ query }) => servers.list(query.limit ?? 50, query.cursor ?? ''),
        getServer: ({ params }) => servers.get(params.id),
        updateServer: ({ params, body }) => servers.update(params.id, body),
        async deleteServer({ params }) {
          await servers.remove(params.id);
          return {};
        },
        startServer: ({ params }) => servers.start(params.id),
        stopServer: ({ params }) => servers.stop(params.id),
        restartServer: ({ params }) => servers.restart(params.id),
        getTarget: ({ params }) => servers.target(params.id),
        async pinCertificate({ params, body }) {
          await servers.pin(params.id, body.certificate_sha256);
          return {};
        },
      }),
      checks: {
        database: async () => {
          await database.selectFrom('servers').select('id').limit(1).execute();
          return { status: 'healthy' };
        },
        servers: async () => {
          const failing = await servers.failing();
          return failing.length === 0
            ? { status: 'healthy' }
            : { status: 'degraded', detail: `failed: ${failing.join(', ')}` };
        },
        sandbox: () => (sandbox === 'none' ? { status: 'degraded', detail: UNPROTECTED } : { status: 'healthy' }),
      },
      start: () => supervisor.open(),
      async stop(deadlineMs) {
        await supervisor.close(settings.LUCID_DESKTOP_KEEP, deadlineMs);
        await database.destroy();
      },
    };
  },
});

const UNPROTECTED =
  'LUCID_DESKTOP_SANDBOX=none: hosted desktops run without a sandbox, can read what their user can, see each other and ' +
  'use the network. Only for machines that run nothing else.';
