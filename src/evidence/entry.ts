/**
 * Entries: what a node signs about a session (docs/recording-format.md, Entries). Each is the text of a signed note:
 * lines of a name and values in a fixed order, one spelling for one meaning, no personal data.
 */
import { wantId, wantNumber, wantPattern, wantTime, wantWord } from './fields.ts';
import { FormatError } from './format-error.ts';
import { MAX_LEAVES } from './leaf.ts';
import { KEY_NAMES, type KeyName, STREAMS, type Stream } from './record.ts';
import { fromBase64, fromHex, quote, toBase64, toHex } from './text.ts';

/** Says that a session begins: what it runs under and who can open its recording. */
export interface OpenEntry {
  readonly kind: 'lucid/open/v1';
  readonly session: string;
  /** Name of the node's key, which signs the entry. */
  readonly node: string;
  /** RFC 3339, UTC, to the millisecond. */
  readonly time: string;
  /** Id of the server. */
  readonly server: string;
  /** SHA-256 of the policy. */
  readonly policy: Uint8Array;
  /** The session's keys, each name once, in the order of `KEY_NAMES`. */
  readonly keys: readonly SessionKeyLine[];
  /** The latest checkpoint known, a lower bound on time. */
  readonly checkpoint?: { readonly origin: string; readonly size: number; readonly root: Uint8Array };
  /** A recent block of the chain, a lower bound on time. */
  readonly block?: { readonly chain: number; readonly number: number; readonly hash: Uint8Array };
}

/** A session key in the open entry. */
export interface SessionKeyLine {
  readonly name: KeyName;
  /** Public half: an age X25519 recipient. */
  readonly publicKey: string;
  /** SHA-256 of `keys/<name>.age`, which holds the private half. */
  readonly file: Uint8Array;
  /** age recipients that the private half is encrypted to: at least one. */
  readonly recipients: readonly string[];
}

/** Says which leaves a session had when a chunk had been stored. */
export interface PartialEntry {
  readonly kind: 'lucid/partial/v1';
  readonly session: string;
  readonly node: string;
  readonly time: string;
  /** Number of this entry within the session, from 0 up without gaps. */
  readonly number: number;
  readonly leaves: number;
  readonly root: Uint8Array;
}

/** The manifest of a finished session. */
export interface CloseEntry {
  readonly kind: 'lucid/close/v1';
  readonly session: string;
  readonly node: string;
  readonly time: string;
  /** SHA-256 of the open entry's text. */
  readonly open: Uint8Array;
  /** One word: why the session ended. */
  readonly reason: string;
  readonly durability: 'strict' | 'relaxed';
  /** Partial entries before this one. */
  readonly partials: number;
  readonly leaves: number;
  readonly root: Uint8Array;
  /** Captured records: their seq run from 0 to one less. */
  readonly records: number;
  /** Markers of a gap. */
  readonly gaps: number;
  /** Bytes of server PDUs that no decoder could read, of all. */
  readonly undecodable: { readonly bytes: number; readonly of: number };
  /** Streams that have chunks, in the order of `STREAMS`. */
  readonly streams: readonly StreamTotals[];
}

/** What a stream amounts to. */
export interface StreamTotals {
  readonly stream: Stream;
  readonly chunks: number;
  /** Records, repetitions included. */
  readonly records: number;
  /** Bytes of these records before compression. */
  readonly recordBytes: number;
  /** Bytes of the chunks as stored. */
  readonly storedBytes: number;
}

export type Entry = OpenEntry | PartialEntry | CloseEntry;

const NODE_NAME = /^[^\s+\p{Cc}]{1,255}$/u;
const RECIPIENT = /^age1[02-9ac-hj-np-z]{58}$/;
const REASON = /^[a-z][a-z0-9-]{0,63}$/;

/** The entry's text, ready to be signed. */
export function formatEntry(entry: Entry): string {
  const lines = [entry.kind, `session ${entry.session}`, `node ${entry.node}`, `time ${entry.time}`];
  if (entry.kind === 'lucid/open/v1') lines.push(...openLines(entry));
  else if (entry.kind === 'lucid/partial/v1') {
    lines.push(`partial ${entry.number}`, `leaves ${entry.leaves}`, `root ${toHex(entry.root)}`);
  } else lines.push(...closeLines(entry));
  return `${lines.join('\n')}\n`;
}

