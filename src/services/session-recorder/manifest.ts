import type { SealedChunk } from '#contract/chunk-processor.ts';
import type { CloseEntry, PartialEntry, StreamTotals } from '#evidence/entry.ts';
import { formatLeaf } from '#evidence/leaf.ts';
import { leafHash, MerkleTree } from '#evidence/merkle.ts';
import { sha256 } from '#evidence/node/hash.ts';
import { type NoteSigner, signEntry } from '#evidence/node/signing.ts';
import { CAPTURED_STREAMS, STREAMS, type Stream } from '#evidence/record.ts';
import { fromHex, toHex, utf8 } from '#evidence/text.ts';
import type { Figures } from './quality.ts';

type Totals = { -readonly [K in keyof Omit<StreamTotals, 'stream'>]: number };

/** What a recording amounts to so far, and the entries that say so. The root is of this side's own leaves. */
export class Manifest {
  readonly #session: string;
  readonly #signer: NoteSigner;
  readonly #openHash: Uint8Array;
  readonly durability: CloseEntry['durability'];
  readonly #tree = new MerkleTree(sha256);
  readonly #totals = new Map<Stream, Totals>();
  /** Partial entries signed so far. */
  partials = 0;
  gaps = 0;
  /** Records that markers of a gap count as missing. */
  missing = 0;
  decodedBytes = 0;
  undecodableBytes = 0;

  /** @param openHash SHA-256 of the open entry's text; @param durability under which its records were acknowledged */
  constructor(session: string, signer: NoteSigner, openHash: Uint8Array, durability: CloseEntry['durability']) {
    this.#session = session;
    this.#signer = signer;
    this.#openHash = openHash;
    this.durability = durability;
  }

  get leaves(): number {
    return this.#tree.size;
  }

  /** Hexadecimal. */
  get root(): string {
    return toHex(this.#tree.root());
  }

  /** Number that the next chunk of `stream` gets. */
  nextIndex(stream: Stream): number {
    return this.#totals.get(stream)?.chunks ?? 0;
  }

  /** Bytes of all stored chunks, or of those of one stream. */
  storedBytes(stream?: Stream): number {
    if (stream) return this.#totals.get(stream)?.storedBytes ?? 0;
    return [...this.#totals.values()].reduce((sum, totals) => sum + totals.storedBytes, 0);
  }

  /** Bytes of the captured records in stored chunks, repeated ones among them. */
  get capturedBytes(): number {
    return CAPTURED_STREAMS.reduce((sum, stream) => sum + (this.#totals.get(stream)?.recordBytes ?? 0), 0);
  }

  get figures(): Figures {
    return {
      durability: this.durability,
      streams: STREAMS.filter((stream) => this.#totals.has(stream)).map((stream) => {
        const { chunks, records, recordBytes, storedBytes } = this.#totals.get(stream)!;
        return { stream, chunks, records, bytes: recordBytes, stored_bytes: storedBytes };
      }),
      missing_records: this.missing,
      gaps: this.gaps,
      receipts: this.#totals.get('keyframes')?.records ?? 0,
      decoded_bytes: this.decodedBytes,
      undecodable_bytes: this.undecodableBytes,
    };
  }

  /** Enters a chunk as the next of its stream. */
  add(chunk: SealedChunk): void {
    const { stream } = chunk;
    const leaf = formatLeaf({
      session: this.#session,
      stream,
      index: this.nextIndex(stream),
      encoding: chunk.compression,
      storedBytes: chunk.bytes,
      sha256: fromHex(chunk.sha256, 32, 'sha256'),
      firstTime: chunk.first_us,
      lastTime: chunk.last_us,
      records: chunk.records,
    });
    this.#tree.append(leafHash(sha256, utf8(leaf)));
    const totals = this.#totals.get(stream) ?? { chunks: 0, records: 0, recordBytes: 0, storedBytes: 0 };
    this.#totals.set(stream, {
      chunks: totals.chunks + 1,
      records: totals.records + chunk.records,
      recordBytes: totals.recordBytes + chunk.plain_bytes,
      storedBytes: totals.storedBytes + chunk.bytes,
    });
  }

  /** Signs the next partial entry over the leaves so far. */
  signPartial(): string {
    const entry: PartialEntry = {
      kind: 'lucid/partial/v1',
      ...this.#head(),
      number: this.partials++,
      leaves: this.leaves,
      root: this.#tree.root(),
    };
    return signEntry(this.#signer, entry);
  }

  /** Signs the close entry. @param reason one word; @param records captured in all */
  signClose(reason: string, records: number): string {
    const entry: CloseEntry = {
      kind: 'lucid/close/v1',
      ...this.#head(),
      open: this.#openHash,
      reason,
      durability: this.durability,
      partials: this.partials,
      leaves: this.leaves,
      root: this.#tree.root(),
      records,
      gaps: this.gaps,
      undecodable: { bytes: this.undecodableBytes, of: this.decodedBytes + this.undecodableBytes },
      streams: STREAMS.filter((stream) => this.#totals.has(stream)).map((stream) => ({
        stream,
        ...this.#totals.get(stream)!,
      })),
    };
    return signEntry(this.#signer, entry);
  }

  #head() {
    return { session: this.#session, node: this.#signer.key.name, time: new Date().toISOString() };
  }
}
