import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { formatIdentity, generateIdentity } from '#evidence/node/age-keys.ts';
import { writeSecretFile } from '#platform/files.ts';
import { newId } from '#platform/id.ts';

/** What the first start decides for good. */
export interface Deployment {
  id: string;
  created_at: string;
  /** age recipient of the auditor identity that the first start made, or null when recipients were given. */
  recipient: string | null;
  /** Where the first start wrote that identity: it should not stay on this machine. */
  identity_file: string | null;
  /** False until a start has come to its end: until then nobody knows the admin's password. */
  started: boolean;
}

export interface FirstStart {
  /** Shown once, stored nowhere. */
  adminPassword: string;
}

/**
 * Reads a data folder's deployment, or makes it at the first start.
 *
 * The auditor identity is written outside the data folder, so that a copy of the data is not a copy of the key.
 *
 * @param data folder; @param recipientsGiven whether the operator named recipients, so that no identity is made
 */
export function openDeployment(
  data: string,
  identityFile: string,
  recipientsGiven: boolean,
): { deployment: Deployment; firstStart: FirstStart | null } {
  const file = join(data, 'deployment.json');
  const firstStart = { adminPassword: randomBytes(15).toString('base64url') };
  if (existsSync(file)) {
    const deployment = readDeployment(file);
    return { deployment, firstStart: deployment.started ? null : firstStart };
  }

  const id = newId();
  const created_at = new Date().toISOString();
  const deployment: Deployment = { id, created_at, recipient: null, identity_file: null, started: false };
  if (!recipientsGiven) {
    const identity = generateIdentity();
    deployment.recipient = identity.recipient;
    deployment.identity_file = resolve(identityFile || join(homedir(), '.config', 'lucid', `auditor-${id}.txt`));
    const header = `# created: ${deployment.created_at}\n# public key: ${identity.recipient}\n`;
    writeIdentity(deployment.identity_file, `${header}${formatIdentity(identity)}\n`);
  }
  writeDeployment(data, deployment);
  return { deployment, firstStart };
}

/** Notes that a start has come to its end: the admin is there, and whoever started Lucid is told the password. */
export function confirmStart(data: string, deployment: Deployment): void {
  if (!deployment.started) writeDeployment(data, { ...deployment, started: true });
}

/**
 * Takes back what a first start has made that did not come to its end: nothing can be sealed to its identity yet, and the
 * next start makes another.
 */
export function abandonStart(data: string, { started, identity_file }: Deployment): void {
  if (started) return;
  // In this order: a deployment whose identity is lost would make recordings that nobody can open.
  rmSync(join(data, 'deployment.json'), { force: true });
  if (identity_file) rmSync(identity_file, { force: true });
}

function readDeployment(file: string): Deployment {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new Error(`${file} cannot be read: ${(cause as Error).message}; restore it from a backup`, { cause });
  }
}

function writeDeployment(data: string, deployment: Deployment): void {
  writeSecretFile(join(data, 'deployment.json'), `${JSON.stringify(deployment, null, 2)}\n`);
}

function writeIdentity(file: string, content: string): void {
  try {
    writeSecretFile(file, content);
  } catch (cause) {
    const { message } = cause as Error;
    const words = `the auditor's identity cannot be written to ${file}: ${message}`;
    throw new Error(`${words}; LUCID_IDENTITY_FILE chooses another place`, { cause });
  }
}
