/**
 * Claim: a recording replays many times faster than it was made, and a seek to any moment takes well under a second.
 * Floors, measured in the same run: opening the chunks (hash, age, zstd) without drawing anything; zstd -d alone; reading
 * the records from a file.
 * `--bundle FOLDER --identity FILE` takes a real recording.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AgeIdentity, generateIdentity, parseIdentityFile } from '#evidence/node/age-keys.ts';
import { BundleReader } from '#evidence/node/bundle-reader.ts';
import { openBundleSource } from '#evidence/node/bundle-source.ts';
import { RecordType, recordSize } from '#evidence/record.ts';
import { applyScreenRecord } from '#evidence/replayed-screen.ts';
import { newId } from '#platform/id.ts';
import { replayTo, startScreen } from '../src/cli/replay-screen.ts';
import { startRecordingServices } from '../test/support/recording-services.ts';
import { configBody, PDUS_A_FRAME, scrollingTerminal } from './support/desktop-traffic.ts';
import { median, printResult, quantile, type Row } from './support/result.ts';
import { zstdSeconds } from './support/zstd-program.ts';

const SHORT = process.argv.includes('--short');
const RUNS = SHORT ? 1 : 3;
const SEEKS = SHORT ? 5 : 60;
const TRAFFIC_BYTES = (SHORT ? 2 : 96) * 1024 * 1024;
const FRAMES_A_SECOND = 10;

/** Records traffic through the real services. @returns the store's folder of the session */
async function record(data: string, auditor: AgeIdentity): Promise<string> {
  const services = await startRecordingServices(data, auditor);
  try {
    const id = await services.open();
    const writer = await services.records.attach(id, newId(), { acknowledged() {}, failed: console.error });
    writer.append({ type: RecordType.config, flags: 0, timeUs: 0, body: configBody(id) });
    for (const [i, body] of scrollingTerminal(TRAFFIC_BYTES).entries()) {
      const timeUs = Math.floor((i / PDUS_A_FRAME / FRAMES_A_SECOND) * 1e6);
      writer.append({ type: RecordType.serverPdu, flags: 0, timeUs, body });
      if (i % 100 === 0) await writer.flush();
    }
    await writer.close();
    await services.recorder.closeRecording({ params: { id }, body: { reason: 'left' } });
    return services.folderOf(id);
  } finally {
    await services.stop();
  }
}

/** Seconds of CPU that `work` takes: the median of several runs, after one that warms up. */
function cpuSeconds(work: () => void): number {
  const run = () => {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1e6;
  };
  run();
  return median(Array.from({ length: RUNS }, run));
}

/** CPU seconds of reading these bytes from a file that the system holds in memory. */
function secondsToRead(bytes: Buffer): number {
  const folder = mkdtempSync(join(tmpdir(), 'lucid-bench-'));
  const file = join(folder, 'records');
  try {
    writeFileSync(file, bytes);
    return cpuSeconds(() => readFileSync(file));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function measure(folder: string, identities: readonly AgeIdentity[]): Row[] {
  const reader = new BundleReader(openBundleSource(folder), identities);
  let [bytes, pdus] = [0, 0];
  for (const { record } of reader.records(['screen'])) {
    bytes += recordSize(record);
    if (record.type === RecordType.serverPdu) pdus++;
  }
  const leaves = reader.leavesOf('screen');
  const end = leaves.reduce((latest, leaf) => Math.max(latest, leaf.lastTime), 0);
  const opening = cpuSeconds(() => {
    for (const leaf of leaves) reader.run(leaf);
  });
  const playing = cpuSeconds(() => {
    const screen = startScreen(reader);
    for (const { record } of reader.records(['screen'])) applyScreenRecord(screen, record);
  });
  const records = Buffer.concat(leaves.map((leaf) => reader.run(leaf).records));
  const decompressing = zstdSeconds('decompress', records, RUNS);
  const seeks = Array.from({ length: SEEKS }, (_, i) => {
    const started = performance.now();
    // Golden-ratio steps: spread evenly, in no order.
    replayTo(reader, Math.floor(((i * 0.618034) % 1) * end));
    return performance.now() - started;
  });
  const row = (what: string, seconds: number) => ({
    what,
    'MB/s': bytes / 1e6 / seconds,
    'PDUs/s': pdus / seconds,
    'times real time': end / 1e6 / seconds,
  });
  return [
    row('play from start to end', playing),
    row('floor: open the chunks', opening),
    ...(decompressing === null ? [] : [row('floor: zstd -d alone', decompressing)]),
    row('floor: read the records', secondsToRead(records)),
    {
      what: `seek, of ${SEEKS}`,
      'p50 ms': quantile(seeks, 0.5),
      'p95 ms': quantile(seeks, 0.95),
      'max ms': Math.max(...seeks),
    },
    { what: 'the recording', 'records MB': bytes / 1e6, chunks: leaves.length, seconds: end / 1e6 },
  ];
}

const option = (name: string) => {
  const at = process.argv.indexOf(name);
  return at < 0 ? null : process.argv[at + 1];
};
const [given, identityFile] = [option('--bundle'), option('--identity')];
if (given !== null && identityFile !== null) {
  printResult('replay', measure(given, parseIdentityFile(readFileSync(identityFile, 'utf8'))));
} else {
  const data = mkdtempSync(join(tmpdir(), 'lucid-bench-'));
  try {
    const auditor = generateIdentity();
    printResult('replay', measure(await record(data, auditor), [auditor]));
  } finally {
    rmSync(data, { recursive: true });
  }
}
