/** The primitives of `#evidence/primitives.ts` by node:crypto. */
import { createHash, createPublicKey, verify } from 'node:crypto';
import type { Sha256, Verify } from '#evidence/primitives.ts';

export const sha256: Sha256 = (...parts) => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};

export const verifyEd25519: Verify = (publicKey, message, signature) => {
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(publicKey).toString('base64url') };
  return verify(null, message, createPublicKey({ key: jwk, format: 'jwk' }), signature);
};
