/**
 * Claim: `./lucid up` has ten healthy services within 1.5 s and rests at 200 MB or less.
 * Floor: a Node process that only opens one HTTP port, started and asked the same way in the same run.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { SERVICE_NAMES, type ServiceName } from '#contract/services.ts';
import { freePort } from './support/free-port.ts';
import { median, printResult } from './support/result.ts';

const SHORT = process.argv.includes('--short');
const RUNS = SHORT ? 1 : 5;
const REST_MS = SHORT ? 500 : 10_000;
const POLL_MS = 5;
const GIVE_UP_MS = 60_000;
const ROOT = resolve(import.meta.dirname, '..');

interface Sample {
  seconds: number;
  /** CPU seconds until then, launcher included. */
  cpu: number;
  rssMegabytes: number;
}

/** Resolves when every URL answers 200. */
async function untilHealthy(urls: string[], child: ChildProcess): Promise<void> {
  const deadline = Date.now() + GIVE_UP_MS;
  const waiting = new Set(urls);
  while (waiting.size > 0) {
    if (child.exitCode !== null) throw new Error(`it ended with code ${child.exitCode}`);
    if (Date.now() > deadline) throw new Error(`not healthy after ${GIVE_UP_MS / 1000} s: ${[...waiting].join(' ')}`);
    for (const url of waiting) {
      const answer = await fetch(url).catch(() => null);
      await answer?.arrayBuffer();
      if (answer?.status === 200) waiting.delete(url);
    }
    if (waiting.size > 0) await delay(POLL_MS);
  }
}

function residentMegabytes(pid: number): number {
  const match = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(match![1]) / 1024;
}

/** CPU time of a process and of its children that have ended, by the kernel's count of 10 ms ticks. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / 100;
}

async function measure(command: string[], env: NodeJS.ProcessEnv, urls: string[]): Promise<Sample> {
  const started = performance.now();
  const child = spawn(command[0], command.slice(1), { cwd: ROOT, env: { ...process.env, ...env }, stdio: 'ignore' });
  try {
    await untilHealthy(urls, child);
    const seconds = (performance.now() - started) / 1000;
    const cpu = cpuSeconds(child.pid!);
    await delay(REST_MS);
    return { seconds, cpu, rssMegabytes: residentMegabytes(child.pid!) };
  } finally {
    child.kill('SIGTERM');
    if (child.exitCode === null) await once(child, 'exit');
  }
}

async function measureLucid(data: string): Promise<Sample> {
  const env: NodeJS.ProcessEnv = { LUCID_IDENTITY_FILE: join(data, '..', 'identity.txt'), LOG_LEVEL: 'error' };
  const port = Object.fromEntries(
    await Promise.all(SERVICE_NAMES.map(async (name) => [name, await freePort()])),
  ) as Record<ServiceName, number>;
  for (const name of SERVICE_NAMES) {
    const variable = name === 'rdp-xrdp' ? 'RDP_XRDP_API' : name.toUpperCase().replaceAll('-', '_');
    env[`LUCID_${variable}_PORT`] = String(port[name]);
  }
  env.LUCID_RDP_XRDP_PORT = String(await freePort());
  const urls = SERVICE_NAMES.map((name) => `http://127.0.0.1:${port[name]}/health`);
  return measure([join(ROOT, 'lucid'), 'up', '--data', data], env, urls);
}

async function measureFloor(): Promise<Sample> {
  const port = await freePort();
  const code = `require('node:http').createServer((q, r) => r.end()).listen(${port}, '127.0.0.1')`;
  return measure([join(ROOT, 'lucid'), '--node', '-e', code], {}, [`http://127.0.0.1:${port}/`]);
}

const home = mkdtempSync(join(tmpdir(), 'lucid-bench-'));
try {
  const first = await measureLucid(join(home, 'first'));
  const again: Sample[] = [];
  const floor: Sample[] = [];
  for (let run = 0; run < RUNS; run++) {
    floor.push(await measureFloor());
    again.push(await measureLucid(join(home, 'first')));
  }
  const of = (samples: Sample[], key: keyof Sample) => median(samples.map((sample) => sample[key]));
  const row = (what: string, samples: Sample[]) => ({
    what,
    seconds: of(samples, 'seconds'),
    'CPU s': of(samples, 'cpu'),
    'resident MB': of(samples, 'rssMegabytes'),
  });
  printResult('start', [
    row('first start, keys made', [first]),
    row('later starts', again),
    row('floor: bare Node, one port', floor),
  ]);
} finally {
  rmSync(home, { recursive: true });
}
