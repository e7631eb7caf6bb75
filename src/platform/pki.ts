import { X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ServiceName } from '#contract/services.ts';
import type { KeyPair } from './certificates.ts';
import { syncFolder, writeSecretFile } from './files.ts';

/** A key, its certificate and the authority that signed it, all PEM. */
export interface TlsFiles {
  key: string;
  cert: string;
  ca: string;
}

/** A certificate is replaced at the first start in this time before its end. */
const RENEW_MS = 90 * 86_400_000;

const maker = () => import('./certificates.ts');

/**
 * The private authority of one deployment: signs one certificate a service, for their calls to each other. Its folder
 * holds `ca.key`, `ca.pem`, and a service's key and certificate in `<service>.pem`.
 */
export class PrivateAuthority {
  readonly #folder: string;
  readonly #pair: KeyPair;

  private constructor(folder: string, pair: KeyPair) {
    this.#folder = folder;
    this.#pair = pair;
  }

  /** Opens the authority in `folder`, or makes it there at the first call: of processes that start together, one does. */
  static async open(folder: string): Promise<PrivateAuthority> {
    const keyFile = join(folder, 'ca.key');
    if (!existsSync(keyFile)) await create(folder);
    const pair = { key: readFileSync(keyFile, 'utf8'), cert: readFileSync(join(folder, 'ca.pem'), 'utf8') };
    return new PrivateAuthority(folder, pair);
  }

  /** The key and certificate of a service: its name is the common name and the DNS name. */
  async issue(service: ServiceName): Promise<TlsFiles> {
    const file = join(this.#folder, `${service}.pem`);
    if (!existsSync(file) || !this.#accepts(readFileSync(file, 'utf8'))) {
      const { key, cert } = await (await maker()).makeSigned(this.#pair, service);
      writeSecretFile(file, `${key}\n${cert}\n`);
    }
    const both = readFileSync(file, 'utf8');
    return { key: both, cert: both, ca: this.#pair.cert };
  }

  #accepts(pem: string): boolean {
    const certificate = new X509Certificate(pem);
    const isOurs = certificate.verify(new X509Certificate(this.#pair.cert).publicKey);
    return isOurs && certificate.validToDate.getTime() - Date.now() > RENEW_MS;
  }
}

/** Makes an authority beside `folder` and renames it: who finds the folder finds it whole. */
async function create(folder: string): Promise<void> {
  const { key, cert } = await (await maker()).makeAuthority();
  mkdirSync(dirname(folder), { recursive: true, mode: 0o700 });
  const temporary = mkdtempSync(`${folder}.`);
  writeSecretFile(join(temporary, 'ca.key'), key);
  writeSecretFile(join(temporary, 'ca.pem'), cert);
  try {
    renameSync(temporary, folder);
  } catch (error) {
    rmSync(temporary, { recursive: true });
    // Another process was faster: its authority is the deployment's.
    if (!existsSync(join(folder, 'ca.key'))) throw error;
  }
  syncFolder(dirname(folder));
}

/**
 * A key and a self-signed certificate for a server that strangers connect to.
 *
 * @param name common name: what the client's warning shows
 */
export async function createSelfSigned(name: string): Promise<KeyPair> {
  return (await maker()).makeSelfSigned(name);
}
