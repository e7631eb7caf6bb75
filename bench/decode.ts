/**
 * Claim: decoding keeps up with many desktops: each codec in MB of wire data and in whole 1080p frames a second of CPU, alone
 * and through the whole replay path (PDUs to screen); drawing orders; bulk compression by itself. In Node.js and, the same
 * code, in Chromium.
 * Floor: copying the decoded pixels of a frame once.
 */
import { runInChromium } from './support/chromium.ts';
import { HEIGHT, WIDTH } from './support/decode-desktop.ts';
import { decodeCases, framesPerSecond } from './support/decode-work.ts';
import { printResult, type Row } from './support/result.ts';

const SHORT = process.argv.includes('--short');
const RUNS = SHORT ? 1 : 7;
const RUN_MS = SHORT ? 30 : 400;

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

const rows: Row[] = [];
for (const each of decodeCases()) {
  const frames = await framesPerSecond(each, { cpuMs, runs: RUNS, runMs: RUN_MS });
  rows.push({
    what: each.what,
    'wire MB a frame': each.bytes / 1e6,
    'wire MB/s': (each.bytes * frames) / 1e6,
    'frames/s': frames,
    'Mpixel/s': (frames * WIDTH * HEIGHT) / 1e6,
  });
}

const inBrowser = await runInChromium(`bench/support/decode-page.ts?runs=${RUNS}&runMs=${RUN_MS}`);
if (inBrowser === null) process.stdout.write('Chromium is not installed: its figures are left out\n');
for (const [i, frames] of ((inBrowser ?? []) as number[]).entries()) {
  rows[i]['Chromium wire MB/s'] = Number(rows[i]['wire MB a frame']) * frames;
  rows[i]['Chromium frames/s'] = frames;
}
printResult('decode', rows);
