import { closeSync, existsSync, fstatSync, openSync, readSync, statSync, truncateSync } from 'node:fs';

const TAIL_BYTES = 8192;
const TAIL_LINES = 12;
const MAX_LINE = 300;
/** A desktop is asked for its health every half minute, and xrdp writes a few lines each time. */
const MAX_LOG_BYTES = 4 * 1024 * 1024;

/**
 * The last lines of a desktop's log, fit to be shown: what stands there was written by programs that nobody trusts.
 * Empty when there is no log, or none any more.
 */
export function tailOfLog(path: string): string {
  if (!existsSync(path)) return '';
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    const start = Math.max(0, size - TAIL_BYTES);
    const bytes = Buffer.alloc(size - start);
    const count = readSync(file, bytes, 0, bytes.length, start);
    return bytes
      .toString('latin1', 0, count)
      .split('\n')
      .map((line) => line.replace(/[^\x20-\x7e]/g, '').slice(0, MAX_LINE))
      .filter((line) => line !== '')
      .slice(-TAIL_LINES)
      .join('\n');
  } finally {
    closeSync(file);
  }
}

/** Empties a log that has grown too long. Its writers append, so they go on at its new beginning. */
export function limitLog(path: string): void {
  if (statSync(path).size > MAX_LOG_BYTES) truncateSync(path);
}
