/** Session keys: made for one session, their private halves written for the recipients alone, then dropped. */
import { keyPath } from '#evidence/bundle-layout.ts';
import type { SessionKeyLine } from '#evidence/entry.ts';
import { FormatError } from '#evidence/format-error.ts';
import type { KeyName } from '#evidence/record.ts';
import { openBytes, sealBytes } from './age.ts';
import { type AgeIdentity, formatIdentity, generateIdentity, parseIdentity } from './age-keys.ts';
import { sha256 } from './hash.ts';

/**
 * Makes a session key. Its private half is in `file` alone, encrypted to the recipients: `file` must be durable before
 * the first chunk is sealed.
 * @param recipients `age1…` of those who may open it: at least one
 * @returns what the open entry says of the key, and the content of `keys/<name>.age`
 * @throws FormatError when a recipient cannot be read
 */
export function createSessionKey(
  name: KeyName,
  recipients: readonly string[],
): { line: SessionKeyLine; file: Uint8Array } {
  const identity = generateIdentity();
  const file = sealBytes(Buffer.from(`${formatIdentity(identity)}\n`), recipients);
  return { line: { name, publicKey: identity.recipient, recipients, file: sha256(file) }, file };
}

/**
 * Opens the private half of a session key.
 * @param file content of `keys/<name>.age`
 * @param line what the open entry says of the key
 * @returns null when none of `identities` is a recipient
 * @throws FormatError when the file is malformed, or holds another key than the open entry names
 */
export function openSessionKey(
  file: Uint8Array,
  line: SessionKeyLine,
  identities: readonly AgeIdentity[],
): AgeIdentity | null {
  let text: string;
  try {
    text = openBytes(file, identities).toString('latin1');
  } catch (cause) {
    if (cause instanceof FormatError && cause.field === 'age.identity') return null;
    throw cause;
  }
  const identity = parseIdentity(text.trim());
  if (identity.recipient !== line.publicKey) {
    throw new FormatError(keyPath(line.name), `holds the key of ${identity.recipient}, wanted ${line.publicKey}`);
  }
  return identity;
}
