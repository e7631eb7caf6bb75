import type { FastifyInstance } from 'fastify';
import { Gauge } from 'prom-client';
import { ServiceError } from '#contract/errors.ts';
import { rdpXrdp } from '#contract/rdp-xrdp.ts';
import { peerAnswers } from '#platform/health.ts';
import { implement } from '#platform/http/app.ts';
import { listenError } from '#platform/listen-error.ts';
import { defineService } from '#platform/service.ts';
import { openCertificate } from './certificate.ts';
import { settings } from './config.ts';
import { ended } from './end-cause.ts';
import { Gateway } from './gateway.ts';
import { ReconnectCookies } from './reconnect-cookies.ts';
import type { Session } from './session.ts';

/** The RDP gateway: admits clients, enforces the session's policy, and shows nothing before it is recorded. */
export const service = defineService({
  name: 'rdp-xrdp',
  settings,
  async create({ settings, folder, log, peers, records, registry }) {
    const given = { certificate: settings.LUCID_RDP_CERTIFICATE, key: settings.LUCID_RDP_KEY };
    const { context, sha256 } = await openCertificate(given, folder);
    const started_at = new Date().toISOString();
    let app: FastifyInstance | null = null;
    const gateway = new Gateway(
      {
        log,
        controller: peers['rdp-controller'],
        records,
        certificate: context,
        cookies: new ReconnectCookies(),
      },
      {
        connections: settings.LUCID_RDP_MAX_CONNECTIONS,
        handshakes: settings.LUCID_RDP_MAX_HANDSHAKES,
        perAddress: settings.LUCID_RDP_MAX_PER_ADDRESS,
        handshakesPerAddress: settings.LUCID_RDP_MAX_HANDSHAKES_PER_ADDRESS,
      },
      () => app,
    );
    new Gauge({
      name: 'lucid_rdp_connections',
      help: 'RDP connections, admitted or not',
      registers: [registry],
      collect() {
        this.set(gateway.limits.connections);
      },
    });
    new Gauge({
      name: 'lucid_rdp_handshakes',
      help: 'RDP connections that are not admitted yet',
      registers: [registry],
      collect() {
        this.set(gateway.limits.handshakes);
      },
    });

    /** @throws ServiceError `not_found` */
    function sessionOf(id: string): Session {
      const session = gateway.sessions.find(({ connectionId }) => connectionId === id);
      if (!session) throw new ServiceError('not_found', `there is no connection ${id}`);
      return session;
    }

    return {
      handlers: implement(rdpXrdp, {
        endConnection: ({ params, body }) => {
          sessionOf(params.id).end(ended('The session is over', body.reason));
          return {};
        },
        pauseConnection: async ({ params, body }) => {
          await sessionOf(params.id).pause(body.reason);
          return {};
        },
        resumeConnection: ({ params }) => {
          sessionOf(params.id).resume();
          return {};
        },
        status: () => ({
          rdp_port: gateway.port,
          certificate_sha256: sha256,
          connections: gateway.limits.connections,
          started_at,
        }),
        listConnections: () => ({
          items: gateway.sessions.map(({ connectionId, sessionId, traffic }) => ({
            id: connectionId,
            session_id: sessionId,
            ...traffic,
          })),
        }),
      }),
      checks: {
        listener: () =>
          gateway.isListening
            ? { status: 'healthy', detail: `${gateway.limits.connections} connections` }
            : { status: 'unhealthy', detail: 'the RDP port is not open' },
        'rdp-controller': peerAnswers(() => peers['rdp-controller'].listConnections({})),
        'session-recorder': peerAnswers(() => peers['session-recorder'].nodeKey({})),
      },
      extend(fastify) {
        app = fastify;
      },
      rdpPort: () => gateway.port,
      async start() {
        const { LUCID_RDP_XRDP_HOST: host, LUCID_RDP_XRDP_PORT: port } = settings;
        await gateway.listen(host, port).catch((error) => {
          throw listenError('rdp-xrdp', host, port, 'LUCID_RDP_XRDP_PORT', error);
        });
      },
      stop: (deadlineMs) => gateway.stop(deadlineMs),
    };
  },
});
