/**
 * Claim: a recorded session costs at most twice what a plain TLS relay costs, and far less than encoding video of it.
 * Floor: a relay in Node that ends TLS on both sides, on the same bytes. Peer: FFmpeg, x11grab and libx264 ultrafast at
 * 10 frames a second, on the same desktop. Latency: from a server's write to a client's read, small PDUs, an idle machine.
 *
 * Workloads: bench/workloads, on a 1920 × 1080 xrdp desktop (libvnc) that FreeRDP shows.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClientLink } from '#demo/client-link.ts';
import { Desktop } from '#services/rdp-server-manager/desktop/desktop.ts';
import { Display } from '../test/support/display.ts';
import { type Forwarder, forwardTcp } from '../test/support/forwarder.ts';
import { FreeRdp } from '../test/support/freerdp.ts';
import { needs } from '../test/support/needs.ts';
import { BenchChild, type ChildReport } from './support/bench-child.ts';
import { median, printResult, quantile, type Row } from './support/result.ts';
import { readStamp, startStampServer } from './support/stamp-server.ts';

const SHORT = process.argv.includes('--short');
const RUNS = SHORT ? 1 : 3;
const SECONDS = SHORT ? 2 : 12;
const STAMPS = SHORT ? 200 : 3000;
const STAMP_PAUSE_MS = 2;
/** Windows of a workload are there after this time. Whole seconds: the scripts count in them. */
const SETTLE_SECONDS = SHORT ? 1 : 2;
const SIZE = { width: 1920, height: 1080 };
const WORKLOADS = SHORT ? (['activity'] as const) : (['activity', 'typing'] as const);
const FOLDER = mkdtempSync(join(tmpdir(), 'lucid-bench-gateway-'));

interface Sample {
  /** CPU seconds a minute while the session runs; sealing that falls into it counts. */
  cpu: number;
  /** CPU seconds that the session's end takes once: what is left is sealed, and stored. */
  end: number;
  megabytes: number;
  resident: number;
}

type Credentials = { user: string; password: string };
type Way = { what: string; program: string; takesTickets: boolean; args?: string[] };

const UNCOMPRESSED = ['-compression'];
/** FreeRDP asks for bulk compression unless it is told not to: of each pair both carry the same bytes. */
const WAYS: Way[] = [
  { what: 'relay', program: 'tls-relay', takesTickets: false },
  { what: 'gateway', program: 'lone-gateway', takesTickets: true },
  { what: 'lucid up, sealed and stored', program: 'whole-lucid', takesTickets: true },
  { what: 'relay, no bulk compression', program: 'tls-relay', takesTickets: false, args: UNCOMPRESSED },
  { what: 'gateway, no bulk compression', program: 'lone-gateway', takesTickets: true, args: UNCOMPRESSED },
];

/** Runs a workload on a display, with windows in place when it returns. */
async function startWorkload(name: string, display: string, seconds: number): Promise<() => Promise<void>> {
  const script = join(import.meta.dirname, 'workloads', `${name}.sh`);
  const args = name === 'activity' ? [String(seconds), 'above'] : [String(seconds)];
  const child = spawn(script, args, {
    env: { ...process.env, DISPLAY: display },
    stdio: 'ignore',
  });
  const ended = once(child, 'exit');
  await sleep(SETTLE_SECONDS * 1000);
  if (child.exitCode !== null) throw new Error(`${name}.sh ended with code ${child.exitCode} at its start`);
  return async () => {
    await ended;
  };
}

/** A minute's share of what was measured in some seconds. */
const aMinute = (value: number, seconds: number) => (value * 60) / seconds;

async function measureWay(way: Way, workload: string, screen: Display, target: Forwarder): Promise<Sample> {
  const child = await BenchChild.start<{ port: number }>(way.program, target.port);
  try {
    const nobody: Credentials = { user: 'bench', password: 'bench' };
    const credentials = way.takesTickets ? await child.ask<Credentials>('ticket') : nobody;
    const client = await FreeRdp.start({ port: child.ready.port, ...SIZE, ...credentials, args: way.args ?? [] });
    await client.connected();
    await sleep(SETTLE_SECONDS * 1000);
    const ended = await startWorkload(workload, screen.name, SECONDS + SETTLE_SECONDS + 2);
    const before = await child.report();
    const startedAt = performance.now();
    await sleep(SECONDS * 1000);
    const after = await child.report();
    const seconds = (performance.now() - startedAt) / 1000;
    await client.close();
    await child.ask('finish');
    const { cpuSeconds } = await child.report();
    await ended();
    return toSample(before, after, seconds, cpuSeconds - after.cpuSeconds);
  } finally {
    await child.stop();
  }
}

function toSample(before: ChildReport, after: ChildReport, seconds: number, end: number): Sample {
  return {
    end,
    cpu: aMinute(after.cpuSeconds - before.cpuSeconds, seconds),
    megabytes: aMinute((after.bytes - before.bytes) / 1e6, seconds),
    resident: after.residentMegabytes,
  };
}

/** CPU seconds of a process, by the kernel's count of 10 ms ticks. */
function cpuSecondsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function residentMegabytesOf(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1000;
}