function openLines(entry: OpenEntry): string[] {
  const lines = [`server ${entry.server}`, `policy ${toHex(entry.policy)}`];
  for (const key of entry.keys) {
    lines.push(
      `key ${key.name} ${key.publicKey} ${toHex(key.file)}`,
      ...key.recipients.map((to) => `recipient ${key.name} ${to}`),
    );
  }
  const { checkpoint, block } = entry;
  if (checkpoint) lines.push(`checkpoint ${checkpoint.origin} ${checkpoint.size} ${toBase64(checkpoint.root)}`);
  if (block) lines.push(`block ${block.chain} ${block.number} ${toHex(block.hash)}`);
  return lines;
}

function closeLines(entry: CloseEntry): string[] {
  return [
    `open ${toHex(entry.open)}`,
    `reason ${entry.reason}`,
    `durability ${entry.durability}`,
    `partials ${entry.partials}`,
    `leaves ${entry.leaves}`,
    `root ${toHex(entry.root)}`,
    `records ${entry.records}`,
    `gaps ${entry.gaps}`,
    `undecodable ${entry.undecodable.bytes} ${entry.undecodable.of}`,
    ...entry.streams.map((s) => `stream ${s.stream} ${s.chunks} ${s.records} ${s.recordBytes} ${s.storedBytes}`),
  ];
}

/**
 * Reads an entry's text.
 * @throws FormatError naming the line at fault, or when the text is not the one spelling of what it says
 */
export function parseEntry(text: string): Entry {
  const lines = new Lines(text);
  const kind = wantWord(lines.kind, ['lucid/open/v1', 'lucid/partial/v1', 'lucid/close/v1'], 'entry');
  const session = wantId(lines.one('session'), 'entry.session');
  const node = wantPattern(lines.one('node'), NODE_NAME, 'a key name', 'entry.node');
  const time = wantTime(lines.one('time'), 'entry.time');
  const head = { session, node, time };
  const entry: Entry =
    kind === 'lucid/open/v1'
      ? { kind, ...head, ...parseOpen(lines) }
      : kind === 'lucid/partial/v1'
        ? { kind, ...head, ...parsePartial(lines) }
        : { kind, ...head, ...parseClose(lines) };
  lines.end();
  if (formatEntry(entry) !== text) throw new FormatError('entry', 'not in canonical form');
  return entry;
}

function parseOpen(lines: Lines): Omit<OpenEntry, 'kind' | 'session' | 'node' | 'time'> {
  const server = wantId(lines.one('server'), 'entry.server');
  const policy = fromHex(lines.one('policy'), 32, 'entry.policy');
  const keys: SessionKeyLine[] = [];
  while (lines.at('key')) keys.push(parseKey(lines));
  const order = keys.map(({ name }) => KEY_NAMES.indexOf(name));
  if (keys.length === 0) throw new FormatError('entry.key', 'missing');
  if (order.some((place, i) => i > 0 && place <= order[i - 1])) {
    throw new FormatError('entry.key', `wanted each of ${KEY_NAMES.join(', ')} at most once, in this order`);
  }
  const open = { server, policy, keys };
  const checkpoint = lines.at('checkpoint') ? parseCheckpoint(lines.values('checkpoint', 3)) : undefined;
  const block = lines.at('block') ? parseBlock(lines.values('block', 3)) : undefined;
  return { ...open, ...(checkpoint && { checkpoint }), ...(block && { block }) };
}

function parseKey(lines: Lines): SessionKeyLine {
  const [word, publicKey, hash] = lines.values('key', 3);
  const name = wantWord(word, KEY_NAMES, 'entry.key');
  wantPattern(publicKey, RECIPIENT, 'an age X25519 recipient', 'entry.key');
  const file = fromHex(hash, 32, 'entry.key');
  const recipients: string[] = [];
  while (lines.at('recipient')) {
    const [of, recipient] = lines.values('recipient', 2);
    if (of !== name) throw new FormatError('entry.recipient', `${quote(of)}, stands below the key ${name}`);
    recipients.push(wantPattern(recipient, RECIPIENT, 'an age X25519 recipient', 'entry.recipient'));
  }
  if (recipients.length === 0) throw new FormatError('entry.recipient', `the key ${name} has none`);
  return { name, publicKey, file, recipients };
}

