/**
 * Claim: a hundred people at ordinary work share one core of the machine that records them, and see each update at most
 * 20 ms later (p99) than through a plain relay; all of Lucid then takes 1.5 GB at most.
 * Floor: a relay in Node that ends TLS on both sides, in the same harness.
 *
 * A real xrdp desktop is traced while somebody types (bench/workloads/typing.sh); each session is played that trace from
 * another place on. The program measured is bound to one core, servers and clients to another.
 */
import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { needs } from '../test/support/needs.ts';
import { BenchChild } from './support/bench-child.ts';
import { traceDesktop } from './support/desktop-trace.ts';
import { printResult, quantile, type Row } from './support/result.ts';
import type { Credentials } from './support/stamp-line.ts';
import { TracePlayer } from './support/trace-player.ts';

const SHORT = process.argv.includes('--short');
const given = process.argv.indexOf('--sessions');
const SESSIONS = given > 0 ? Number(process.argv[given + 1]) : SHORT ? 5 : 100;
const SECONDS = SHORT ? 3 : 60;
const TRACE_SECONDS = SHORT ? 4 : 30;
const WARM_UP_SECONDS = SHORT ? 1 : 10;
const MANY = ['PER_USER', 'PER_SERVER', 'PER_ADDRESS'].map((per) => `LUCID_MAX_CONNECTIONS_${per}=1000`);
const SETTINGS = ['LUCID_MAX_CONNECTIONS=1000', ...MANY, 'LUCID_CREATES_PER_MINUTE=100000'];

type Way = { what: string; program: string; settings: string[]; takesTickets: boolean };
const WAYS: Way[] = [
  { what: 'relay', program: 'tls-relay', settings: [], takesTickets: false },
  { what: 'lucid up', program: 'whole-lucid', settings: SETTINGS, takesTickets: true },
];

/** Binds a process, all its threads, to a core. */
function bind(pid: number, core: number): void {
  const { status, stderr } = spawnSync('taskset', ['-acp', String(core), String(pid)], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`taskset cannot bind ${pid}: ${stderr}`);
}

async function measure({ what, program, settings, takesTickets }: Way, player: TracePlayer): Promise<Row> {
  const child = await BenchChild.start<{ port: number }>(program, player.port, ...settings);
  try {
    bind(child.pid, 0);
    for (let i = 0; i < SESSIONS; i++) {
      const nobody = { user: 'bench', password: 'bench' };
      await player.connect(child.ready.port, takesTickets ? await child.ask<Credentials>('ticket') : nobody);
    }
    await player.play(WARM_UP_SECONDS);
    player.times = [];
    const before = await child.report();
    const started = performance.now();
    await player.play(SECONDS);
    const after = await child.report();
    const seconds = (performance.now() - started) / 1000;
    const { times } = player;
    return {
      what,
      sessions: SESSIONS,
      'updates/s': times.length / SECONDS,
      'p50 ms': quantile(times, 0.5),
      'p99 ms': quantile(times, 0.99),
      'CPU %': (100 * (after.cpuSeconds - before.cpuSeconds)) / seconds,
      'resident MB': after.residentMegabytes,
    };
  } finally {
    await player.close();
    await child.stop();
  }
}

const missing =
  availableParallelism() < 2
    ? 'it needs two cores'
    : needs('taskset', 'xrdp', 'Xvnc', 'xwd', 'xdotool', 'xterm', 'openbox');
if (missing) process.stdout.write(`skipped: ${missing}\n`);
else {
  const trace = await traceDesktop('typing', TRACE_SECONDS);
  bind(process.pid, 1);
  const rows: Row[] = [];
  for (const way of WAYS) rows.push(await measure(way, await TracePlayer.start(trace)));
  const added = (key: string) => Number(rows[1][key]) - Number(rows[0][key]);
  rows.push({ what: 'added by Lucid', 'p50 ms': added('p50 ms'), 'p99 ms': added('p99 ms') });
  printResult('many', rows);
}
process.exit();
