/**
 * Claim: `LUCID_DURABILITY=strict`, the default, adds to a server's byte on its way to the client little more than the disk
 * takes to make a write durable.
 * Floor: a bare write and fdatasync on the same disk. Peer: the same with `relaxed`. All are measured turn by turn in the
 * same run, each update by itself, through all of Lucid.
 */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BenchChild } from './support/bench-child.ts';
import { printResult, quantile } from './support/result.ts';
import { type Credentials, StampLine } from './support/stamp-line.ts';
import { startStampServer } from './support/stamp-server.ts';

const SHORT = process.argv.includes('--short');
const ROUNDS = SHORT ? 50 : 3000;
/** The first ones find cold code, and a journal that makes its files. */
const WARM_UP_ROUNDS = SHORT ? 10 : 300;
const PAUSE_MS = 2;
const FILE_BYTES = 1024 * 1024;

/** The disk by itself: a write of a page within an allotted file, made durable. */
class BareDisk {
  readonly #folder = mkdtempSync(join(tmpdir(), 'lucid-bench-latency-'));
  readonly #file = openSync(join(this.#folder, 'file'), 'w');
  readonly #page = Buffer.alloc(4096, 7);
  #at = 0;

  constructor() {
    writeSync(this.#file, Buffer.alloc(FILE_BYTES), 0, FILE_BYTES, 0);
    fdatasyncSync(this.#file);
  }

  time(): number {
    const started = performance.now();
    writeSync(this.#file, this.#page, 0, this.#page.length, this.#at);
    fdatasyncSync(this.#file);
    this.#at = (this.#at + this.#page.length) % FILE_BYTES;
    return performance.now() - started;
  }

  close(): void {
    closeSync(this.#file);
    rmSync(this.#folder, { recursive: true });
  }
}

const disk = new BareDisk();
const direct = await startStampServer();
const lines = new Map([['direct', await StampLine.open(direct, direct.port, { user: 'bench', password: 'bench' })]]);
const children: BenchChild<{ port: number }>[] = [];
for (const durability of ['relaxed', 'strict']) {
  const server = await startStampServer();
  const child = await BenchChild.start<{ port: number }>('whole-lucid', server.port, `LUCID_DURABILITY=${durability}`);
  children.push(child);
  const credentials = await child.ask<Credentials>('ticket');
  lines.set(`lucid up, ${durability}`, await StampLine.open(server, child.ready.port, credentials));
}

const FLOOR = 'disk: write and fdatasync';
const times = new Map<string, number[]>([FLOOR, ...lines.keys()].map((what) => [what, []]));
for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round++) {
  const took: [string, number][] = [[FLOOR, disk.time()]];
  for (const [what, line] of lines) {
    took.push([what, await line.time()]);
    await sleep(PAUSE_MS);
  }
  if (round >= WARM_UP_ROUNDS) for (const [what, ms] of took) times.get(what)!.push(ms);
}

const [strict, relaxed] = ['strict', 'relaxed'].map((each) => times.get(`lucid up, ${each}`)!);
const row = (what: string, values: readonly number[]) => {
  return { what, 'p50 ms': quantile(values, 0.5), 'p99 ms': quantile(values, 0.99) };
};
const added = (share: number) => quantile(strict, share) - quantile(relaxed, share);
printResult('latency', [
  ...[...times].map(([what, values]) => row(what, values)),
  { what: 'added by strict', 'p50 ms': added(0.5), 'p99 ms': added(0.99) },
]);

for (const line of lines.values()) await line.close();
for (const child of children) await child.stop();
disk.close();
