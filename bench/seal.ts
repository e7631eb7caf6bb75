/**
 * Claims: sealing (reading the run through, zstd, age, SHA-256) does at least 60 % of what zstd alone does on the same
 * bytes, in MB of records a second of CPU on one core; from the journal to the store at least 200 MB/s on incompressible
 * data, with two cores; at least 1,000 small chunks a minute, in memory that does not grow with their number.
 * Floors, measured in the same run: the zstd program at -3 --long=24, and node:zlib with the same settings;
 * ChaCha20-Poly1305 and SHA-256 alone; writing the same bytes to the same disk with an fsync a chunk.
 * `--records FILE` takes a real run: what `age -d | zstd -d` gives of a screen chunk.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { constants, zstdCompressSync } from 'node:zlib';
import { sealBytes } from '#evidence/node/age.ts';
import { generateIdentity } from '#evidence/node/age-keys.ts';
import { openChunk, sealChunk } from '#evidence/node/chunk.ts';
import { RecordType, writeRecord } from '#evidence/record.ts';
import { configBody, incompressible, scrollingTerminal } from './support/desktop-traffic.ts';
import { fromJournalToStore } from './support/journal-to-store.ts';
import { median, printResult, type Row } from './support/result.ts';
import { smallChunks } from './support/small-chunks.ts';
import { zstdSeconds } from './support/zstd-program.ts';

const SHORT = process.argv.includes('--short');
const RUNS = SHORT ? 1 : 7;
const RUN_BYTES = (SHORT ? 1 : 48) * 1024 * 1024;
const SESSIONS = SHORT ? 2 : 8;

/** A run of the screen stream, as the sealer gets it. */
function runOf(pdus: readonly Uint8Array[]): Buffer {
  const config = writeRecord({ type: RecordType.config, flags: 0, time: 0, seq: 0, body: configBody('') });
  const records = pdus.map((body, i) =>
    writeRecord({ type: RecordType.serverPdu, flags: 0, time: i * 10_000, seq: i + 1, body }),
  );
  return Buffer.concat([config, ...records]);
}

/** MB a second of CPU: the median of several runs, after one that warms up. */
function megabytesPerSecond(bytes: number, work: () => void): number {
  const run = () => {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    return bytes / (user + system);
  };
  run();
  return median(Array.from({ length: RUNS }, run));
}

const ZSTD = {
  params: {
    [constants.ZSTD_c_compressionLevel]: 3,
    [constants.ZSTD_c_windowLog]: 24,
    [constants.ZSTD_c_enableLongDistanceMatching]: 1,
  },
};

function measure(what: string, records: Buffer): Row {
  const identity = generateIdentity();
  const seal = () => sealChunk({ stream: 'screen', records, recipient: identity.recipient });
  const { encoding, bytes: stored } = seal();
  if (!openChunk(stored, encoding, identity).equals(records))
    throw new Error(`${what}: does not open to what was sealed`);
  const seconds = zstdSeconds('compress', records, RUNS);
  const program = seconds && records.length / 1e6 / seconds;
  const library = megabytesPerSecond(records.length, () => zstdCompressSync(records, ZSTD));
  const sealed = megabytesPerSecond(records.length, seal);
  const floor = program ?? library;
  return {
    what,
    MB: records.length / 1e6,
    'stored MB': stored.length / 1e6,
    'zstd program MB/s': program ?? 'none',
    'node:zlib MB/s': library,
    'sealing MB/s': sealed,
    '% of zstd': (100 * sealed) / floor,
    'age MB/s': megabytesPerSecond(records.length, () => sealBytes(records, [identity.recipient])),
    'SHA-256 MB/s': megabytesPerSecond(records.length, () => createHash('sha256').update(records).digest()),
  };
}

const given = process.argv.indexOf('--records');
const file = given < 0 ? null : process.argv[given + 1];
if (file !== null && !existsSync(file)) throw new Error(`--records ${file}: there is no such file`);
if (file) {
  printResult('seal', [measure(file, readFileSync(file))]);
} else {
  printResult('seal', [
    measure('scrolling terminal', runOf(scrollingTerminal(RUN_BYTES))),
    measure('incompressible', runOf(incompressible(RUN_BYTES))),
  ]);
  printResult('seal: from journal to store', await fromJournalToStore(SESSIONS, RUN_BYTES));
  printResult('seal: small chunks', await smallChunks(SHORT ? [20] : [200, 800]));
}
