import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { writeSecretFile } from '#platform/files.ts';

const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** First byte of what is sealed: names the layout nonce, tag, ciphertext. */
const VERSION = 1;

/** Seals servers' credentials with a key that lies beside the database, not in it. */
export class Vault {
  readonly #key: Buffer;

  private constructor(key: Buffer) {
    this.#key = key;
  }

  /** Opens the key in `file`, or makes it there at the first call. @throws Error when the file holds no key */
  static open(file: string): Vault {
    if (!existsSync(file)) writeSecretFile(file, randomBytes(KEY_BYTES));
    const key = readFileSync(file);
    if (key.length !== KEY_BYTES) throw new Error(`${file} has ${key.length} bytes, a vault key has ${KEY_BYTES}`);
    return new Vault(key);
  }

  /** @param owner id of what the secret belongs to: it opens for that owner alone. @returns base64 */
  seal(owner: string, secret: string): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, this.#key, nonce, { authTagLength: TAG_BYTES }).setAAD(Buffer.from(owner));
    const sealed = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()]);
    return Buffer.concat([Buffer.of(VERSION), nonce, cipher.getAuthTag(), sealed]).toString('base64');
  }

  /** @throws Error when it was sealed for another owner, with another key, or altered */
  open(owner: string, sealed: string): string {
    const bytes = Buffer.from(sealed, 'base64');
    const [nonceEnd, tagEnd] = [1 + NONCE_BYTES, 1 + NONCE_BYTES + TAG_BYTES];
    if (bytes.length < tagEnd || bytes[0] !== VERSION) throw new Error('a sealed password is damaged');
    const decipher = createDecipheriv(CIPHER, this.#key, bytes.subarray(1, nonceEnd), { authTagLength: TAG_BYTES });
    decipher.setAAD(Buffer.from(owner)).setAuthTag(bytes.subarray(nonceEnd, tagEnd));
    return decipher.update(bytes.subarray(tagEnd), undefined, 'utf8') + decipher.final('utf8');
  }
}
