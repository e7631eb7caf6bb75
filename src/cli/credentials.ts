import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { ServiceError } from '#contract/errors.ts';

/** A log-in, as `lucid login` keeps it. */
export interface Credentials {
  url: string;
  token: string;
  expires_at: string;
  user: string;
}

const DEFAULT_URL = 'http://127.0.0.1:8087';

function file(): string {
  const base = process.env.XDG_CONFIG_HOME || join(homedir(), '.config');
  return join(base, 'lucid', 'login.json');
}

/** The log-in that was kept, or null. */
function readCredentials(): Credentials | null {
  try {
    return JSON.parse(readFileSync(file(), 'utf8'));
  } catch {
    return null;
  }
}

/** Keeps a log-in where only this user can read it. @returns the file */
export function saveCredentials(credentials: Credentials): string {
  const path = file();
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeFileSync(path, `${JSON.stringify(credentials, null, 2)}\n`, { mode: 0o600 });
  chmodSync(path, 0o600);
  return path;
}

/** Where the API is: LUCID_URL, else where the last log-in was, else this machine. */
export function apiUrl(): string {
  return (process.env.LUCID_URL || readCredentials()?.url || DEFAULT_URL).replace(/\/+$/, '');
}

/**
 * The token for the API at `url`: LUCID_TOKEN, else that of the last log-in, which is sent only where it came from.
 *
 * @throws ServiceError `unauthenticated` when there is none, or it has expired
 */
export function apiToken(url: string): string {
  if (process.env.LUCID_TOKEN) return process.env.LUCID_TOKEN;
  const kept = readCredentials();
  if (kept?.url !== url) throw new ServiceError('unauthenticated', `not logged in at ${url}: run ./lucid login`);
  if (Date.parse(kept.expires_at) <= Date.now()) {
    throw new ServiceError('unauthenticated', `the log-in at ${url} has expired: run ./lucid login`);
  }
  return kept.token;
}
