/** A recording of what a script says was on the screen and done, sealed and signed with the real parts. */
import { randomUUID } from 'node:crypto';
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { chunkPath, entryPath, keyPath, LEAVES_PATH } from '#evidence/bundle-layout.ts';
import { type Entry, formatEntry, type SessionKeyLine } from '#evidence/entry.ts';
import { writeKeyframe } from '#evidence/keyframe.ts';
import { formatLeaf, hashLeaf, type Leaf } from '#evidence/leaf.ts';
import { MerkleTree } from '#evidence/merkle.ts';
import { type AgeIdentity, formatIdentity, generateIdentity } from '#evidence/node/age-keys.ts';
import { sealChunk } from '#evidence/node/chunk.ts';
import { sha256 } from '#evidence/node/hash.ts';
import { createSessionKey } from '#evidence/node/session-keys.ts';
import { createSigner, type NoteSigner, signEntry } from '#evidence/node/signing.ts';
import {
  FLAG_REPEATED,
  KEY_NAMES,
  keyNameOf,
  RecordType,
  type SessionRecord,
  STREAMS,
  type Stream,
  writeRecord,
} from '#evidence/record.ts';
import { type MarkerBody, writeJsonBody } from '#evidence/record-body.ts';
import { applyScreenRecord } from '#evidence/replayed-screen.ts';
import { utf8 } from '#evidence/text.ts';
import { encodeBitmap } from '#rdp/codec/bitmap-encoder.ts';
import { fill } from '#rdp/graphics/painter.ts';
import { writePng } from '#rdp/graphics/png.ts';
import type { Rectangle } from '#rdp/graphics/rectangle.ts';
import { Screen } from '#rdp/graphics/screen.ts';
import { ScreenDecoder } from '#rdp/graphics/screen-decoder.ts';
import { BitmapFlag, writeBitmapUpdate } from '#rdp/pdu/bitmap-update.ts';
import { writeFastPathInput } from '#rdp/pdu/fast-path-input.ts';
import { FastPathUpdateCode, writeFastPathUpdate } from '#rdp/pdu/fast-path-output.ts';
import { type InputEvent, PointerFlag } from '#rdp/pdu/input.ts';

const DEPTH = 32;
const TILE = 64;

export class ScriptedRecording {
  /** The bundle, in the store's layout. */
  readonly folder: string;
  readonly id = randomUUID();
  readonly auditor: AgeIdentity = generateIdentity();
  /** May read everything but `input`. */
  readonly guest: AgeIdentity = generateIdentity();
  /** What the person sees: painted on, and sent by `send`. */
  screen: Screen;
  /** µs of the session's clock. */
  time = 0;
  readonly #signer: NoteSigner;
  readonly #keys: SessionKeyLine[];
  readonly #decoder = new ScreenDecoder();
  readonly #tree = new MerkleTree(sha256);
  readonly #leaves: Leaf[] = [];
  readonly #recordBytes = new Map<Stream, number>();
  readonly #open: string;
  #run = new Map<Stream, Uint8Array[]>();
  #config: SessionRecord | null = null;
  #lastScreen = { seq: 0, time: 0 };
  #seq = 0;
  #runs = new Map<Stream, number>();
  #partials = 0;

