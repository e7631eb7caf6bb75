import { type Logger, pino } from 'pino';

export type Log = Logger;

/** What must never reach a log, wherever in an object it stands. */
const SECRETS = ['password', 'secret', 'token', 'authorization', 'cookie', 'private_key', 'identity'];

/** The process's logger: JSON lines on standard output, one child a service. */
export function createLog(level: string): Log {
  return pino({
    level: level.toLowerCase(),
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: { paths: SECRETS.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]), censor: '[secret]' },
  });
}
