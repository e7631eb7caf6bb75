import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SignJWT } from 'jose/jwt/sign';
import { jwtVerify } from 'jose/jwt/verify';
import { ServiceError } from '#contract/errors.ts';
import { writeSecretFile } from '#platform/files.ts';

const ISSUER = 'lucid';
const ALGORITHM = 'EdDSA';
/** Tokens that are remembered once their signature was checked. */
const MAX_REMEMBERED = 10_000;

interface Claims {
  userId: string;
  epoch: number;
}

/** Signs and checks the tokens that stand for a log-in: JWTs by an Ed25519 key of this service alone. */
export class Tokens {
  readonly #privateKey: KeyObject;
  readonly #publicKey: KeyObject;
  readonly #lifetimeSeconds: number;
  /** What tokens say whose signature was right, with the time of their end: it comes with every request. */
  readonly #remembered = new Map<string, Claims & { endsMs: number }>();

  private constructor(privateKey: KeyObject, lifetimeSeconds: number) {
    this.#privateKey = privateKey;
    this.#publicKey = createPublicKey(privateKey);
    this.#lifetimeSeconds = lifetimeSeconds;
  }

  /** Opens the token key in `folder`, or makes it there at the first call. */
  static open(folder: string, lifetimeSeconds: number): Tokens {
    const file = join(folder, 'token-key.pem');
    if (existsSync(file)) return new Tokens(createPrivateKey(readFileSync(file)), lifetimeSeconds);
    const { privateKey } = generateKeyPairSync('ed25519');
    writeSecretFile(file, privateKey.export({ type: 'pkcs8', format: 'pem' }));
    return new Tokens(privateKey, lifetimeSeconds);
  }

  /** @param epoch the user's token epoch: the token ends when that is raised */
  async sign(userId: string, epoch: number): Promise<{ token: string; expires_at: string }> {
    const now = Math.floor(Date.now() / 1000);
    const expiry = now + this.#lifetimeSeconds;
    const token = await new SignJWT({ epoch })
      .setProtectedHeader({ alg: ALGORITHM, typ: 'JWT' })
      .setIssuer(ISSUER)
      .setSubject(userId)
      .setIssuedAt(now)
      .setExpirationTime(expiry)
      .sign(this.#privateKey);
    return { token, expires_at: new Date(expiry * 1000).toISOString() };
  }

  /** @throws ServiceError `unauthenticated` for any token that is not ours, or is over */
  async verify(token: string): Promise<Claims> {
    const known = this.#remembered.get(token);
    if (known && known.endsMs > Date.now()) return { userId: known.userId, epoch: known.epoch };
    this.#remembered.delete(token);
    try {
      const { payload } = await jwtVerify(token, this.#publicKey, {
        issuer: ISSUER,
        algorithms: [ALGORITHM],
        requiredClaims: ['sub', 'exp', 'epoch'],
      });
      const claims = { userId: String(payload.sub), epoch: Number(payload.epoch) };
      this.#remembered.set(token, { ...claims, endsMs: payload.exp! * 1000 });
      if (this.#remembered.size > MAX_REMEMBERED) this.#remembered.delete(this.#remembered.keys().next().value!);
      return claims;
    } catch {
      throw new ServiceError('unauthenticated', 'the token is not valid any more: log in again');
    }
  }
}
