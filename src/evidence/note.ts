/**
 * Signed notes and their keys (c2sp.org/signed-note), signature type 0x01, Ed25519.
 *
 * A note is text that ends in a line feed, an empty line, then lines `— <name> <base64(key id ‖ signature)>`. The
 * signature covers the text with its last line feed.
 */
import { FormatError } from './format-error.ts';
import { equal } from './merkle.ts';
import type { Sha256, Sign, Verify } from './primitives.ts';
import { fromBase64, fromHex, quote, readUtf8, toBase64, toHex, utf8 } from './text.ts';

const ED25519 = 0x01;
const MAX_NOTE_BYTES = 1024 * 1024;
const MAX_SIGNATURES = 100;

/** A public key that signatures are checked with. */
export interface VerifierKey {
  readonly name: string;
  /** First four bytes of SHA-256(name ‖ 0x0A ‖ 0x01 ‖ public key). */
  readonly id: Uint8Array;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
}

/** A signature line. */
export interface NoteSignature {
  readonly name: string;
  readonly id: Uint8Array;
  readonly signature: Uint8Array;
}

/** A note taken apart, nothing checked yet. */
export interface ParsedNote {
  /** What is signed, with its last line feed. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

/**
 * Makes the key that verifies what the private half of `publicKey` signs as `name`.
 * @throws RangeError when `name` is empty or holds white space or a plus
 */
export function verifierKey(sha256: Sha256, name: string, publicKey: Uint8Array): VerifierKey {
  if (!isKeyName(name)) throw new RangeError(`key name ${quote(name)}: no white space, no plus, not empty`);
  const id = sha256(utf8(`${name}\n`), Uint8Array.of(ED25519), publicKey).subarray(0, 4);
  return { name, id, publicKey };
}

/** The key as text: `name+hex8(key id)+base64(0x01 ‖ public key)`. */
export function formatVerifierKey(key: VerifierKey): string {
  return `${key.name}+${toHex(key.id)}+${toBase64(Uint8Array.of(ED25519, ...key.publicKey))}`;
}

/**
 * Reads a verifier key.
 * @throws FormatError, also when the key id is not the key's
 */
export function parseVerifierKey(sha256: Sha256, text: string): VerifierKey {
  const [, name, id, key] = /^([^+]+)\+([^+]+)\+(.+)$/.exec(text) ?? [];
  if (name === undefined || !isKeyName(name)) {
    throw new FormatError('verifier key', `${quote(text)}, wanted name+key id+base64`);
  }
  const bytes = fromBase64(key, 'verifier key');
  if (bytes.length !== 33 || bytes[0] !== ED25519) {
    throw new FormatError('verifier key', `${quote(text)} is no Ed25519 key (0x01 and 32 bytes)`);
  }
  const parsed = verifierKey(sha256, name, bytes.subarray(1));
  if (!equal(fromHex(id, 4, 'verifier key.id'), parsed.id)) {
    throw new FormatError('verifier key.id', `${id}, the key has ${toHex(parsed.id)}`);
  }
  return parsed;
}

/**
 * Signs `text` and returns the whole note.
 * @throws RangeError when `text` cannot be a note's: it must end in a line feed and hold no other control character
 */
export function signNote(text: string, key: VerifierKey, sign: Sign): string {
  if (!isNoteText(text)) throw new RangeError('note text: must end in a line feed and hold no other control character');
  const signature = sign(utf8(text));
  return `${text}\n— ${key.name} ${toBase64(Uint8Array.of(...key.id, ...signature))}\n`;
}

/**
 * Takes a note apart without checking signatures.
 * @throws FormatError
 */
export function parseNote(bytes: Uint8Array): ParsedNote {
  if (bytes.length > MAX_NOTE_BYTES) throw new FormatError('note', `${bytes.length} bytes, at most ${MAX_NOTE_BYTES}`);
  const whole = readUtf8(bytes, 'note');
  const split = whole.lastIndexOf('\n\n');
  if (split < 0) throw new FormatError('note', 'no empty line between text and signatures: truncated');
  const text = whole.slice(0, split + 1);
  if (!isNoteText(text)) throw new FormatError('note.text', 'holds a control character');
  const lines = whole.slice(split + 2).split('\n');
  if (lines.pop() !== '') throw new FormatError('note.signature', 'the last line has no line feed: truncated');
  if (lines.length === 0) throw new FormatError('note.signature', 'none');
  if (lines.length > MAX_SIGNATURES) throw new FormatError('note.signature', `more than ${MAX_SIGNATURES}`);
  return { text, signatures: lines.map(parseSignature) };
}

function parseSignature(line: string): NoteSignature {
  const [dash, name, base64, ...more] = line.split(' ');
  if (dash !== '—' || name === undefined || base64 === undefined || more.length > 0 || !isKeyName(name)) {
    throw new FormatError('note.signature', `${quote(line)}, wanted "— <name> <base64>"`);
  }
  const bytes = fromBase64(base64, 'note.signature');
  if (bytes.length < 5)
    throw new FormatError('note.signature', `${bytes.length} bytes, wanted a key id and a signature`);
  return { name, id: bytes.subarray(0, 4), signature: bytes.subarray(4) };
}

/**
 * Opens a note: signatures by unknown keys are ignored, one by a known key that is wrong refuses the note.
 * @returns the text and the known keys that signed it, at least one
 * @throws FormatError when the note is malformed, a known key's signature is wrong, or no known key signed it
 */
export function openNote(
  bytes: Uint8Array,
  keys: readonly VerifierKey[],
  crypto: { readonly verify: Verify },
): { text: string; signers: VerifierKey[] } {
  const { text, signatures } = parseNote(bytes);
  const message = utf8(text);
  const signers: VerifierKey[] = [];
  for (const { name, id, signature } of signatures) {
    const key = keys.find((known) => known.name === name && equal(known.id, id));
    if (key === undefined || signers.includes(key)) continue;
    if (signature.length !== 64 || !crypto.verify(key.publicKey, message, signature)) {
      throw new FormatError('note.signature', `the signature of ${name} is wrong`);
    }
    signers.push(key);
  }
  if (signers.length === 0) {
    const found = signatures.map(({ name, id }) => `${name}+${toHex(id)}`).join(', ');
    const wanted = keys.map((key) => `${key.name}+${toHex(key.id)}`).join(', ');
    throw new FormatError('note.signature', `signed by ${found}, wanted ${wanted || 'a known key, none was given'}`);
  }
  return { text, signers };
}

function isKeyName(name: string): boolean {
  return name.length <= 255 && /^[^\s+\p{Cc}]+$/u.test(name);
}

function isNoteText(text: string): boolean {
  return text.endsWith('\n') && !/\p{Cc}/u.test(text.replaceAll('\n', ''));
}
