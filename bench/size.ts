/**
 * Claim: a lossless recording of a 1920 × 1080 desktop is about as small as lossy video of it, or smaller.
 * Peer: FFmpeg, x11grab and libx264 veryfast at 10 frames a second, of the same desktop in the same seconds.
 * Floor: zstd -3 --long=24 on the same records in one piece, neither encrypted nor indexed.
 *
 * FreeRDP, with its defaults (bitmaps) and with its caches (drawing orders), shows an xrdp desktop (libvnc) through the gateway; all ten services run as `lucid up` runs
 * them; `--keep FOLDER` keeps the bundles and the auditor's identity. What a session costs before anything happens at the desktop is a row of its own and not part of the others.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { decodeSealAnswer } from '#contract/seal-message.ts';
import { parseIdentityFile } from '#evidence/node/age-keys.ts';
import { BundleReader } from '#evidence/node/bundle-reader.ts';
import { openBundleSource } from '#evidence/node/bundle-source.ts';
import type { Stream } from '#evidence/record.ts';
import { serveSeal } from '#services/chunk-processor/serve-seal.ts';
import type { Display } from '../test/support/display.ts';
import { FreeRdp } from '../test/support/freerdp.ts';
import { TestLucid } from '../test/support/lucid.ts';
import { needs } from '../test/support/needs.ts';
import { Replay } from '../test/support/replay.ts';
import { median, printResult, type Row } from './support/result.ts';
import { ScreenVideo } from './support/screen-video.ts';
import { runWorkload, type Workload } from './support/workload.ts';

const SHORT = process.argv.includes('--short');
const RUNS = SHORT ? 1 : 3;
const SECONDS = SHORT ? 4 : 22;
const SETTLE_MS = SHORT ? 1000 : 3000;
const WORKLOADS: Workload[] = SHORT ? ['activity above'] : ['activity above', 'activity below', 'typing'];
const SIZE = { width: 1920, height: 1080 };
const ZSTD_LEVEL = 9;
/** Where the bundles go, for bench/replay.ts. */
const { keep: KEEP } = parseArgs({ options: { keep: { type: 'string' }, short: { type: 'boolean' } } }).values;

/** Options of FreeRDP by the profile that they lead to. */
const CLIENTS = { bitmaps: ['/bpp:32'], orders: ['/bpp:32', '+bitmap-cache', '+glyph-cache'] };
type Profile = keyof typeof CLIENTS;

interface Sample {
  records: number;
  stored: number;
  floor: number;
  /** CPU seconds of sealing: keyframes, index, compression, encryption. */
  sealing: number;
  video: number;
  /** CPU seconds of encoding the video. */
  encoding: number;
}

/** One session, with a workload or with nothing going on. */
async function measure(
  lucid: TestLucid,
  desktop: Display,
  profile: Profile,
  workload: Workload | null,
): Promise<Sample> {
  const { session, ticket_id, secret } = await lucid.createSession('size', { input: true });
  const credentials = { user: ticket_id, password: secret };
  const client = await FreeRdp.start({
    port: lucid.running.rdpPort,
    ...SIZE,
    ...credentials,
    args: CLIENTS[profile],
  });
  let video = { bytes: 0, cpuSeconds: 0 };
  try {
    await client.connected();
    await sleep(SETTLE_MS);
    if (workload) {
      const file = join(lucid.folder, 'peer.mkv');
      const peer = await ScreenVideo.start(desktop.name, `${SIZE.width}x${SIZE.height}`, 'veryfast', file);
      await runWorkload(workload, desktop.name, SECONDS);
      video = await peer.finish();
    }
    await sleep(SETTLE_MS);
  } finally {
    await client.close();
  }
  const folder = await lucid.bundleOf(session.id);
  if (KEEP && workload) {
    cpSync(folder, join(KEEP, `${workload.replace(' ', '-')}-${profile}`), { recursive: true });
    cpSync(lucid.identityFile, join(KEEP, 'auditor.txt'));
  }
  const identities = parseIdentityFile(readFileSync(lucid.identityFile, 'utf8'));
  const reader = new BundleReader(openBundleSource(folder), identities);
  const recorded = new Replay(folder, lucid.identityFile).config;
  if (recorded.profile !== profile)
    throw new Error(`${recorded.profile}, wanted ${profile}: ${recorded.profileReason}`);
  // Code that was never run before is slow: the first time does not count.
  sealAgain(reader);
  const { records, sealing } = sealAgain(reader);
  return {
    records: records.length,
    stored: reader.leaves.reduce((sum, leaf) => sum + leaf.storedBytes, 0),
    floor: zstdBytes(records),
    sealing,
    video: video.bytes,
    encoding: video.cpuSeconds,
  };
}

