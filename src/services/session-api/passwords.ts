import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { ServiceError } from '#contract/errors.ts';

const argon2Async = promisify(argon2);

/** OWASP's second choice for argon2id: 19 MiB, two passes; it fits a small machine. */
const MEMORY_KIB = 19_456;
const PASSES = 2;
const TAG_BYTES = 32;
const SALT_BYTES = 16;

/** Hashes at a time, and waiting: each takes 19 MiB and a thread. */
const MAX_RUNNING = 2;
const MAX_WAITING = 32;

const PHC = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,2}),p=1\$([A-Za-z0-9+/]{22})\$([A-Za-z0-9+/]{43})$/;

let running = 0;
const waiting: (() => void)[] = [];

async function derive(password: string, nonce: Buffer, memory: number, passes: number): Promise<Buffer> {
  if (running >= MAX_RUNNING) {
    if (waiting.length >= MAX_WAITING) throw new ServiceError('limit_reached', 'too many log-ins at once; try again');
    await new Promise<void>((resolve) => waiting.push(resolve));
  } else {
    running++;
  }
  try {
    const message = Buffer.from(password.normalize('NFC'));
    return await argon2Async('argon2id', { message, nonce, parallelism: 1, tagLength: TAG_BYTES, memory, passes });
  } finally {
    const next = waiting.shift();
    if (next) next();
    else running--;
  }
}

function base64(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '');
}

/** Hashes a password with argon2id and a fresh salt, as a PHC string. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const tag = await derive(password, salt, MEMORY_KIB, PASSES);
  return `$argon2id$v=19$m=${MEMORY_KIB},t=${PASSES},p=1$${base64(salt)}$${base64(tag)}`;
}

/**
 * Whether a password is the one that was hashed.
 *
 * @param phc null for a user who does not exist: takes as long, and is false
 */
export async function verifyPassword(password: string, phc: string | null): Promise<boolean> {
  const parts = phc === null ? null : PHC.exec(phc);
  if (!parts) {
    await derive(password, Buffer.alloc(SALT_BYTES), MEMORY_KIB, PASSES);
    return false;
  }
  const [, memory, passes, salt, tag] = parts;
  const derived = await derive(password, Buffer.from(salt, 'base64'), Number(memory), Number(passes));
  return timingSafeEqual(derived, Buffer.from(tag, 'base64'));
}
