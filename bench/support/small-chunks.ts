/** A hundred sessions whose runs are cut when they are small. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RecordType } from '#evidence/record.ts';
import { newId } from '#platform/id.ts';
import { startRecordingServices } from '../../test/support/recording-services.ts';
import { configBody, scrollingTerminal } from './desktop-traffic.ts';
import type { Row } from './result.ts';

const SESSIONS = 100;
/** The least that settings allow. */
const RUN_BYTES = 64 * 1024;
/** A fast-path input PDU, and a chunk of a channel called x. */
const KEY_PRESS = Uint8Array.of(0x44, 0x04, 0x00, 0x1e);
const CHANNEL_DATA = Uint8Array.of(0, 1, 0x78, 4, 0, 0, 0, 3, 0, 0, 0, 1, 2, 3, 4);

/** @param counts runs in all, for one row each: memory may differ between them, but not grow */
export async function smallChunks(counts: readonly number[]): Promise<Row[]> {
  const pdus = scrollingTerminal(RUN_BYTES);
  const rows: Row[] = [];
  for (const runs of counts) rows.push(await sealRuns(runs, pdus));
  return rows;
}

async function sealRuns(runs: number, pdus: readonly Uint8Array[]): Promise<Row> {
  const data = mkdtempSync(join(tmpdir(), 'lucid-bench-'));
  const services = await startRecordingServices(data, undefined, { LUCID_CHUNK_BYTES: String(RUN_BYTES) });
  try {
    const ids = await Promise.all(Array.from({ length: Math.min(SESSIONS, runs) }, () => services.open()));
    let peak = 0;
    const watch = setInterval(() => {
      peak = Math.max(peak, process.memoryUsage.rss());
    }, 20);
    const cpu = process.cpuUsage();
    const started = performance.now();
    await Promise.all(
      ids.map(async (id) => {
        const writer = await services.records.attach(id, newId(), { acknowledged() {}, failed: console.error });
        writer.append({ type: RecordType.config, flags: 0, timeUs: writer.now(), body: configBody(id) });
        const now = () => writer.now();
        for (let run = 0; run < runs / ids.length; run++) {
          writer.append({ type: RecordType.clientPdu, flags: 0, timeUs: now(), body: KEY_PRESS });
          writer.append({ type: RecordType.channelData, flags: 0, timeUs: now(), body: CHANNEL_DATA });
          for (const body of pdus) {
            writer.append({ type: RecordType.serverPdu, flags: 0, timeUs: now(), body });
          }
          await writer.flush();
        }
        await writer.close();
        await services.recorder.closeRecording({ params: { id }, body: { reason: 'left' } });
      }),
    );
    const seconds = (performance.now() - started) / 1000;
    const { user, system } = process.cpuUsage(cpu);
    clearInterval(watch);
    const { sealed_runs, sealed_chunks, jobs, stages_ms, ratio } = await services.processor.status({});
    return {
      what: `${ids.length} sessions`,
      runs: sealed_runs,
      chunks: sealed_chunks,
      'chunks/min': (sealed_chunks / seconds) * 60,
      'chunks/min of CPU': (sealed_chunks / ((user + system) / 1e6)) * 60,
      'runs/job': sealed_runs / jobs,
      'decode ms/run': stages_ms.decode / sealed_runs,
      'compress ms/run': stages_ms.compress / sealed_runs,
      ratio: ratio ?? 'none',
      'peak MB': peak / 1e6,
    };
  } finally {
    await services.stop();
    rmSync(data, { recursive: true });
  }
}
