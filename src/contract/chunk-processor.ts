import { type Static, Type } from 'typebox';
import { BYTES, defineContract } from './contract.ts';

/** Largest body that the processor takes: a run of 64 MiB, the decoder's state and the head. */
const SEAL_LIMIT_BYTES = 256 * 1024 * 1024;

const ChunkIndex = Type.Integer({ minimum: 0, maximum: 999_999 });

/** What a run's sealing needs besides its records. The wire form is in `seal-message.ts`. */
export const SealHead = Type.Object({
  session_id: Type.String(),
  stream: Type.Enum(['screen', 'input', 'channels']),
  /** age recipient (`age1...`) that the chunks are encrypted to: the public half of the session's key. */
  recipient: Type.String(),
  /** Number that the next chunk of each stream gets: keyframes and index point at them. */
  next_index: Type.Object({ screen: ChunkIndex, keyframes: ChunkIndex }),
  /** Stored bytes of the recording so far: what keyframes may take of it depends on them. */
  stored_bytes: Type.Object({ all: Type.Integer({ minimum: 0 }), keyframes: Type.Integer({ minimum: 0 }) }),
  /** Keys and buttons pressed in the run's time, by second of the session's clock, for the index. */
  activity: Type.Array(
    Type.Object({
      second: Type.Integer({ minimum: 0 }),
      keys: Type.Integer({ minimum: 0 }),
      clicks: Type.Integer({ minimum: 0 }),
    }),
    { maxItems: 10_000 },
  ),
});
export type SealHead = Static<typeof SealHead>;

/** A sealed chunk's description; its bytes follow in the same order. */
export const SealedChunk = Type.Object({
  stream: Type.Enum(['screen', 'input', 'channels', 'keyframes', 'index']),
  compression: Type.Enum(['zst', 'raw']),
  bytes: Type.Integer({ minimum: 1 }),
  sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
  first_us: Type.Integer({ minimum: 0 }),
  last_us: Type.Integer({ minimum: 0 }),
  /** Records, repetitions included. */
  records: Type.Integer({ minimum: 1 }),
  /** Bytes of the records before compression. */
  plain_bytes: Type.Integer({ minimum: 1 }),
});
export type SealedChunk = Static<typeof SealedChunk>;

/** What a sealed run amounts to: its own chunk, and of a screen run a keyframes and an index chunk. */
export const SealAnswerHead = Type.Object({
  chunks: Type.Array(SealedChunk, { maxItems: 3 }),
  /** Bytes of server PDUs that the decoders have read and have not been able to read. */
  decoded_bytes: Type.Integer({ minimum: 0 }),
  undecodable_bytes: Type.Integer({ minimum: 0 }),
});
export type SealAnswerHead = Static<typeof SealAnswerHead>;

/** Milliseconds that threads have spent on each stage of sealing. */
const Stages = Type.Object({
  /** Waiting for a thread. */
  wait: Type.Number(),
  /** Reading runs through. */
  check: Type.Number(),
  /** Making keyframes and index. */
  decode: Type.Number(),
  compress: Type.Number(),
  /** Encryption and hash. */
  encrypt: Type.Number(),
});

export const SealStatus = Type.Object({
  workers: Type.Integer(),
  queued: Type.Integer(),
  queued_bytes: Type.Integer(),
  /** Runs that wait for a worker, and the most that may. */
  queue_limit: Type.Integer(),
  queue_limit_bytes: Type.Integer(),
  sealed_runs: Type.Integer(),
  sealed_chunks: Type.Integer(),
  /** Chunks stored as they are, since compression did not pay. */
  raw_chunks: Type.Integer(),
  plain_bytes: Type.Integer(),
  stored_bytes: Type.Integer(),
  /** plain_bytes / stored_bytes; null before the first chunk. */
  ratio: Type.Union([Type.Number(), Type.Null()]),
  stages_ms: Stages,
  /** Runs by the zstd level that they were sealed with; 0: without zstd. */
  levels: Type.Array(
    Type.Object({
      level: Type.Integer(),
      runs: Type.Integer(),
      plain_bytes: Type.Integer(),
      stored_bytes: Type.Integer(),
      compress_ms: Type.Number(),
    }),
  ),
  /** Jobs given to threads: a job is one run, or several small ones. */
  jobs: Type.Integer(),
  /** One for each thread that lives. */
  threads: Type.Array(
    Type.Object({
      busy: Type.Boolean(),
      runs: Type.Integer(),
      plain_bytes: Type.Integer(),
      busy_ms: Type.Number(),
      /** Of those since it was started. */
      busy_share: Type.Number(),
    }),
  ),
  /** Workers that died and were replaced. */
  worker_crashes: Type.Integer(),
});
export type SealStatus = Static<typeof SealStatus>;

/** Stateless: a run of records in, sealed chunks out. */
export const chunkProcessor = defineContract('chunk-processor', {
  /** Bodies are those of `seal-message.ts`. `unavailable` when the queue is full: come again. */
  seal: {
    method: 'POST',
    path: '/v1/seal',
    summary: 'Seal a run of records; a screen run yields a keyframes and an index chunk too',
    callers: ['session-recorder'],
    body: BYTES,
    bodyLimit: SEAL_LIMIT_BYTES,
    response: BYTES,
  },
  /** Each run is sealed or refused for itself. */
  sealBatch: {
    method: 'POST',
    path: '/v1/seal-batch',
    summary: 'Seal several small runs at once',
    callers: ['session-recorder'],
    body: BYTES,
    bodyLimit: SEAL_LIMIT_BYTES,
    response: BYTES,
  },
  status: {
    method: 'GET',
    path: '/v1/status',
    summary: 'Workers, queue, stages, levels and totals',
    callers: ['session-api', 'session-recorder', 'rdp-monitor'],
    response: SealStatus,
  },
});
