/** Recorder, processor and storage as they run in one program, on a folder of their own. */
import { join } from 'node:path';
import { pino } from 'pino';
import { createClient } from '#contract/contract.ts';
import { CONTRACTS, type Peers } from '#contract/index.ts';
import type { RecordTransport } from '#contract/record-transport.ts';
import { SERVICE_NAMES, type ServiceName } from '#contract/services.ts';
import { type AgeIdentity, generateIdentity } from '#evidence/node/age-keys.ts';
import { injectTransport } from '#platform/http/transport.ts';
import { newId } from '#platform/id.ts';
import { connectLiveTransport, type LiveTransport } from '#platform/live-transport.ts';
import { PrivateAuthority } from '#platform/pki.ts';
import { connectRecordTransport } from '#platform/record-transport/client.ts';
import { compose } from '#run/compose.ts';
import type { Address } from '#run/settings.ts';

export interface RecordingServices {
  recorder: Peers['session-recorder'];
  /** The key that its entries are verified with. */
  verifierKey(): Promise<string>;
  /** The recorder as session-api may call it. */
  videos: Peers['session-recorder'];
  storage: Peers['session-storage'];
  processor: Peers['chunk-processor'];
  /** The recorder's own end of the transport: direct calls. */
  records: RecordTransport;
  /** The transport over a WebSocket, with the certificate of `caller`. */
  connect(caller: ServiceName): Promise<RecordTransport>;
  /** The way to the live views, with the certificate of `caller`. */
  live(caller: ServiceName): Promise<LiveTransport>;
  /** Answer of the service's `/health`. */
  health(name: ServiceName): Promise<{ status: string; checks: Record<string, { status: string; detail?: string }> }>;
  /** Answer of the service's `/metrics`. */
  metrics(name: ServiceName): Promise<string>;
  /** Opens the recording of a new session. @returns its id */
  open(): Promise<string>;
  /** Where the store keeps a session. */
  folderOf(session: string): string;
  stop(): Promise<void>;
}

/**
 * Starts the three services.
 * @param data an existing folder
 * @param auditor whom everything is sealed to
 */
export async function startRecordingServices(
  data: string,
  auditor: AgeIdentity = generateIdentity(),
  settings: Record<string, string> = {},
): Promise<RecordingServices> {
  const log = pino({ level: process.env.LOG_LEVEL ?? 'silent' });
  const nowhere: Address = { host: '127.0.0.1', port: 0, url: 'https://127.0.0.1:1' };
  const composition = await compose({
    services: ['session-storage', 'chunk-processor', 'session-recorder'],
    env: {
      LUCID_RECIPIENTS: auditor.recipient,
      LUCID_RECOVERY_RECIPIENT: auditor.recipient,
      LUCID_STORAGE_FLOOR_BYTES: '0',
      LUCID_JOURNAL_FLOOR_BYTES: '0',
      LUCID_JOURNAL_SEGMENT_BYTES: String(4 * 1024 * 1024),
      ...settings,
    },
    addresses: Object.fromEntries(SERVICE_NAMES.map((name) => [name, nowhere])) as Record<ServiceName, Address>,
    data,
    tlsFolder: '',
    log,
  });
  const running = (name: ServiceName) => composition.services.find((service) => service.name === name)!;
  const client = <N extends ServiceName>(name: N, caller: ServiceName) =>
    createClient(
      CONTRACTS[name],
      injectTransport(() => running(name).app, caller),
    ) as Peers[N];
  const recorder = client('session-recorder', 'session-pipeline');
  const url = new URL(`https://127.0.0.1:${composition.ports['session-recorder']}`);
  return {
    recorder,
    videos: client('session-recorder', 'session-api'),
    verifierKey: async () => (await client('session-recorder', 'session-api').nodeKey({})).verifier_key,
    storage: client('session-storage', 'session-api'),
    processor: client('chunk-processor', 'session-api'),
    records: running('session-recorder').service.records!,
    async connect(caller) {
      const authority = await PrivateAuthority.open(join(data, 'pki'));
      return connectRecordTransport(url, await authority.issue(caller), log);
    },
    async live(caller) {
      const authority = await PrivateAuthority.open(join(data, 'pki'));
      return connectLiveTransport(() => url, await authority.issue(caller));
    },
    health: async (name) => (await running(name).app.inject('/health')).json(),
    metrics: async (name) => (await running(name).app.inject('/metrics')).body,
    async open() {
      const session_id = newId();
      await recorder.openRecording({ body: { session_id, server_id: newId(), user_id: newId(), policy: {} } });
      return session_id;
    },
    folderOf: (session) => join(data, 'session-storage', 'sessions', session),
    stop: () => composition.stop(10_000),
  };
}
