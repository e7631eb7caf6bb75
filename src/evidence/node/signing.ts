/** Signing keys: Ed25519, in PEM files that openssl reads, mode 0600, with the verifier key beside as text. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { type Entry, formatEntry } from '#evidence/entry.ts';
import { formatVerifierKey, signNote, type VerifierKey, verifierKey } from '#evidence/note.ts';
import { writeDurably } from './durable-file.ts';
import { sha256 } from './hash.ts';

/** A key that signs notes. */
export interface NoteSigner {
  readonly key: VerifierKey;
  /** The verifier key as text: what others must learn from elsewhere than a bundle. */
  readonly verifier: string;
  /** Signs `text`, which ends in a line feed, and returns the note. */
  readonly sign: (text: string) => string;
}

/** File beside a private key that holds its verifier key. */
export function verifierFile(path: string): string {
  return `${path}.verifier`;
}

/**
 * Makes a signing key and writes it to `path` (PKCS #8 PEM, mode 0600) and its verifier key beside it.
 * @param name of the key in notes: no white space, no plus
 * @throws Error when `path` exists
 */
export function createSigner(path: string, name: string): NoteSigner {
  if (existsSync(path)) throw new Error(`${path} exists: a signing key is never overwritten`);
  const pem = generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
  const signer = signerOf(pem, name);
  writeDurably(verifierFile(path), Buffer.from(`${signer.verifier}\n`));
  writeDurably(path, Buffer.from(pem), 0o600);
  return signer;
}

/**
 * Loads the signing key at `path`.
 * @throws Error when the file can be read by others, or the verifier key beside it is another key's
 */
export function loadSigner(path: string): NoteSigner {
  if ((statSync(path).mode & 0o077) !== 0) throw new Error(`${path} can be read by others: chmod 600 it`);
  const verifier = readFileSync(verifierFile(path), 'utf8').trim();
  const signer = signerOf(readFileSync(path, 'utf8'), verifier.split('+', 1)[0]);
  if (signer.verifier !== verifier) throw new Error(`${verifierFile(path)} is not the verifier key of ${path}`);
  return signer;
}

/** Signs an entry; the key's name must be the entry's `node`. */
export function signEntry(signer: NoteSigner, entry: Entry): string {
  if (entry.node !== signer.key.name) throw new Error(`entry of ${entry.node}, key of ${signer.key.name}`);
  return signer.sign(formatEntry(entry));
}

function signerOf(pem: string, name: string): NoteSigner {
  const privateKey = createPrivateKey(pem);
  if (privateKey.asymmetricKeyType !== 'ed25519') throw new Error(`a key of type ${privateKey.asymmetricKeyType}`);
  const { x } = createPublicKey(privateKey).export({ format: 'jwk' });
  const key = verifierKey(sha256, name, Buffer.from(x!, 'base64url'));
  return {
    key,
    verifier: formatVerifierKey(key),
    sign: (text) => signNote(text, key, (message) => sign(null, message, privateKey)),
  };
}
