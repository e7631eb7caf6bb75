import type { SealedChunk, SealHead } from '#contract/chunk-processor.ts';
import { ServiceError } from '#contract/errors.ts';
import type { Peers } from '#contract/index.ts';
import { LOST_STATE, type SealAnswer, sealRequestPrefix } from '#contract/seal-message.ts';
import { type KeyName, keyNameOf } from '#evidence/record.ts';
import type { ByteBudget } from './byte-budget.ts';
import type { JournalRun, KeptState } from './journal/journal.ts';
import type { Manifest } from './manifest.ts';
import type { RunFacts } from './recording-index.ts';
import { type RetryOptions, retry } from './retry.ts';
import type { Sealer } from './sealer.ts';

/** A run that was cut, ready to be sealed. */
export interface CutRun {
  readonly run: JournalRun;
  /** A written record that goes before the run's own: the config, repeated. */
  readonly head: Uint8Array | null;
  readonly activity: SealHead['activity'];
  /** Between which times its records are, in µs. */
  readonly firstTime: number;
  readonly lastTime: number;
  /** Markers of a gap among its records. */
  readonly gaps: { readonly count: number; readonly missing: number };
  /** The latest config at its end, written. */
  readonly config: Uint8Array | null;
}

export interface SealingContext {
  readonly peers: Pick<Peers, 'session-storage'>;
  /** Shared by all recordings. */
  readonly sealer: Sealer;
  /** Shared by all recordings: bounds the runs that are in memory, from their reading until they are stored. */
  readonly budget: ByteBudget;
  readonly retry: RetryOptions;
  readonly progress: SealingProgress;
  /** Keeps the decoder's state after a screen run in the journal. */
  readonly keep: (state: Uint8Array, seq: number) => Promise<KeptState>;
  /** Told how many records of a run could not be read back from the journal, once; why stands in the run. */
  readonly onDamage: (cut: CutRun, missing: number) => void;
}

/** Keeps in mind what a crash must not make unknown: each call is durable when it resolves. */
export interface SealingProgress {
  /** A run's chunks are about to be stored. */
  chunks(chunks: readonly SealedChunk[], run: RunFacts): Promise<void>;
  /** A signed partial entry is about to be stored. */
  partial(note: string): Promise<void>;
}

const NO_STATE = new Uint8Array(0);
/** Of a run that has no records. */
const NOTHING: SealAnswer = {
  head: { chunks: [], decoded_bytes: 0, undecodable_bytes: 0 },
  state: NO_STATE,
  chunks: [],
};
/** What a run takes of the budget at least: its decoder's state, and what surrounds it. */
const MIN_RUN_BYTES = 256 * 1024;

/** A cut run on its way into the store. */
interface Item {
  readonly cut: CutRun;
  /** Its chunks, those that are stored taken away; null until it is sealed. */
  sealed: SealAnswer | null;
  /** What is known of its chunks is kept, and counted. */
  isNoted: boolean;
  /** All its chunks are stored, and the decoder's state is that after it. */
  isStored: boolean;
}

/**
 * Takes one recording's runs in the order in which they were cut and has each sealed, stored and told in a partial entry:
 * chunk numbers, leaves and the decoder's state follow from that order. Runs of different streams that were cut together
 * are sealed at the same time. A failure stops the line; `drain` tries again where it stood. What is sealed is kept until
 * it is stored: it is never sealed twice.
 */
export class SealingLine {
  readonly #session: string;
  readonly #publicKeys: Readonly<Record<KeyName, string>>;
  readonly #manifest: Manifest;
  readonly #context: SealingContext;
  readonly #queue: Item[] = [];
  /** A signed partial entry that is not stored yet. */
  #partial: string | null = null;
  /** The decoder's state after the last stored screen run; null before the first. */
  #state: KeptState | null = null;
  /** The state after the screen run that is being stored. */
  #nextState: KeptState | null = null;
  #working: Promise<void> | null = null;

