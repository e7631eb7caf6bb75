/** The whole way of incompressible records, and what its parts cost by themselves. */
import { createCipheriv, createHash, randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UNACKNOWLEDGED_LIMIT_BYTES } from '#contract/record-transport.ts';
import { zstd } from '#evidence/node/zstd.ts';
import { RecordType } from '#evidence/record.ts';
import { newId } from '#platform/id.ts';
import { type RecordingServices, startRecordingServices } from '../../test/support/recording-services.ts';
import { configBody, incompressible } from './desktop-traffic.ts';
import type { Row } from './result.ts';

const MIB = 1024 * 1024;
const PIECE = 64 * 1024;

/**
 * Times what lies between the journal and the store: reading back, decrypting, sealing, storing with every sync, leaves and
 * signed entries. All records are in the journal before the clock starts.
 *
 * @param runBytes of each session's run: up to 48 MiB, so that it is cut when its recording is closed
 */
export async function fromJournalToStore(sessions: number, runBytes: number): Promise<Row[]> {
  const bodies = incompressible(runBytes);
  const records = Buffer.concat(bodies);
  const data = mkdtempSync(join(tmpdir(), 'lucid-bench-'));
  try {
    const services = await startRecordingServices(data, undefined, {
      LUCID_JOURNAL_BYTES: String(4096 * MIB),
      LUCID_JOURNAL_SEGMENT_BYTES: String(32 * MIB),
      LUCID_CHUNK_BYTES: String(64 * MIB),
      LUCID_CHUNK_SECONDS: '3600',
    });
    const rows = await timeSealing(services, sessions, bodies);
    return [
      ...rows,
      floor('floor: zstd -3 --long=24', records, () => zstd(records, { level: 3, windowLog: 24, isLong: true })),
      floor('floor: ChaCha20-Poly1305 and SHA-256', records, () => encryptAndHash(records)),
      floor('floor: write and fsync', records, () => writeFile(data, records)),
    ];
  } finally {
    rmSync(data, { recursive: true });
  }
}

async function timeSealing(
  services: RecordingServices,
  sessions: number,
  bodies: readonly Uint8Array[],
): Promise<Row[]> {
  try {
    const ids: string[] = [];
    for (let i = 0; i <= sessions; i++) ids.push(await fillJournal(services, bodies));
    const close = (id: string) => services.recorder.closeRecording({ params: { id }, body: { reason: 'left' } });
    // Threads are started, and their code compiled, with the first.
    await close(ids.shift()!);
    const bytes = sessions * bodies.reduce((sum, { length }) => sum + length, 0);
    const cpu = process.cpuUsage();
    const started = performance.now();
    await Promise.all(ids.map(close));
    const seconds = (performance.now() - started) / 1000;
    const { user, system } = process.cpuUsage(cpu);
    return [
      {
        what: `${sessions} sessions`,
        'MB/s': bytes / 1e6 / seconds,
        'MB/s of CPU': bytes / (user + system),
        'cores used': (user + system) / 1e6 / seconds,
      },
    ];
  } finally {
    await services.stop();
  }
}

/** A session whose run waits to be cut. @returns its id */
async function fillJournal(services: RecordingServices, bodies: readonly Uint8Array[]): Promise<string> {
  const id = await services.open();
  const writer = await services.records.attach(id, newId(), { acknowledged() {}, failed: console.error });
  writer.append({ type: RecordType.config, flags: 0, timeUs: writer.now(), body: configBody(id) });
  for (const body of bodies) {
    writer.append({ type: RecordType.channelData, flags: 0, timeUs: writer.now(), body });
    if (writer.unacknowledgedBytes >= UNACKNOWLEDGED_LIMIT_BYTES) await writer.flush();
  }
  await writer.close();
  return id;
}

/** By itself, in this thread, the second time. */
function floor(what: string, records: Uint8Array, work: () => void): Row {
  work();
  const cpu = process.cpuUsage();
  const started = performance.now();
  work();
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { what, 'MB/s': records.length / 1e6 / seconds, 'MB/s of CPU': records.length / (user + system) };
}

function encryptAndHash(records: Uint8Array): void {
  const hash = createHash('sha256');
  for (let at = 0; at < records.length; at += PIECE) {
    const cipher = createCipheriv('chacha20-poly1305', randomBytes(32), Buffer.alloc(12), { authTagLength: 16 });
    hash.update(cipher.update(records.subarray(at, at + PIECE)));
    cipher.final();
  }
  hash.digest();
}

function writeFile(folder: string, records: Uint8Array): void {
  const file = openSync(join(folder, 'floor'), 'w');
  for (let at = 0; at < records.length; at += MIB) writeSync(file, records, at, Math.min(MIB, records.length - at));
  fsyncSync(file);
  closeSync(file);
}
