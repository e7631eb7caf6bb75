import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Static } from 'typebox';
import type { Policy } from '#contract/common.ts';
import { ServiceError } from '#contract/errors.ts';
import type { Peers } from '#contract/index.ts';
import type { Admission } from '#contract/rdp-controller.ts';
import type { ServerTarget } from '#contract/rdp-server-manager.ts';
import type { RecordTransport } from '#contract/record-transport.ts';
import { callAs } from '#platform/http/caller.ts';
import { newId } from '#platform/id.ts';
import { connectLiveTransport } from '#platform/live-transport.ts';
import { createLog } from '#platform/log.ts';
import { createService, type ServiceDefinition } from '#platform/service.ts';
import { service } from '#services/rdp-xrdp/index.ts';

export const SECRET = 'ORANGE';

export interface GatewayOptions {
  target: Partial<ServerTarget>;
  policy: Static<typeof Policy>;
  records: RecordTransport;
  env?: NodeJS.ProcessEnv;
}

export interface TestGateway {
  port: number;
  /** What rdp-controller was told, in order. */
  ended: { id: string; session: string; resumable: boolean; reason: string }[];
  pins: string[];
  /** Sessions that came back by the gateway's own cookie. */
  readmitted: string[];
  /** Sessions that are paused for whoever is admitted to them. */
  paused: Set<string>;
  /** A ticket for a new session. @returns the session, whose id is the ticket's too */
  createTicket(): string;
  /** A request of rdp-controller's. */
  call(method: 'GET' | 'POST', url: string, payload?: object): Promise<{ status: number; body: unknown }>;
  /** Resolves once so many connections have ended. */
  untilEnded(count: number): Promise<void>;
  close(): Promise<void>;
}

/** The gateway's service by itself: what rdp-controller and the recorder do is in the test's hands. */
export async function startGateway({ target, policy, records, env = {} }: GatewayOptions): Promise<TestGateway> {
  const folder = mkdtempSync(join(tmpdir(), 'lucid-gateway-'));
  const tickets = new Set<string>();
  const live = new Map<string, string>();
  const paused = new Set<string>();
  const ended: TestGateway['ended'] = [];
  const pins: string[] = [];
  const readmitted: string[] = [];
  let noticed = Promise.withResolvers<void>();
  const admission = (session_id: string): Admission => {
    const connection_id = newId();
    live.set(connection_id, session_id);
    const none = { socket_path: null, host: null, port: null, user: '', domain: '', password: '' };
    const full = { server_id: newId(), ...none, certificate_sha256: null, ...target };
    return { connection_id, session_id, policy, target: full, paused: paused.has(session_id) };
  };
  const controller: Pick<
    Peers['rdp-controller'],
    'admit' | 'readmit' | 'connectionEnded' | 'serverCertificate' | 'listConnections'
  > = {
    async admit({ body }) {
      if (body.secret !== SECRET || !tickets.delete(body.ticket_id)) {
        throw new ServiceError('ticket_refused', 'This ticket was used before. Ask for a new one.');
      }
      return admission(body.ticket_id);
    },
    async readmit({ body }) {
      readmitted.push(body.session_id);
      return admission(body.session_id);
    },
    async connectionEnded({ params, body }) {
      ended.push({ id: params.id, session: live.get(params.id) ?? '', ...body });
      noticed.resolve();
      noticed = Promise.withResolvers();
      return {};
    },
    listConnections: async () => ({ items: [] }),
    async serverCertificate({ body }) {
      pins.push(body.certificate_sha256);
      return {};
    },
  };
  const recorder: Pick<Peers['session-recorder'], 'nodeKey'> = { nodeKey: async () => ({ verifier_key: '' }) };
  const tls = { key: '', cert: '', ca: '' };
  const { app, service: running } = await createService(
    service as unknown as ServiceDefinition,
    { LUCID_RDP_XRDP_PORT: '0', LUCID_RDP_XRDP_HOST: '127.0.0.1', ...env },
    {
      log: createLog(process.env.LUCID_TEST_LOG ?? 'silent'),
      peers: { 'rdp-controller': controller, 'session-recorder': recorder } as Peers,
      records,
      live: connectLiveTransport(() => new URL('https://127.0.0.1:1'), tls),
      folder,
      tls,
    },
  );
  await app.ready();
  await running.start?.();
  return {
    port: running.rdpPort!(),
    ended,
    pins,
    readmitted,
    paused,
    createTicket() {
      const id = newId();
      tickets.add(id);
      return id;
    },
    async call(method, url, payload) {
      const response = await callAs(
        'rdp-controller',
        async () => await app.inject({ method, url, ...(payload && { payload }) }),
      );
      return { status: response.statusCode, body: response.json() };
    },
    async untilEnded(count) {
      while (ended.length < count) await noticed.promise;
    },
    async close() {
      await running.stop?.(3000);
      await app.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