  constructor(
    session: string,
    publicKeys: Readonly<Record<KeyName, string>>,
    manifest: Manifest,
    context: SealingContext,
  ) {
    this.#session = session;
    this.#publicKeys = publicKeys;
    this.#manifest = manifest;
    this.#context = context;
  }

  /** Begins after runs that an earlier run of the service has stored. @param state null when it is lost */
  resume(state: KeptState | null): void {
    this.#state = state ?? inMemory(LOST_STATE);
  }

  /** Screen runs that are not stored yet, and the decoder's state before them; null at the beginning. */
  get unstoredScreen(): { state: KeptState | null; runs: readonly CutRun[] } {
    const items = this.#queue.filter(({ cut, isStored }) => cut.run.stream === 'screen' && !isStored);
    return { state: this.#state, runs: items.map(({ cut }) => cut) };
  }

  push(cut: CutRun): void {
    this.#queue.push({ cut, sealed: null, isNoted: false, isStored: false });
  }

  /**
   * Seals and stores all that was pushed; resolves when nothing is left. While it works, another call joins it.
   * @throws the failure that stopped the line
   */
  async drain(): Promise<void> {
    while (this.#working) await this.#working;
    if (this.#queue.length === 0 && this.#partial === null) return;
    this.#working = this.#work().finally(() => {
      this.#working = null;
    });
    await this.#working;
  }

  async #work(): Promise<void> {
    await this.#storePartial();
    while (this.#queue.length > 0) {
      const group = this.#nextGroup();
      const release = await this.#try(() => this.#seal(group));
      try {
        await this.#store(group);
      } finally {
        release();
      }
      this.#queue.splice(0, group.length);
      for (const { cut } of group) cut.run.release();
    }
  }