/** Seals a recording's runs as the chunk processor does. @returns their records and the CPU seconds it took */
function sealAgain(reader: BundleReader): { records: Buffer; sealing: number } {
  const parts: Buffer[] = [];
  let sealing = 0;
  let state: Uint8Array = new Uint8Array();
  const next: Partial<Record<Stream, number>> = {};
  const stored = { all: 0, keyframes: 0 };
  const captured = reader.leaves.filter(({ stream }) => stream !== 'keyframes' && stream !== 'index');
  for (const leaf of captured) {
    const stream = leaf.stream as 'screen' | 'input' | 'channels';
    const { records } = reader.run(leaf);
    const head = {
      session_id: reader.open.session,
      stream,
      recipient: reader.open.keys.find(({ name }) => name === (stream === 'screen' ? 'screen' : stream))!.publicKey,
      next_index: { screen: next.screen ?? 0, keyframes: next.keyframes ?? 0 },
      stored_bytes: { ...stored },
      activity: [],
    };
    const before = process.cpuUsage();
    const request = { head, state: stream === 'screen' ? state : new Uint8Array(), records };
    const sealed = serveSeal(request, { decode: true, level: ZSTD_LEVEL });
    const { user, system } = process.cpuUsage(before);
    sealing += (user + system) / 1e6;
    if (stream === 'screen') state = decodeSealAnswer(sealed.answer).state;
    for (const chunk of sealed.chunks) {
      next[chunk.stream] = (next[chunk.stream] ?? 0) + 1;
      stored.all += chunk.bytes;
      if (chunk.stream === 'keyframes') stored.keyframes += chunk.bytes;
    }
    parts.push(records);
  }
  return { records: Buffer.concat(parts), sealing };
}

/** What Debian's zstd makes of all records in one piece. */
function zstdBytes(records: Buffer): number {
  const { stdout, status } = spawnSync('zstd', ['-3', '--long=24', '-q', '-c'], { input: records, maxBuffer: 1 << 30 });
  if (status !== 0) throw new Error(`zstd ended with code ${status}`);
  return stdout.length;
}

const of = (samples: readonly Sample[], key: keyof Sample) => median(samples.map((sample) => sample[key]));

/** Medians, less what the same session costs with nothing going on, for a minute of the workload. */
function toRow(what: string, samples: Sample[], idle: Sample[]): Row {
  const perMinute = (key: keyof Sample) => ((of(samples, key) - of(idle, key)) * 60) / SECONDS;
  return {
    what,
    'records MB/min': perMinute('records') / 1e6,
    'sealed MB/min': perMinute('stored') / 1e6,
    'FFmpeg MB/min': perMinute('video') / 1e6,
    'zstd alone MB/min': perMinute('floor') / 1e6,
    'sealing CPU s/min': perMinute('sealing'),
    'FFmpeg CPU s/min': perMinute('encoding'),
  };
}

async function run(): Promise<Row[]> {
  const lucid = await TestLucid.start();
  try {
    const server = await lucid.createDesktop('size', SIZE);
    const desktop = lucid.displayOf(server.id);
    try {
      return await measureAll(lucid, desktop);
    } finally {
      await desktop.close();
    }
  } finally {
    await lucid.close();
  }
}

async function measureAll(lucid: TestLucid, desktop: Display): Promise<Row[]> {
  const measureRuns = async (profile: Profile, workload: Workload | null) => {
    const samples: Sample[] = [];
    for (let run = 0; run < RUNS; run++) samples.push(await measure(lucid, desktop, profile, workload));
    return samples;
  };
  const rows: Row[] = [];
  for (const profile of Object.keys(CLIENTS) as Profile[]) {
    const idle = await measureRuns(profile, null);
    for (const workload of WORKLOADS) {
      rows.push(toRow(`${workload}, ${profile}`, await measureRuns(profile, workload), idle));
    }
    const nothing = { 'sealed MB': of(idle, 'stored') / 1e6, 'records MB': of(idle, 'records') / 1e6 };
    rows.push({ what: `a session in which nothing happens, ${profile}`, ...nothing });
  }
  return rows;
}

const missing = needs('bwrap', 'xrdp', 'Xvnc', 'openbox', 'xterm', 'xdotool', 'xfreerdp', 'Xvfb', 'ffmpeg', 'zstd');
if (missing) process.stdout.write(`size: not measured, as programs are missing: ${missing}\n`);
else printResult('size', await run());
