/**
 * Claim: with 100 live sessions the public API answers 1,000 reads a second on two cores, 99 of 100 within 100 ms.
 * Floor: a bare Fastify route that answers with the same session, asked the same way in the same run.
 *
 * API and services, sessions, and load are a process each, on the same cores. Closed: each of 16 connections asks again when
 * it is answered. At a rate: requests are sent when their time comes, and what they wait for a free connection counts.
 */
import { BenchChild, type ChildReport } from './support/bench-child.ts';
import type { LoadOrder, LoadResult } from './support/http-load.ts';
import { median, printResult, type Row } from './support/result.ts';

const SHORT = process.argv.includes('--short');
const SESSIONS = SHORT ? 5 : 100;
const SECONDS = SHORT ? 0.5 : 5;
const RUNS = SHORT ? 1 : 3;
/** Long enough that a chunk of every session is sealed while the rate is kept: they are cut every 60 s. */
const RATE_SECONDS = SHORT ? 1 : 65;
const CONNECTIONS = 16;
const RATE = 1000;

const lucid = await BenchChild.start<{ port: number; token: string }>('api-lucid');
const { port, token } = lucid.ready;
const floor = await BenchChild.start<{ port: number }>('bare-fastify');
const generator = await BenchChild.start('http-load');
const live = await BenchChild.start<{ ids: string[] }>('live-sessions', port, token, SESSIONS);
const { ids } = live.ready;

async function read<Answer>(path: string): Promise<Answer> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { authorization: `Bearer ${token}` } });
  if (response.status !== 200) throw new Error(`${path} is answered with ${response.status}: ${await response.text()}`);
  return response.json() as Promise<Answer>;
}
const [server] = (await read<{ items: { id: string }[] }>('/api/v1/servers')).items;

const each = (path: (id: string) => string) => ids.map(path);
const KINDS: Record<string, string[]> = {
  'one session': each((id) => `/api/v1/sessions/${id}`),
  'a page of 20 sessions': ['/api/v1/sessions?limit=20', '/api/v1/sessions?limit=20&state=recording&label=bench'],
  'history of a session': each((id) => `/api/v1/sessions/${id}/history`),
  'processing of a session': each((id) => `/api/v1/sessions/${id}/processing`),
  'one server': [`/api/v1/servers/${server.id}`],
  'who am I': ['/api/v1/me'],
};
/** Of twenty: what a console that shows sessions asks for. */
const MIX = ids.flatMap((id) => [
  ...Array(12).fill(`/api/v1/sessions/${id}`),
  ...Array(3).fill('/api/v1/sessions?limit=20'),
  ...Array(2).fill(`/api/v1/sessions/${id}/history`),
  `/api/v1/sessions/${id}/processing`,
  `/api/v1/servers/${server.id}`,
  '/api/v1/me',
]);

async function measure(what: string, child: BenchChild<unknown>, order: Partial<LoadOrder>, runs = RUNS): Promise<Row> {
  const samples: (LoadResult & { cpu: number })[] = [];
  for (let run = 0; run < runs; run++) {
    const before = await child.report();
    const full = { port, token, paths: MIX, seconds: SECONDS, connections: CONNECTIONS, rate: 0, ...order };
    const result = await generator.ask<LoadResult>('load', full);
    const after: ChildReport = await child.report();
    if (result.failures > 0) throw new Error(`${what}: ${result.failures} requests failed`);
    samples.push({ ...result, cpu: (after.cpuSeconds - before.cpuSeconds) / (result.perSecond * full.seconds) });
  }
  const of = (key: 'perSecond' | 'p50Ms' | 'p99Ms' | 'cpu') => median(samples.map((sample) => sample[key]));
  return {
    what,
    'reads/s': of('perSecond'),
    'p50 ms': of('p50Ms'),
    'p99 ms': of('p99Ms'),
    'CPU ms/read': of('cpu') * 1000,
  };
}

const rows: Row[] = [];
try {
  // Compilers and caches are warm on both sides.
  await generator.ask('load', { port, token, paths: MIX, seconds: SECONDS, connections: CONNECTIONS, rate: 0 });
  await floor.ask('answer', await read<object>(`/api/v1/sessions/${ids[0]}`));
  const bare = { port: floor.ready.port, paths: ['/'] };
  rows.push(await measure('floor: bare Fastify route', floor, bare));
  rows.push(await measure(`floor at ${RATE}/s`, floor, { ...bare, rate: RATE }));
  rows.push(await measure('mixed reads', lucid, {}));
  rows.push(await measure(`mixed reads at ${RATE}/s`, lucid, { rate: RATE, seconds: RATE_SECONDS }, 1));
  for (const [what, paths] of Object.entries(KINDS)) rows.push(await measure(what, lucid, { paths }));
  const { residentMegabytes } = await lucid.report();
  rows.push({ what: `live sessions: ${ids.length}`, 'resident MB': residentMegabytes });
} finally {
  await Promise.all([live.stop(), generator.stop(), floor.stop()]);
  await lucid.stop();
}
printResult('api', rows);
