/** age X25519 identities and recipients (C2SP age v1.1.0, "The X25519 recipient type"). */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { bech32Decode, bech32Encode } from '#evidence/bech32.ts';
import { FormatError } from '#evidence/format-error.ts';
import { quote } from '#evidence/text.ts';

const RECIPIENT_PREFIX = 'age';
const IDENTITY_PREFIX = 'age-secret-key-';
const PKCS8_PREFIX = Buffer.from('302e020100300506032b656e04220420', 'hex');

/** A private key that opens age files. */
export interface AgeIdentity {
  readonly privateKey: KeyObject;
  /** Its public half, 32 bytes. */
  readonly publicKey: Uint8Array;
  /** Its public half as text: `age1…`. */
  readonly recipient: string;
}

/** Makes a new identity. */
export function generateIdentity(): AgeIdentity {
  return identityOf(generateKeyPairSync('x25519').privateKey);
}

/** The identity as text: `AGE-SECRET-KEY-1…`. A secret: do not log it. */
export function formatIdentity(identity: AgeIdentity): string {
  const { d } = identity.privateKey.export({ format: 'jwk' });
  return bech32Encode(IDENTITY_PREFIX, Buffer.from(d!, 'base64url')).toUpperCase();
}

/**
 * Reads one identity.
 * @throws FormatError that does not repeat the text
 */
export function parseIdentity(text: string): AgeIdentity {
  const { prefix, bytes } = bech32Decode(text);
  if (prefix !== IDENTITY_PREFIX || text !== text.toUpperCase() || bytes.length !== 32) {
    throw new FormatError('age identity', 'wanted AGE-SECRET-KEY-1… in upper case');
  }
  return identityOf(createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, bytes]), format: 'der', type: 'pkcs8' }));
}

/**
 * Reads an identity file: one identity a line, empty lines and lines that begin with `#` aside.
 * @throws FormatError naming the line, also when there is no identity
 */
export function parseIdentityFile(text: string): AgeIdentity[] {
  const identities: AgeIdentity[] = [];
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (line === '' || line.startsWith('#')) continue;
    try {
      identities.push(parseIdentity(line.trim()));
    } catch (cause) {
      if (cause instanceof FormatError) throw new FormatError(`identity file line ${i + 1}`, cause.message);
      throw cause;
    }
  }
  if (identities.length === 0) throw new FormatError('identity file', 'holds no AGE-SECRET-KEY-1… line');
  return identities;
}

/**
 * Reads a recipient, `age1…`.
 * @returns the public key, 32 bytes
 * @throws FormatError
 */
export function parseRecipient(text: string): Uint8Array<ArrayBuffer> {
  const { prefix, bytes } = bech32Decode(text);
  if (prefix !== RECIPIENT_PREFIX || text !== text.toLowerCase() || bytes.length !== 32) {
    throw new FormatError('age recipient', `${quote(text)}, wanted age1… in lower case`);
  }
  return bytes;
}

/** The public key object of 32 bytes. */
export function x25519PublicKey(publicKey: Uint8Array): KeyObject {
  const jwk = { kty: 'OKP', crv: 'X25519', x: Buffer.from(publicKey).toString('base64url') };
  return createPublicKey({ key: jwk, format: 'jwk' });
}

/** The 32 bytes of a key object's public half. */
export function publicBytes(key: KeyObject): Buffer {
  return Buffer.from(key.export({ format: 'jwk' }).x!, 'base64url');
}

function identityOf(privateKey: KeyObject): AgeIdentity {
  const publicKey = publicBytes(privateKey);
  return { privateKey, publicKey, recipient: bech32Encode(RECIPIENT_PREFIX, publicKey) };
}
