/** The header of an age file (C2SP age v1.1.0): read strictly, written canonically. */
import { FormatError } from './format-error.ts';
import { fromBase64, quote, toBase64, utf8 } from './text.ts';

const INTRO = 'age-encryption.org/v1';
const COLUMNS = 64;
/** Longest header in bytes: some 2,000 recipients. */
const MAX_HEADER_BYTES = 256 * 1024;
const LF = 0x0a;

/** A recipient stanza: `-> <arguments>`, then the body. */
export interface Stanza {
  /** Type first: e.g. `X25519`, then the share. */
  readonly args: readonly string[];
  readonly body: Uint8Array;
}

/** A header as read. */
export interface AgeHeader {
  readonly stanzas: readonly Stanza[];
  /** The bytes that the MAC covers: everything through `---`. */
  readonly authenticated: Uint8Array;
  /** HMAC-SHA-256, 32 bytes. */
  readonly mac: Uint8Array;
  /** Byte offset of the payload. */
  readonly end: number;
}

/** The part of a header that its MAC covers: everything through `---`. */
export function formatHeader(stanzas: readonly Stanza[]): Uint8Array<ArrayBuffer> {
  let text = `${INTRO}\n`;
  for (const { args, body } of stanzas) {
    text += `-> ${args.join(' ')}\n`;
    const base64 = unpadded(body);
    for (let i = 0; i <= base64.length; i += COLUMNS) text += `${base64.slice(i, i + COLUMNS)}\n`;
  }
  return utf8(`${text}---`);
}

/** What follows `formatHeader`: the MAC and the line's end. */
export function formatMac(mac: Uint8Array): Uint8Array<ArrayBuffer> {
  return utf8(` ${unpadded(mac)}\n`);
}

/**
 * Reads the header at the beginning of `file`.
 * @throws FormatError
 */
export function parseHeader(file: Uint8Array): AgeHeader {
  const lines = new HeaderLines(file);
  const intro = lines.next();
  if (intro !== INTRO) throw new FormatError('age.header', `begins with ${quote(intro)}, wanted "${INTRO}"`);
  const stanzas: Stanza[] = [];
  for (;;) {
    const start = lines.offset;
    const line = lines.next();
    if (line.startsWith('-> ')) {
      stanzas.push({ args: parseArguments(line.slice(3)), body: parseBody(lines) });
    } else if (line.startsWith('--- ')) {
      if (stanzas.length === 0) throw new FormatError('age.header', 'no recipient');
      const mac = fromUnpadded(line.slice(4), 'age.header.mac');
      if (mac.length !== 32) throw new FormatError('age.header.mac', `${mac.length} bytes, wanted 32`);
      return { stanzas, authenticated: file.subarray(0, start + 3), mac, end: lines.offset };
    } else {
      throw new FormatError('age.header', `the line ${quote(line)}, wanted "-> " or "--- "`);
    }
  }
}

function parseArguments(line: string): string[] {
  const args = line.split(' ');
  if (!args.every((arg) => /^[\x21-\x7e]+$/.test(arg))) {
    throw new FormatError('age.header.stanza', `the arguments ${quote(line)}`);
  }
  return args;
}

function parseBody(lines: HeaderLines): Uint8Array {
  let base64 = '';
  for (;;) {
    const line = lines.next();
    if (line.length > COLUMNS) throw new FormatError('age.header.stanza', `a body line of ${line.length} characters`);
    base64 += line;
    if (line.length < COLUMNS) return fromUnpadded(base64, 'age.header.stanza');
  }
}

/** `bytes` in base64 without padding. */
export function unpadded(bytes: Uint8Array): string {
  return toBase64(bytes).replace(/=+$/, '');
}

/**
 * Reads base64 without padding.
 * @throws FormatError
 */
export function fromUnpadded(text: string, field: string): Uint8Array<ArrayBuffer> {
  if (text.includes('=')) throw new FormatError(field, 'base64 with padding, wanted none');
  return fromBase64(text + '='.repeat((4 - (text.length % 4)) % 4), field);
}

/** ASCII lines, each ended by a line feed. */
class HeaderLines {
  readonly #file: Uint8Array;
  offset = 0;

  constructor(file: Uint8Array) {
    this.#file = file;
  }

  next(): string {
    const end = this.#file.indexOf(LF, this.offset);
    if (end < 0 || end > MAX_HEADER_BYTES) {
      throw new FormatError('age.header', end < 0 ? 'truncated' : `longer than ${MAX_HEADER_BYTES} bytes`);
    }
    let line = '';
    for (let i = this.offset; i < end; i++) line += String.fromCharCode(this.#file[i]);
    this.offset = end + 1;
    return line;
  }
}
