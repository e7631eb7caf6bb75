/**
 * Claim: records go through the recorder, the chunk processor and the store at the rate at which one core seals them, and
 * memory is bounded by the journal's limit, not by the number of sessions.
 * Floor, measured in the same run: sealing the same records and deriving their keyframes in this thread, stored nowhere.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { type NewRecord, type RecordWriter, UNACKNOWLEDGED_LIMIT_BYTES } from '#contract/record-transport.ts';
import { encodeSealRequest } from '#contract/seal-message.ts';
import { generateIdentity } from '#evidence/node/age-keys.ts';
import { RecordType, writeRecord } from '#evidence/record.ts';
import { newId } from '#platform/id.ts';
import { startRecordingServices } from '../test/support/recording-services.ts';
import { configBody, incompressible, scrollingTerminal } from './support/desktop-traffic.ts';
import { printResult, type Row } from './support/result.ts';

const SHORT = process.argv.includes('--short');
const MIB = 1024 * 1024;
/** Records of all sessions together. */
const TOTAL_BYTES = (SHORT ? 8 : 512) * MIB;
const JOURNAL_BYTES = 256 * MIB;
/** Appends bodies again and again, as fast as they are acknowledged. */
async function write(writer: RecordWriter, type: number, bodies: readonly Uint8Array[], bytes: number): Promise<void> {
  const record = (body: Uint8Array, of = type): NewRecord => ({ type: of, flags: 0, timeUs: writer.now(), body });
  writer.append(record(configBody(newId()), RecordType.config));
  for (let written = 0, i = 0; written < bytes; i++) {
    const body = bodies[i % bodies.length];
    writer.append(record(body));
    written += body.length;
    if (writer.unacknowledgedBytes >= UNACKNOWLEDGED_LIMIT_BYTES) await writer.flush();
  }
  await writer.close();
}

async function measure(what: string, sessions: number, type: number, bodies: readonly Uint8Array[]): Promise<Row> {
  const data = mkdtempSync(join(tmpdir(), 'lucid-bench-'));
  const services = await startRecordingServices(data, generateIdentity(), {
    LUCID_JOURNAL_BYTES: String(JOURNAL_BYTES),
  });
  try {
    const ids = await Promise.all(Array.from({ length: sessions }, () => services.open()));
    const delays = monitorEventLoopDelay({ resolution: 1 });
    delays.enable();
    const resting = process.memoryUsage.rss();
    let peak = resting;
    const watch = setInterval(() => {
      peak = Math.max(peak, process.memoryUsage.rss());
    }, 50);
    const cpu = process.cpuUsage();
    const started = performance.now();
    await Promise.all(
      ids.map(async (id) => {
        const writer = await services.records.attach(id, newId(), {
          acknowledged() {},
          failed: (reason) => console.error(`${id}: ${reason}`),
        });
        await write(writer, type, bodies, TOTAL_BYTES / sessions);
        const status = await services.recorder.closeRecording({ params: { id }, body: { reason: 'left' } });
        if (status.state !== 'closed') throw new Error(`the recording is ${status.state}`);
      }),
    );
    const seconds = (performance.now() - started) / 1000;
    const { user, system } = process.cpuUsage(cpu);
    clearInterval(watch);
    const { stored_bytes, chunks } = await services.storage.status({});
    return {
      what: `${what}, ${sessions} sessions`,
      'MB/s': TOTAL_BYTES / 1e6 / seconds,
      'MB/s of CPU': TOTAL_BYTES / (user + system),
      'stored MB': stored_bytes / 1e6,
      chunks,
      'peak MB': peak / 1e6,
      'at rest MB': resting / 1e6,
      'loop p99 ms': delays.percentile(99) / 1e6,
      'loop max ms': delays.max / 1e6,
    };
  } finally {
    await services.stop();
    rmSync(data, { recursive: true });
  }
}

/** Sealing alone, in this thread, with the decoder's state carried on. */
async function floor(what: string, stream: 'screen' | 'channels', type: number, bodies: readonly Uint8Array[]) {
  const { serveSeal } = await import('#services/chunk-processor/serve-seal.ts');
  const { decodeSealRequest } = await import('#contract/seal-message.ts');
  const recipient = generateIdentity().recipient;
  const config = writeRecord({ type: RecordType.config, flags: 0, time: 0, seq: 0, body: configBody(newId()) });
  const records = stream === 'screen' ? [config] : [];
  let bytes = 0;
  for (let i = 0; bytes < Math.min(TOTAL_BYTES, 32 * MIB); i++) {
    const body = bodies[i % bodies.length];
    records.push(writeRecord({ type: type as typeof RecordType.serverPdu, flags: 0, time: i + 1, seq: i + 1, body }));
    bytes += body.length;
  }
  const head = {
    session_id: newId(),
    stream,
    recipient,
    next_index: { screen: 0, keyframes: 0 },
    stored_bytes: { all: 0, keyframes: 0 },
    activity: [],
  };
  const request = decodeSealRequest(encodeSealRequest(head, new Uint8Array(0), records));
  serveSeal(request, { decode: true, level: 3 });
  const cpu = process.cpuUsage();
  serveSeal(request, { decode: true, level: 3 });
  const { user, system } = process.cpuUsage(cpu);
  return { what: `${what}, sealing alone`, 'MB/s of CPU': bytes / (user + system) };
}

const terminal = scrollingTerminal((SHORT ? 1 : 24) * MIB);
const random = incompressible((SHORT ? 1 : 24) * MIB);
const rows: Row[] = [
  await floor('terminal', 'screen', RecordType.serverPdu, terminal),
  await measure('terminal', 1, RecordType.serverPdu, terminal),
  await measure('terminal', 20, RecordType.serverPdu, terminal),
  await floor('noise', 'channels', RecordType.channelData, random),
  await measure('noise', 1, RecordType.channelData, random),
  await measure('noise', 20, RecordType.channelData, random),
];
printResult('recording', rows);