  /** The first runs, one of a stream: none of them needs to know what becomes of another. */
  #nextGroup(): readonly Item[] {
    const streams = this.#queue.map(({ cut }) => cut.run.stream);
    const end = streams.findIndex((stream, i) => streams.indexOf(stream) < i);
    return this.#queue.slice(0, end < 0 ? this.#queue.length : end);
  }

  /**
   * Seals what is not sealed of a group.
   * @returns gives back the memory that it takes until it is stored
   * @throws the first failure; what was sealed is kept
   */
  async #seal(group: readonly Item[]): Promise<() => void> {
    const bytes = group.reduce((sum, { cut }) => sum + Math.max(MIN_RUN_BYTES, cut.run.bytes), 0);
    const release = await this.#context.budget.take(bytes);
    const sealing = group.map(async (item) => {
      item.sealed ??= await this.#sealOne(item.cut);
    });
    const failure = (await Promise.allSettled(sealing)).find(({ status }) => status === 'rejected');
    if (!failure) return release;
    release();
    throw (failure as PromiseRejectedResult).reason;
  }

  async #sealOne(cut: CutRun): Promise<SealAnswer> {
    const { run, head, activity } = cut;
    const { stream } = run;
    const request: SealHead = {
      session_id: this.#session,
      stream,
      recipient: this.#publicKeys[keyNameOf(stream)],
      next_index: { screen: this.#manifest.nextIndex('screen'), keyframes: this.#manifest.nextIndex('keyframes') },
      stored_bytes: { all: this.#manifest.storedBytes(), keyframes: this.#manifest.storedBytes('keyframes') },
      activity,
    };
    const state = stream === 'screen' && this.#state ? await this.#state.read().catch(() => LOST_STATE) : NO_STATE;
    const prefix = sealRequestPrefix(request, state);
    const before = run.records;
    const body = await run.read(head ? Buffer.concat([prefix, head]) : prefix);
    if (run.damage.length > 0 && run.records < before) this.#context.onDamage(cut, before - run.records);
    // Where the journal has failed, nothing of a run may have become durable.
    if (run.records === 0) return { ...NOTHING, head: { ...NOTHING.head, chunks: [] } };
    const answer = await this.#context.sealer.seal(body);
    const [own] = answer.head.chunks;
    const expected = run.records + (head ? 1 : 0);
    if (own?.stream !== stream || own.records !== expected) {
      const found = own ? `${own.records} records of ${own.stream}` : 'nothing';
      throw new ServiceError('conflict', `${found} came back sealed, ${expected} records of ${stream} were sent`);
    }
    return { ...answer, head: { ...answer.head, chunks: [...answer.head.chunks] }, chunks: [...answer.chunks] };
  }

  /** Keeps what is known of a sealed run, before the first of its chunks is stored. */
  async #note(item: Item, { head, state }: SealAnswer): Promise<void> {
    const { run, gaps, config } = item.cut;
    const { chunks, decoded_bytes, undecodable_bytes } = head;
    if (item.isNoted || chunks.length === 0) return;
    if (run.stream === 'screen') {
      this.#nextState?.release();
      this.#nextState = null;
      this.#nextState = await this.#keep(state, run.lastSeq);
    }
    await this.#context.progress.chunks(chunks, {
      lastSeq: run.lastSeq,
      records: run.records,
      bytes: run.bytes,
      gaps: gaps.count,
      missing: gaps.missing,
      decodedBytes: decoded_bytes,
      undecodableBytes: undecodable_bytes,
      config: config && Buffer.from(config).toString('base64'),
    });
    this.#manifest.decodedBytes += decoded_bytes;
    this.#manifest.undecodableBytes += undecodable_bytes;
    item.isNoted = true;
  }

  /** In the journal, so that it takes no memory and outlives a crash; in memory where the journal has failed. */
  async #keep(state: Uint8Array, seq: number): Promise<KeptState> {
    // Copied: a view would keep the whole answer in memory until the next run.
    return this.#context.keep(state, seq).catch(() => inMemory(state.slice()));
  }

  /** Stores what is left of sealed runs; what was stored before a failure is told in a partial entry all the same. */
  async #store(group: readonly Item[]): Promise<void> {
    const before = this.#manifest.leaves;
    try {
      for (const item of group) await this.#storeOne(item, item.sealed!);
    } finally {
      if (this.#manifest.leaves > before) {
        this.#partial = this.#manifest.signPartial();
        await this.#context.progress.partial(this.#partial);
        await this.#storePartial();
      }
    }
  }

  async #storeOne(item: Item, sealed: SealAnswer): Promise<void> {
    await this.#note(item, sealed);
    const { head, chunks } = sealed;
    while (head.chunks.length > 0) {
      const [chunk] = head.chunks;
      const index = this.#manifest.nextIndex(chunk.stream);
      const { compression, sha256, first_us, last_us, records } = chunk;
      const stored = await this.#try(() =>
        this.#context.peers['session-storage'].putChunk({
          params: { id: this.#session, stream: chunk.stream, index },
          query: { compression, sha256, first_us, last_us, records },
          body: chunks[0],
        }),
      );
      this.#manifest.add(chunk);
      head.chunks.shift();
      chunks.shift();
      const { leaves, root } = this.#manifest;
      if (stored.leaves !== leaves || stored.root !== root) {
        const found = `${stored.leaves} leaves with root ${stored.root}`;
        throw new ServiceError('conflict', `the store has ${found}, the recorder ${leaves} with root ${root}`);
      }
    }
    item.sealed = { ...sealed, state: NO_STATE };
    item.isStored = true;
    if (item.cut.run.stream !== 'screen' || !this.#nextState) return;
    this.#state?.release();
    [this.#state, this.#nextState] = [this.#nextState, null];
  }

  async #storePartial(): Promise<void> {
    const note = this.#partial;
    if (note === null) return;
    await this.#try(() =>
      this.#context.peers['session-storage'].putEntry({
        params: { id: this.#session, kind: 'partial' },
        body: { note },
      }),
    );
    this.#partial = null;
  }

  /** Tries until it works or patience ends. */
  #try<T>(work: () => Promise<T>): Promise<T> {
    return retry(work, this.#context.retry);
  }
}

function inMemory(state: Uint8Array): KeptState {
  return { read: async () => state, release() {} };
}