function parseCheckpoint([origin, size, root]: string[]): NonNullable<OpenEntry['checkpoint']> {
  const hash = fromBase64(root, 'entry.checkpoint');
  if (hash.length !== 32) throw new FormatError('entry.checkpoint', `a root of ${hash.length} bytes, wanted 32`);
  return {
    origin: wantPattern(origin, NODE_NAME, 'an origin', 'entry.checkpoint'),
    size: wantNumber(size, 'entry.checkpoint'),
    root: hash,
  };
}

function parseBlock([chain, number, hash]: string[]): NonNullable<OpenEntry['block']> {
  return {
    chain: wantNumber(chain, 'entry.block'),
    number: wantNumber(number, 'entry.block'),
    hash: fromHex(hash, 32, 'entry.block'),
  };
}

function parsePartial(lines: Lines): Omit<PartialEntry, 'kind' | 'session' | 'node' | 'time'> {
  return {
    number: wantNumber(lines.one('partial'), 'entry.partial', MAX_LEAVES),
    leaves: wantNumber(lines.one('leaves'), 'entry.leaves', MAX_LEAVES),
    root: fromHex(lines.one('root'), 32, 'entry.root'),
  };
}

function parseClose(lines: Lines): Omit<CloseEntry, 'kind' | 'session' | 'node' | 'time'> {
  const close = {
    open: fromHex(lines.one('open'), 32, 'entry.open'),
    reason: wantPattern(lines.one('reason'), REASON, 'a word of lower-case letters and hyphens', 'entry.reason'),
    durability: wantWord(lines.one('durability'), ['strict', 'relaxed'], 'entry.durability'),
    partials: wantNumber(lines.one('partials'), 'entry.partials', MAX_LEAVES),
    leaves: wantNumber(lines.one('leaves'), 'entry.leaves', MAX_LEAVES),
    root: fromHex(lines.one('root'), 32, 'entry.root'),
    records: wantNumber(lines.one('records'), 'entry.records'),
    gaps: wantNumber(lines.one('gaps'), 'entry.gaps'),
  };
  const [bytes, of] = lines.values('undecodable', 2).map((value) => wantNumber(value, 'entry.undecodable'));
  const streams: StreamTotals[] = [];
  while (lines.at('stream')) streams.push(parseTotals(lines.values('stream', 5)));
  const order = streams.map(({ stream }) => STREAMS.indexOf(stream));
  if (order.some((place, i) => i > 0 && place <= order[i - 1])) {
    throw new FormatError('entry.stream', `wanted each of ${STREAMS.join(', ')} at most once, in this order`);
  }
  return { ...close, undecodable: { bytes, of }, streams };
}

function parseTotals([name, ...counts]: string[]): StreamTotals {
  const stream = wantWord(name, STREAMS, 'entry.stream');
  const [chunks, records, recordBytes, storedBytes] = counts.map((count) =>
    wantNumber(count, `entry.stream ${stream}`),
  );
  return { stream, chunks, records, recordBytes, storedBytes };
}

/** The lines of an entry, read from the top. */
class Lines {
  readonly kind: string;
  readonly #lines: string[];
  #next = 1;

  constructor(text: string) {
    this.#lines = text.split('\n');
    if (this.#lines.pop() !== '') throw new FormatError('entry', 'does not end with a line feed: truncated');
    this.kind = this.#lines[0] ?? '';
  }

  /** Whether the next line is a `name`. */
  at(name: string): boolean {
    return this.#lines[this.#next]?.startsWith(`${name} `) === true;
  }

  /** The values of the next line, which must be a `name` with `count` of them. */
  values(name: string, count: number): string[] {
    const line = this.#lines[this.#next];
    if (line === undefined) throw new FormatError(`entry.${name}`, `line ${this.#next + 1} is missing`);
    if (!this.at(name)) throw new FormatError(`entry.${name}`, `line ${this.#next + 1} is ${quote(line)}`);
    const values = line.slice(name.length + 1).split(' ');
    if (values.length !== count) throw new FormatError(`entry.${name}`, `${values.length} values, wanted ${count}`);
    this.#next++;
    return values;
  }

  /** The only value of the next line, which must be a `name`. */
  one(name: string): string {
    return this.values(name, 1)[0];
  }

  end(): void {
    const line = this.#lines[this.#next];
    if (line !== undefined) throw new FormatError('entry', `line ${this.#next + 1} is ${quote(line)}, wanted the end`);
  }
}