async function measureFfmpeg(workload: string, screen: Display): Promise<Sample> {
  const ended = await startWorkload(workload, screen.name, SECONDS + SETTLE_SECONDS + 4);
  const file = join(FOLDER, 'peer.mkv');
  const input = ['-f', 'x11grab', '-framerate', '10', '-video_size', `${SIZE.width}x${SIZE.height}`, '-i', screen.name];
  const output = ['-c:v', 'libx264', '-preset', 'ultrafast', '-crf', '23', '-y', file];
  const ffmpeg = spawn('ffmpeg', ['-loglevel', 'error', ...input, ...output], { stdio: ['pipe', 'ignore', 'inherit'] });
  await sleep(1000);
  const pid = ffmpeg.pid!;
  const before = cpuSecondsOf(pid);
  const startedAt = performance.now();
  await sleep(SECONDS * 1000);
  const cpu = cpuSecondsOf(pid) - before;
  const seconds = (performance.now() - startedAt) / 1000;
  const resident = residentMegabytesOf(pid);
  ffmpeg.stdin.end('q');
  await once(ffmpeg, 'exit');
  await ended();
  const megabytes = aMinute(readFileSync(file).length / 1e6, seconds + 1);
  return { cpu: aMinute(cpu, seconds), end: 0, megabytes, resident };
}

function toRow(what: string, workload: string, samples: Sample[]): Row {
  return {
    what,
    workload,
    cpu_s_per_min: median(samples.map(({ cpu }) => cpu)),
    end_cpu_s: median(samples.map(({ end }) => end)),
    mb_per_min: median(samples.map(({ megabytes }) => megabytes)),
    rss_mb: median(samples.map(({ resident }) => resident)),
  };
}

async function measureWorkloads(): Promise<Row[]> {
  chmodSync(FOLDER, 0o755);
  // Bare, so that FFmpeg may share memory with the X server as it would on a desktop of its own.
  const host = { sandbox: 'none', uid: 65532, hidden: [] } as const;
  const desktop = await Desktop.start(join(FOLDER, 'desktop'), { ...SIZE, exposeDisplay: true }, host);
  const screen = Display.ofSocket(join('/tmp/.X11-unix', basename(desktop.displaySocket)));
  const target = await forwardTcp(desktop.socketPath);
  try {
    const rows: Row[] = [];
    const ways = SHORT ? WAYS.filter(({ args }) => args !== UNCOMPRESSED) : WAYS;
    for (const workload of WORKLOADS) {
      const samples = new Map<string, Sample[]>([...ways, { what: 'ffmpeg' }].map(({ what }) => [what, []]));
      for (let run = 0; run < RUNS; run++) {
        for (const way of ways) samples.get(way.what)!.push(await measureWay(way, workload, screen, target));
        samples.get('ffmpeg')!.push(await measureFfmpeg(workload, screen));
      }
      for (const [what, found] of samples) rows.push(toRow(what, workload, found));
    }
    return rows;
  } finally {
    target.close();
    await screen.close();
    await desktop.stop();
  }
}

/** Milliseconds from a server's write to a client's read, for each of many small updates. */
async function timeStamps(port: number, credentials: Credentials, stamp: (n: number) => void): Promise<number[]> {
  const sent: number[] = [];
  const times: number[] = [];
  const link = new ClientLink(
    { to: { host: '127.0.0.1', port }, pin: null, userName: credentials.user, password: credentials.password },
    {
      shown(frame) {
        const number = readStamp(frame);
        if (number !== null) times.push(performance.now() - sent[number]);
      },
      data() {},
      channel() {},
      changed() {},
      ended() {},
    },
  );
  while (!link.isActive) await sleep(10);
  await sleep(500);
  for (let number = 0; number < STAMPS; number++) {
    sent[number] = performance.now();
    stamp(number);
    await sleep(STAMP_PAUSE_MS);
  }
  await sleep(200);
  link.close();
  if (times.length < STAMPS * 0.99) throw new Error(`${times.length} of ${STAMPS} updates arrived`);
  // The first ones find cold code.
  return times.slice(STAMPS / 10);
}

async function measureLatency(): Promise<Row[]> {
  const server = await startStampServer();
  const nobody = { user: 'bench', password: 'bench' };
  const rows: Row[] = [];
  try {
    const direct = await timeStamps(server.port, nobody, server.stamp);
    const add = (what: string, times: number[]) =>
      rows.push({
        what,
        p50_ms: quantile(times, 0.5),
        p99_ms: quantile(times, 0.99),
        added_p50_ms: quantile(times, 0.5) - quantile(direct, 0.5),
        added_p99_ms: quantile(times, 0.99) - quantile(direct, 0.99),
      });
    add('direct', direct);
    for (const way of WAYS.filter(({ args }) => args !== UNCOMPRESSED)) {
      const child = await BenchChild.start<{ port: number }>(way.program, server.port);
      const credentials = way.takesTickets ? await child.ask<Credentials>('ticket') : nobody;
      add(way.what, await timeStamps(child.ready.port, credentials, server.stamp));
      await child.stop();
    }
    return rows;
  } finally {
    await server.close();
  }
}

const missing = needs('xrdp', 'Xvnc', 'xfreerdp', 'Xvfb', 'xwd', 'xdotool', 'xterm', 'openbox');
try {
  printResult('gateway-latency', await measureLatency());
  if (missing) process.stdout.write(`skipped on a real desktop: ${missing}\n`);
  else printResult('gateway', await measureWorkloads());
} finally {
  rmSync(FOLDER, { recursive: true, force: true });
}
process.exit(0);