  /** @param parent an existing folder */
  constructor(parent: string, width: number, height: number) {
    this.folder = join(parent, this.id);
    mkdirSync(this.folder);
    this.#signer = createSigner(join(parent, `${this.id}.pem`), 'lucid-test/node');
    const both = [this.auditor.recipient, this.guest.recipient];
    this.#keys = KEY_NAMES.map((name) => {
      const { line, file } = createSessionKey(name, name === 'input' ? [this.auditor.recipient] : both);
      this.#store(keyPath(name), file);
      return line;
    });
    writeFileSync(join(this.folder, LEAVES_PATH), '');
    const entry: Entry = {
      kind: 'lucid/open/v1',
      ...this.#head,
      ...{ server: randomUUID(), policy: sha256(utf8('{}')), keys: this.#keys },
    };
    this.#open = formatEntry(entry);
    this.#sign(entry);
    this.screen = new Screen(width, height);
    this.connect(width, height);
  }

  wait(seconds: number): void {
    this.time += Math.round(seconds * 1e6);
  }

  /** A share begins: the desktop is black, and of this size. */
  connect(width: number, height: number): void {
    this.screen = new Screen(width, height);
    const body = writeJsonBody({
      ...{ version: 1, session: this.id, startedAt: '2026-01-31T09:30:00.000Z', width, height, depth: DEPTH },
      ...{ codecs: {}, profile: 'bitmaps', versions: { lucid: '0.1.0' } },
    });
    this.#config = this.#add('screen', RecordType.config, body);
  }

  marker(marker: MarkerBody): void {
    this.#add('screen', RecordType.marker, writeJsonBody(marker));
  }

  /** Fills a part of the screen and sends it. */
  paint(area: Rectangle, color: number): void {
    const painted = fill(this.screen, area, color);
    if (painted !== null) this.send(painted);
  }

  /** Sends a part of what is painted on the screen, in tiles as servers do. */
  send(area: Rectangle): void {
    for (let top = area.top; top < area.bottom; top += TILE) {
      for (let left = area.left; left < area.right; left += TILE) {
        const width = Math.min(TILE, area.right - left);
        this.#sendTile(left, top, width, Math.min(TILE, area.bottom - top));
      }
    }
  }

  #sendTile(left: number, top: number, width: number, height: number): void {
    const update = writeBitmapUpdate([
      {
        ...{ left, top, right: left + width - 1, bottom: top + height - 1, width, height, bitsPerPixel: DEPTH },
        flags: BitmapFlag.compressed | BitmapFlag.noCompressionHeader,
        data: encodeBitmap(this.screen.words, this.screen.width, left, top, width, height, DEPTH),
      },
    ]);
    for (const pdu of writeFastPathUpdate(FastPathUpdateCode.bitmap, update)) this.serverPdu(pdu);
  }

  serverPdu(pdu: Uint8Array): void {
    this.#add('screen', RecordType.serverPdu, pdu);
  }

  input(...events: InputEvent[]): void {
    this.#add('input', RecordType.clientPdu, writeFastPathInput(events));
  }

  moveMouse(x: number, y: number): void {
    this.input({ kind: 'mouse', flags: PointerFlag.move, x, y });
  }

  #add(stream: Stream, type: RecordType, body: Uint8Array): SessionRecord {
    const record: SessionRecord = { type, flags: 0, time: this.time, seq: this.#seq++, body };
    if (stream === 'screen') {
      // Every screen chunk begins with the config.
      if (!this.#run.has('screen') && this.#config !== null && type !== RecordType.config) {
        this.#append('screen', { ...this.#config, flags: FLAG_REPEATED });
      }
      applyScreenRecord(this.#decoder, record);
      this.#lastScreen = record;
    }
    this.#append(stream, record);
    return record;
  }

  #append(stream: Stream, record: SessionRecord): void {
    const records = this.#run.get(stream) ?? [];
    this.#run.set(stream, records);
    records.push(writeRecord(record));
  }

  /** Ends the runs of all streams, with a keyframe of the screen as it is. @param pixels what the keyframe's hash is of */
  seal(pixels: Uint8Array = this.#decoder.pixels): void {
    if (this.#run.has('screen')) {
      const { width, height } = this.#decoder;
      const { seq, time } = this.#lastScreen;
      const png = writePng({ width, height, pixels: this.#decoder.pixels }, deflateSync);
      const keyframe = { width, height, seq, sha256: sha256(pixels), png, state: this.#decoder.save(false) };
      const body = writeKeyframe(keyframe);
      this.#append('keyframes', { type: RecordType.keyframe, flags: 0, time, seq, body });
    }
    for (const stream of STREAMS) {
      const records = this.#run.get(stream);
      if (records !== undefined) this.#seal(stream, Buffer.concat(records));
    }
    this.#run = new Map();
    const [leaves, root] = [this.#leaves.length, this.#tree.root()];
    this.#sign({ kind: 'lucid/partial/v1', ...this.#head, number: this.#partials++, leaves, root });
  }

  #seal(stream: Stream, records: Buffer): void {
    const recipient = this.#keys.find(({ name }) => name === keyNameOf(stream))!.publicKey;
    const { encoding, bytes: file, summary } = sealChunk({ stream, records, recipient });
    const index = this.#runs.get(stream) ?? 0;
    this.#runs.set(stream, index + 1);
    const leaf: Leaf = {
      ...{ session: this.id, stream, index, encoding, storedBytes: file.length, sha256: sha256(file) },
      ...{ firstTime: summary.firstTime, lastTime: summary.lastTime, records: summary.records },
    };
    this.#store(chunkPath(leaf), file);
    this.#recordBytes.set(stream, (this.#recordBytes.get(stream) ?? 0) + records.length);
    this.#tree.append(hashLeaf(sha256, leaf));
    this.#leaves.push(leaf);
    appendFileSync(join(this.folder, LEAVES_PATH), `${formatLeaf(leaf)}\n`);
  }

  /** Seals what is left and signs the end. */
  close(): void {
    if (this.#run.size > 0) this.seal();
    const totals = STREAMS.map((stream) => {
      const own = this.#leaves.filter((leaf) => leaf.stream === stream);
      return {
        ...{ stream, chunks: own.length, recordBytes: this.#recordBytes.get(stream) ?? 0 },
        records: own.reduce((sum, leaf) => sum + leaf.records, 0),
        storedBytes: own.reduce((sum, leaf) => sum + leaf.storedBytes, 0),
      };
    });
    this.#sign({
      ...{ kind: 'lucid/close/v1', ...this.#head, open: sha256(utf8(this.#open)), reason: 'left' },
      ...{ durability: 'strict', partials: this.#partials, leaves: this.#leaves.length, root: this.#tree.root() },
      ...{ records: this.#seq, gaps: 0, undecodable: { bytes: 0, of: this.#decoder.decodedBytes } },
      streams: totals.filter(({ chunks }) => chunks > 0),
    });
  }

  /** Writes an identity file. @returns its path */
  identityFile(identity: AgeIdentity = this.auditor): string {
    const path = `${this.folder}.txt`;
    writeFileSync(path, `${formatIdentity(identity)}\n`);
    return path;
  }

  get #head() {
    return { session: this.id, node: this.#signer.key.name, time: '2026-01-31T09:30:00.000Z' };
  }

  #sign(entry: Entry): void {
    this.#store(entryPath(entry), utf8(signEntry(this.#signer, entry)));
  }

  #store(path: string, bytes: Uint8Array): void {
    mkdirSync(join(this.folder, dirname(path)), { recursive: true });
    writeFileSync(join(this.folder, path), bytes);
  }
}
