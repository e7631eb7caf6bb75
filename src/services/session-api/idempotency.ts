import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Kysely } from 'kysely';
import { canonicalJson } from '#contract/canonical-json.ts';
import { ServiceError } from '#contract/errors.ts';
import { writeSecretFile } from '#platform/files.ts';
import { KeyedLock } from '#platform/keyed-lock.ts';
import type { Tables } from './database.ts';

const KEEP_MS = 24 * 3_600_000;
const SECRET_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const CIPHER = 'chacha20-poly1305';
/** What a key may be: printable, so that it can be a header. */
const KEY = /^[\x21-\x7e]{1,255}$/;

export interface NamedRequest {
  userId: string;
  operation: string;
  /** The `Idempotency-Key` that the caller gave it. */
  key: string;
  /** Its parameters and body. */
  input: unknown;
}

/**
 * Answers of creates that were given a key by their callers: asked again with the same key within 24 hours, the same
 * answer is given, and nothing is made again.
 *
 * Answers hold secrets. They are kept encrypted to a key that is made of the caller's own, which is not kept, and of a
 * secret file: the database alone shows nothing.
 */
export class IdempotentAnswers {
  readonly #database: Kysely<Tables>;
  readonly #secret: Buffer;
  readonly #now: () => number;
  readonly #lock = new KeyedLock();

  constructor(database: Kysely<Tables>, secret: Buffer, now: () => number = Date.now) {
    this.#database = database;
    this.#secret = secret;
    this.#now = now;
  }

  /** With the secret in `folder`, which is made there at the first call. */
  static open(database: Kysely<Tables>, folder: string): IdempotentAnswers {
    const file = join(folder, 'idempotency-key');
    if (!existsSync(file)) writeSecretFile(file, randomBytes(SECRET_BYTES));
    return new IdempotentAnswers(database, readFileSync(file));
  }

  /**
   * Does `work`, or gives the answer of the request that came with this key before. A failure is not kept: nothing was
   * made, and the same key may be used again.
   *
   * @throws ServiceError `invalid_request` for a key that is none; `conflict` when it was given to another request, or to
   *   one that Lucid was stopped in the middle of
   */
  async answer<T>(request: NamedRequest, work: () => Promise<T>): Promise<{ answer: T; replayed: boolean }> {
    const { userId, key } = request;
    if (!KEY.test(key)) {
      throw new ServiceError('invalid_request', 'Idempotency-Key: wants 1 to 255 printable characters without spaces');
    }
    return this.#lock.run(`${userId} ${key}`, () => this.#answer(request, work));
  }

  async #answer<T>(request: NamedRequest, work: () => Promise<T>): Promise<{ answer: T; replayed: boolean }> {
    const { userId, operation, key, input } = request;
    const name = { user_id: userId, key_sha256: sha256(key) };
    const request_sha256 = sha256(canonicalJson({ operation, input }));
    const before = await this.#find(name);
    if (before) {
      if (before.request_sha256 !== request_sha256) {
        throw new ServiceError('conflict', 'this Idempotency-Key was given to another request: take a new one');
      }
      if (before.answer === null) {
        const words = 'Lucid was stopped in the middle of this request: look whether it was done, then take a new key';
        throw new ServiceError('conflict', words);
      }
      return { answer: this.#open(before.answer, request), replayed: true };
    }
    const created_at = new Date(this.#now()).toISOString();
    await this.#database
      .insertInto('idempotency')
      .values({ ...name, request_sha256, created_at, answer: null })
      .execute();
    try {
      const answer = await work();
      await this.#database
        .updateTable('idempotency')
        .set({ answer: this.#seal(answer, request) })
        .where('user_id', '=', name.user_id)
        .where('key_sha256', '=', name.key_sha256)
        .execute();
      return { answer, replayed: false };
    } catch (error) {
      await this.#database
        .deleteFrom('idempotency')
        .where('user_id', '=', name.user_id)
        .where('key_sha256', '=', name.key_sha256)
        .execute();
      throw error;
    }
  }

  /** Removes what is older than 24 hours. */
  async prune(): Promise<void> {
    const before = new Date(this.#now() - KEEP_MS).toISOString();
    await this.#database.deleteFrom('idempotency').where('created_at', '<=', before).execute();
  }

  async #find(name: { user_id: string; key_sha256: string }) {
    const row = await this.#database
      .selectFrom('idempotency')
      .selectAll()
      .where('user_id', '=', name.user_id)
      .where('key_sha256', '=', name.key_sha256)
      .executeTakeFirst();
    if (!row || Date.parse(row.created_at) > this.#now() - KEEP_MS) return row;
    await this.prune();
    return undefined;
  }

  #seal(answer: unknown, request: NamedRequest): Buffer {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, this.#keyOf(request), nonce, { authTagLength: TAG_BYTES });
    const sealed = Buffer.concat([cipher.update(JSON.stringify(answer)), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), sealed]);
  }

  #open<T>(stored: Uint8Array, request: NamedRequest): T {
    const nonce = stored.subarray(0, NONCE_BYTES);
    const decipher = createDecipheriv(CIPHER, this.#keyOf(request), nonce, { authTagLength: TAG_BYTES });
    decipher.setAuthTag(stored.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
    const opened = Buffer.concat([decipher.update(stored.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]);
    return JSON.parse(opened.toString());
  }

  #keyOf({ userId, key }: NamedRequest): Buffer {
    return Buffer.from(hkdfSync('sha256', this.#secret, key, `lucid idempotency ${userId}`, 32));
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
