/** A short session, recorded, sealed and signed with the real parts: what tests of evidence tamper with. */
import { randomUUID } from 'node:crypto';
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { deflateSync, inflateSync } from 'node:zlib';
import { chunkPath, entryPath, keyPath, LEAVES_PATH } from '#evidence/bundle-layout.ts';
import type { CloseEntry, Entry, OpenEntry, SessionKeyLine } from '#evidence/entry.ts';
import { formatEntry } from '#evidence/entry.ts';
import { type IndexBody, type KeyframePosition, writeIndex } from '#evidence/index-record.ts';
import { writeKeyframe } from '#evidence/keyframe.ts';
import { formatLeaf, hashLeaf, type Leaf } from '#evidence/leaf.ts';
import { MerkleTree } from '#evidence/merkle.ts';
import { sealBytes } from '#evidence/node/age.ts';
import { type AgeIdentity, generateIdentity } from '#evidence/node/age-keys.ts';
import { sealChunk } from '#evidence/node/chunk.ts';
import { sha256 } from '#evidence/node/hash.ts';
import { createSessionKey } from '#evidence/node/session-keys.ts';
import { createSigner, type NoteSigner, signEntry } from '#evidence/node/signing.ts';
import {
  FLAG_REPEATED,
  KEY_NAMES,
  keyNameOf,
  RecordType,
  recordSize,
  type SessionRecord,
  STREAMS,
  type Stream,
  writeRecord,
} from '#evidence/record.ts';
import { type ConfigBody, writeChannelBody, writeJsonBody } from '#evidence/record-body.ts';
import { applyScreenRecord } from '#evidence/replayed-screen.ts';
import { utf8 } from '#evidence/text.ts';
import { rgbx } from '#rdp/codec/pixel.ts';
import { readPng, writePng } from '#rdp/graphics/png.ts';
import { ScreenDecoder } from '#rdp/graphics/screen-decoder.ts';
import { BitmapFlag, writeBitmapUpdate } from '#rdp/pdu/bitmap-update.ts';
import { FastPathUpdateCode, writeFastPathUpdate } from '#rdp/pdu/fast-path-output.ts';

export const WIDTH = 64;
export const HEIGHT = 48;
const DEPTH = 32;
/** Server PDUs between two seals, and µs between two of them. */
const PDUS_A_RUN = 10;
const STEP = 250_000;

/** Replays the bitmap profile. */
export const player = {
  makeScreen: () => new ScreenDecoder(),
  readPng: (png: Uint8Array) => readPng(png, (bytes, limit) => inflateSync(bytes, { maxOutputLength: limit })),
};

/** A recorded session in the store's layout. */
export interface RecordedSession {
  readonly folder: string;
  readonly id: string;
  readonly auditor: AgeIdentity;
  /** May read everything but `input`. */
  readonly guest: AgeIdentity;
  readonly signer: NoteSigner;
  /** Pixels after each server PDU, by its time in µs. */
  readonly frames: readonly { readonly time: number; readonly pixels: Uint8Array }[];
  readonly leaves: readonly Leaf[];
}

export interface RecordOptions {
  /** New ones when not given. */
  readonly id?: string;
  readonly server?: string;
  readonly runs?: number;
  /** False: the session stays open. */
  readonly closed?: boolean;
  /** Signs; a new key when not given. */
  readonly signer?: NoteSigner;
  readonly auditor?: AgeIdentity;
  /** Puts other records in the place of a run, as a recorder that lies could: all is signed as if they were right. */
  readonly forge?: (stream: Stream, index: number, records: SessionRecord[]) => Uint8Array;
}

/**
 * Records a session into `<parent>/<id>`.
 * @param parent an existing folder
 */
export function recordSession(parent: string, options: RecordOptions = {}): RecordedSession {
  const id = options.id ?? randomUUID();
  const folder = join(parent, id);
  mkdirSync(folder);
  const signer = options.signer ?? createSigner(join(parent, `${id}.pem`), 'lucid-test/node');
  const auditor = options.auditor ?? generateIdentity();
  const guest = generateIdentity();
  const recording = new Recording(folder, id, signer, auditor, guest, options.forge);
  recording.open(options.server ?? randomUUID());
  for (let run = 0; run < (options.runs ?? 3); run++) recording.run();
  if (options.closed !== false) recording.close();
  return { folder, id, auditor, guest, signer, frames: recording.frames, leaves: recording.leaves };
}

class Recording {
  readonly #folder: string;
  readonly #id: string;
  readonly #signer: NoteSigner;
  readonly #keys: SessionKeyLine[];
  readonly #forge: RecordOptions['forge'];
  readonly #screen = new ScreenDecoder();
  readonly #tree = new MerkleTree(sha256);
  readonly #recordBytes = new Map<Stream, number>();
  readonly frames: { time: number; pixels: Uint8Array }[] = [];
  readonly leaves: Leaf[] = [];
  #openText = '';
  #partials = 0;
  #seq = 0;
  #time = 0;
  #runs = 0;

  constructor(
    folder: string,
    id: string,
    signer: NoteSigner,
    auditor: AgeIdentity,
    guest: AgeIdentity,
    forge: RecordOptions['forge'],
  ) {
    this.#forge = forge;
    this.#folder = folder;
    this.#id = id;
    this.#signer = signer;
    const both = [auditor.recipient, guest.recipient];
    this.#keys = KEY_NAMES.map((name) => {
      const { line, file } = createSessionKey(name, name === 'input' ? [auditor.recipient] : both);
      store(folder, keyPath(name), file);
      return line;
    });
    writeFileSync(join(folder, LEAVES_PATH), '');
  }

  get #head() {
    return { session: this.#id, node: this.#signer.key.name, time: new Date().toISOString() };
  }

  #sign(entry: Entry): void {
    store(this.#folder, entryPath(entry), utf8(signEntry(this.#signer, entry)));
  }

  open(server: string): void {
    const entry: OpenEntry = {
      kind: 'lucid/open/v1',
      ...this.#head,
      server,
      policy: sha256(utf8('{}')),
      keys: this.#keys,
    };
    this.#openText = formatEntry(entry);
    this.#sign(entry);
  }

  /** Records and seals one run of every stream. */
  run(): void {
    const run = this.#runs++;
    const screen = [this.#config(run)];
    const input: SessionRecord[] = [];
    const channels: SessionRecord[] = [];
    for (let i = 0; i < PDUS_A_RUN; i++) {
      this.#time += STEP;
      input.push(this.#record(RecordType.clientPdu, Uint8Array.of(0x04, 0x04, 0x00, 0x1e)));
      screen.push(this.#record(RecordType.serverPdu, serverPdu(run * PDUS_A_RUN + i)));
      const data = utf8(`clipboard ${i}`);
      const body = writeChannelBody({ direction: 'client-to-server', channel: 'cliprdr', data });
      channels.push(this.#record(RecordType.channelData, body));
      applyScreenRecord(this.#screen, screen.at(-1)!);
      this.frames.push({ time: this.#time, pixels: this.#screen.pixels.slice() });
    }
    this.#seal('screen', run, screen);
    this.#seal('input', run, input);
    this.#seal('channels', run, channels);
    const { time, seq } = screen.at(-1)!;
    const screenBytes = screen.reduce((bytes, record) => bytes + recordSize(record), 0);
    const position = { seq, time, chunk: run, offset: 0, screenChunk: run, screenOffset: screenBytes };
    this.#seal('keyframes', run, [{ type: RecordType.keyframe, flags: 0, time, seq, body: this.#keyframe(seq) }]);
    this.#seal('index', run, [{ type: RecordType.index, flags: 0, time, seq, body: writeIndex(index(position)) }]);
    const root = this.#tree.root();
    const number = this.#partials++;
    this.#sign({ kind: 'lucid/partial/v1', ...this.#head, number, leaves: this.leaves.length, root });
  }

  close(): void {
    const entry: CloseEntry = {
      kind: 'lucid/close/v1',
      ...this.#head,
      open: sha256(utf8(this.#openText)),
      reason: 'left',
      durability: 'strict',
      partials: this.#partials,
      leaves: this.leaves.length,
      root: this.#tree.root(),
      records: this.#seq,
      gaps: 0,
      undecodable: { bytes: 0, of: this.#screen.decodedBytes },
      streams: STREAMS.map((stream) => {
        const own = this.leaves.filter((leaf) => leaf.stream === stream);
        return {
          stream,
          chunks: own.length,
          records: own.reduce((sum, leaf) => sum + leaf.records, 0),
          recordBytes: this.#recordBytes.get(stream) ?? 0,
          storedBytes: own.reduce((sum, leaf) => sum + leaf.storedBytes, 0),
        };
      }),
    };
    this.#sign(entry);
  }

  #record(type: RecordType, body: Uint8Array): SessionRecord {
    return { type, flags: 0, time: this.#time, seq: this.#seq++, body };
  }

  /** The session's config, repeated at the head of later chunks. */
  #config(run: number): SessionRecord {
    const config: ConfigBody = {
      version: 1,
      session: this.#id,
      startedAt: '2026-01-31T09:30:00.000Z',
      width: WIDTH,
      height: HEIGHT,
      depth: DEPTH,
      codecs: {},
      profile: 'bitmaps',
      versions: { lucid: '0.1.0' },
    };
    if (run > 0) return { type: RecordType.config, flags: FLAG_REPEATED, time: 0, seq: 0, body: writeJsonBody(config) };
    const record = this.#record(RecordType.config, writeJsonBody(config));
    applyScreenRecord(this.#screen, record);
    return record;
  }

  #keyframe(seq: number): Uint8Array {
    const { width, height, pixels } = this.#screen;
    const png = writePng({ width, height, pixels }, deflateSync);
    return writeKeyframe({ width, height, seq, sha256: sha256(pixels), png, state: this.#screen.save(false) });
  }

  #seal(stream: Stream, index: number, items: SessionRecord[]): void {
    const records = Buffer.concat(items.map(writeRecord));
    const recipient = this.#keys.find(({ name }) => name === keyNameOf(stream))!.publicKey;
    const { encoding, bytes, summary } = sealChunk({ stream, records, recipient });
    const forged = this.#forge?.(stream, index, items);
    const file = forged ? sealBytes(forged, [recipient]) : bytes;
    const leaf: Leaf = {
      session: this.#id,
      stream,
      index,
      encoding: forged ? 'raw' : encoding,
      storedBytes: file.length,
      sha256: sha256(file),
      firstTime: summary.firstTime,
      lastTime: summary.lastTime,
      records: summary.records,
    };
    store(this.#folder, chunkPath(leaf), file);
    this.#recordBytes.set(stream, (this.#recordBytes.get(stream) ?? 0) + records.length);
    this.#tree.append(hashLeaf(sha256, leaf));
    this.leaves.push(leaf);
    appendFileSync(join(this.#folder, LEAVES_PATH), `${formatLeaf(leaf)}\n`);
  }
}

function store(folder: string, path: string, bytes: Uint8Array): void {
  mkdirSync(join(folder, dirname(path)), { recursive: true });
  writeFileSync(join(folder, path), bytes);
}

function index(position: KeyframePosition): IndexBody {
  return { version: 1, from: 0, seconds: [], markers: [], keyframes: [position], thumbnails: [] };
}

/** An uncompressed bitmap update that paints one square. */
export function serverPdu(number: number): Uint8Array {
  const side = 8;
  const [left, top] = [(number * 5) % (WIDTH - side), (number * 3) % (HEIGHT - side)];
  const words = new Uint32Array(side * side).fill(rgbx(number * 7, 255 - number * 5, number * 3));
  const update = writeBitmapUpdate([
    {
      left,
      top,
      right: left + side - 1,
      bottom: top + side - 1,
      width: side,
      height: side,
      bitsPerPixel: DEPTH,
      flags: BitmapFlag.noCompressionHeader,
      data: new Uint8Array(words.buffer),
    },
  ]);
  return writeFastPathUpdate(FastPathUpdateCode.bitmap, update)[0];
}
