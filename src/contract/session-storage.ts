import { type Static, Type } from 'typebox';
import { Id, IdParams, Nothing, PageQuery, Time } from './common.ts';
import { BYTES, defineContract, STREAM } from './contract.ts';

const CHUNK_LIMIT_BYTES = 128 * 1024 * 1024;

export const StreamName = Type.Enum(['screen', 'input', 'channels', 'keyframes', 'index']);

export const StoredChunk = Type.Object({
  stream: Type.String(),
  index: Type.Integer(),
  compression: Type.Enum(['zst', 'raw']),
  bytes: Type.Integer(),
  sha256: Type.String(),
  first_us: Type.Integer(),
  last_us: Type.Integer(),
  records: Type.Integer(),
});
export type StoredChunk = Static<typeof StoredChunk>;

/** A page of a session's chunks: ask again with `cursor` until there is none. */
export const ChunkPageQuery = Type.Object({
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 500 })),
  cursor: Type.Optional(Type.String({ pattern: '^[0-9]{1,15}$' })),
});
export const ChunkPage = Type.Object({
  items: Type.Array(StoredChunk),
  next_cursor: Type.Union([Type.String(), Type.Null()]),
});

const TimeOrNull = Type.Union([Time, Type.Null()]);

/** What the store has of a session. */
export const StoredSession = Type.Object({
  session_id: Id,
  state: Type.Enum(['live', 'closed', 'deleted']),
  chunks: Type.Integer(),
  stored_bytes: Type.Integer(),
  opened_at: TimeOrNull,
  closed_at: TimeOrNull,
  deleted_at: TimeOrNull,
  held: Type.Boolean({ description: 'under legal hold: it is not deleted' }),
  place: Type.Enum(['store', 'archive'], { description: 'where keys and chunks are' }),
  moving: Type.Union([Type.Enum(['archive', 'restore']), Type.Null()], { description: 'what is under way' }),
});
export type StoredSession = Static<typeof StoredSession>;
export const StoredSessionPage = Type.Object({
  items: Type.Array(StoredSession),
  next_cursor: Type.Union([Type.String(), Type.Null()]),
});

/** Who does something with a session as a whole, and why. */
export const Grounds = Type.Object({
  by: Type.Union([Id, Type.Null()], { description: 'random id of the user' }),
  reason: Type.String({ pattern: '^[a-z][a-z0-9-]{0,63}$', description: 'one word: litigation, privacy-request' }),
});

export const BundleFormat = Type.Enum(['tar', 'zip']);
const Position = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });

/** What a bundle will be, before any of it is sent. */
export const BundleDescription = Type.Object({
  bytes: Type.Integer(),
  etag: Type.String({ description: 'names these very bytes' }),
  stable: Type.Boolean({ description: 'the session is over: its bundle stays the same' }),
});

/** A file of the store that is not as it must be. */
export const StorageProblem = Type.Object({
  id: Type.String(),
  session_id: Id,
  path: Type.String({ description: "within the session's folder" }),
  kind: Type.Enum(['missing', 'unreadable', 'size', 'content']),
  what: Type.String({ description: 'what was found and what was wanted' }),
  found_at: Time,
  acknowledged_at: TimeOrNull,
  acknowledged_by: Type.Union([Id, Type.Null()]),
});
export type StorageProblem = Static<typeof StorageProblem>;
export const StorageProblemPage = Type.Object({
  items: Type.Array(StorageProblem),
  next_cursor: Type.Union([Type.String(), Type.Null()]),
});
export const ProblemPageQuery = Type.Object({
  limit: PageQuery.properties.limit,
  cursor: Type.Optional(Type.String({ pattern: '^[0-9]{1,15}$' })),
});
export const ProblemParams = Type.Object({ id: Type.String({ pattern: '^[0-9]{1,15}$' }) });

export const StorageStatus = Type.Object({
  /** Sessions that are not deleted. */
  sessions: Type.Integer(),
  chunks: Type.Integer(),
  stored_bytes: Type.Integer(),
  free_bytes: Type.Integer(),
  total_bytes: Type.Integer(),
  low_bytes: Type.Integer({ description: 'free space below which health is degraded' }),
  floor_bytes: Type.Integer({ description: 'free space below which new sessions are refused' }),
  quota_bytes: Type.Integer({ description: 'bytes of chunks at which new sessions are refused; 0: no quota' }),
  session_quota_bytes: Type.Integer({ description: 'bytes of chunks at which a session is ended; 0: no quota' }),
  accepts_sessions: Type.Boolean(),
  refusals: Type.Array(Type.String(), { description: 'why new sessions are refused' }),
  retention_days: Type.Integer({ description: '0: for ever' }),
  retention_bytes: Type.Integer({ description: '0: all' }),
  archive: Type.Union([
    Type.Object({ is_there: Type.Boolean(), free_bytes: Type.Integer(), total_bytes: Type.Integer() }),
    Type.Null(),
  ]),
  problems: Type.Integer({ description: 'damaged files' }),
  unacknowledged_problems: Type.Integer(),
  /** The background check of all that is stored; null: it has not run. */
  scrub: Type.Union([
    Type.Object({
      pass_started_at: Time,
      session_id: Type.Union([Type.String(), Type.Null()], { description: 'where it is; null: the pass is over' }),
      files: Type.Integer({ description: 'checked in this pass' }),
      bytes: Type.Integer({ description: 'read in this pass' }),
      finished_at: Type.Union([Time, Type.Null()], { description: 'end of the last whole pass' }),
    }),
    Type.Null(),
  ]),
});
export type StorageStatus = Static<typeof StorageStatus>;

export const ChunkParams = Type.Object({
  id: Id,
  stream: StreamName,
  index: Type.Integer({ minimum: 0, maximum: 999999 }),
});
/** What a chunk's leaf says besides its place and its size. */
export const ChunkDescription = Type.Object({
  compression: Type.Enum(['zst', 'raw']),
  sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
  first_us: Type.Integer({ minimum: 0 }),
  last_us: Type.Integer({ minimum: 0 }),
  records: Type.Integer({ minimum: 1 }),
});
export const TreeHead = Type.Object({
  leaves: Type.Integer(),
  root: Type.String({ description: 'Merkle root, hex' }),
});

/** What is signed of a session's chunks. */
export const SignedTree = Type.Object({
  kind: Type.Enum(['partial', 'close'], { description: 'close: the session is over, and this is all of it' }),
  leaves: Type.Integer({ description: 'chunks that the entry speaks of: the first so many that were stored' }),
  root: Type.String({ description: 'Merkle root over their leaves (RFC 6962), hex' }),
  note: Type.String({ description: 'the entry, a signed note' }),
});

/** A session's evidence at a glance: the entries that say what it is and what belongs to it. */
export const Manifest = Type.Object({
  session_id: Id,
  open: Type.String({ description: 'the open entry, a signed note: keys, recipients, policy' }),
  signed: Type.Union([SignedTree, Type.Null()], {
    description: 'the latest entry about its chunks; null before the first',
  }),
});
export type Manifest = Static<typeof Manifest>;

/** Shows that a chunk belongs to a session, without the others. */
export const ChunkProof = Type.Object({
  leaf: Type.String({ description: "the chunk's line in leaves.txt, without line feed: its bytes are what is hashed" }),
  leaf_index: Type.Integer({ description: 'which leaf of the tree it is, from 0 up' }),
  path: Type.Array(Type.String(), {
    description: "hashes from the leaf's sibling up to the root's child, hex (RFC 6962, 2.1.1)",
  }),
  signed: SignedTree,
});
export type ChunkProof = Static<typeof ChunkProof>;

/** Chunks, keys, entries and bundles. */
export const sessionStorage = defineContract('session-storage', {
  createSession: {
    method: 'POST',
    path: '/v1/sessions',
    summary: 'Make room for a session; storage_full below the floor of free space',
    callers: ['session-recorder', 'session-api'],
    body: Type.Object({ session_id: Id }),
    response: Nothing,
  },
  putKey: {
    method: 'PUT',
    path: '/v1/sessions/:id/keys/:name',
    summary: 'Store a session key, itself encrypted to the recipients; durable when answered',
    callers: ['session-recorder', 'session-api'],
    params: Type.Object({ id: Id, name: Type.String({ pattern: '^[a-z]{1,20}(\\.[0-9]{1,4})?$' }) }),
    body: BYTES,
    response: Nothing,
  },
  /** Verified against `sha256` while written; durable, with its leaf, when answered; idempotent for equal bytes. */
  putChunk: {
    method: 'PUT',
    path: '/v1/sessions/:id/chunks/:stream/:index',
    summary: 'Store a sealed chunk and enter its leaf',
    callers: ['session-recorder', 'session-api'],
    params: ChunkParams,
    query: ChunkDescription,
    body: BYTES,
    bodyLimit: CHUNK_LIMIT_BYTES,
    response: TreeHead,
  },
  /** After a crash: a chunk is never sealed twice. `not_found` when no file with these bytes lies in the chunk's place. */
  adoptChunk: {
    method: 'POST',
    path: '/v1/sessions/:id/chunks/:stream/:index/leaf',
    summary: 'Enter the leaf of a chunk that lies in the store without one',
    callers: ['session-recorder'],
    params: ChunkParams,
    query: ChunkDescription,
    response: TreeHead,
  },
  /** The text is a signed note; first form: a plain file. The ledger will take over behind this route. */
  putEntry: {
    method: 'PUT',
    path: '/v1/sessions/:id/entries/:kind',
    summary: 'Integrate a signed entry of a session; durable when answered',
    callers: ['session-recorder', 'session-api'],
    params: Type.Object({
      id: Id,
      kind: Type.Enum(['open', 'partial', 'close']),
    }),
    body: Type.Object({ note: Type.String({ maxLength: 65535 }) }),
    response: Nothing,
  },
  listChunks: {
    method: 'GET',
    path: '/v1/sessions/:id/chunks',
    summary: "List a session's chunks, in the order in which they were stored",
    callers: ['session-api', 'session-recorder', 'session-pipeline'],
    params: IdParams,
    query: ChunkPageQuery,
    response: ChunkPage,
  },
  getChunk: {
    method: 'GET',
    path: '/v1/sessions/:id/chunks/:stream/:index',
    summary: "A chunk's bytes as stored (encrypted)",
    callers: ['session-api'],
    params: ChunkParams,
    response: STREAM,
  },
  getManifest: {
    method: 'GET',
    path: '/v1/sessions/:id/manifest',
    summary: 'The open entry, and the latest entry about the chunks',
    callers: ['session-api'],
    params: IdParams,
    response: Manifest,
  },
  proveChunk: {
    method: 'GET',
    path: '/v1/sessions/:id/chunks/:stream/:index/proof',
    summary: 'That a chunk is in the tree of the latest entry',
    callers: ['session-api'],
    params: ChunkParams,
    response: ChunkProof,
  },
  describeBundle: {
    method: 'GET',
    path: '/v1/sessions/:id/bundle/description',
    summary: 'Length and name of the bundle as it would be sent now',
    callers: ['session-api'],
    params: IdParams,
    query: Type.Object({ format: BundleFormat }),
    response: BundleDescription,
  },
  getBundle: {
    method: 'GET',
    path: '/v1/sessions/:id/bundle',
    summary: 'The bundle of a session, or a range of its bytes; conflict when it is not the one of `etag` any more',
    callers: ['session-api', 'session-recorder'],
    params: IdParams,
    query: Type.Object({
      format: Type.Optional(BundleFormat),
      from: Type.Optional(Position),
      to: Type.Optional(Position),
      etag: Type.Optional(Type.String({ maxLength: 64 })),
    }),
    response: STREAM,
  },
  listSessions: {
    method: 'GET',
    path: '/v1/sessions',
    summary: 'What the store has, oldest session first',
    callers: ['session-api', 'session-pipeline'],
    query: Type.Object({
      ...PageQuery.properties,
      state: Type.Optional(StoredSession.properties.state),
      held: Type.Optional(Type.Boolean()),
    }),
    response: StoredSessionPage,
  },
  getSession: {
    method: 'GET',
    path: '/v1/sessions/:id',
    summary: 'What the store has of a session',
    callers: ['session-api', 'session-pipeline'],
    params: IdParams,
    response: StoredSession,
  },
  holdSession: {
    method: 'POST',
    path: '/v1/sessions/:id/hold',
    summary: 'Legal hold: the session is not deleted until it is released',
    callers: ['session-api'],
    params: IdParams,
    body: Grounds,
    response: StoredSession,
  },
  releaseSession: {
    method: 'POST',
    path: '/v1/sessions/:id/release',
    summary: 'End a legal hold',
    callers: ['session-api'],
    params: IdParams,
    body: Grounds,
    response: StoredSession,
  },
  archiveSession: {
    method: 'POST',
    path: '/v1/sessions/:id/archive',
    summary: 'Have the chunks of a closed session moved to the archive; answers before they are',
    callers: ['session-api'],
    params: IdParams,
    body: Grounds,
    response: StoredSession,
  },
  restoreSession: {
    method: 'POST',
    path: '/v1/sessions/:id/restore',
    summary: 'Have them brought back; answers before they are',
    callers: ['session-api'],
    params: IdParams,
    body: Grounds,
    response: StoredSession,
  },
  checkSession: {
    method: 'POST',
    path: '/v1/sessions/:id/check',
    summary: 'Have every file of a session checked soon: what is wrong is listed among the problems',
    callers: ['session-api'],
    params: IdParams,
    response: Nothing,
  },
  beginScrub: {
    method: 'POST',
    path: '/v1/scrub',
    summary: 'Begin a new pass over all that is stored',
    callers: ['session-api'],
    response: Nothing,
  },
  listProblems: {
    method: 'GET',
    path: '/v1/problems',
    summary: 'Damaged files, in the order in which they were found',
    callers: ['session-api'],
    query: ProblemPageQuery,
    response: StorageProblemPage,
  },
  acknowledgeProblem: {
    method: 'POST',
    path: '/v1/problems/:id/acknowledge',
    summary: 'Say that a problem has been seen: health is not degraded by it any more',
    callers: ['session-api'],
    params: ProblemParams,
    body: Type.Object({ by: Grounds.properties.by }),
    response: Nothing,
  },
  deleteSession: {
    method: 'POST',
    path: '/v1/sessions/:id/delete',
    summary: 'Delete keys and chunks of a closed session; a tombstone, leaves and entries stay',
    callers: ['session-api'],
    params: IdParams,
    body: Grounds,
    response: StoredSession,
  },
  getBackup: {
    method: 'GET',
    path: '/v1/backup',
    summary: 'The whole store as one tar stream; without the manifest at its end it is not whole',
    callers: ['session-api'],
    response: STREAM,
  },
  status: {
    method: 'GET',
    path: '/v1/status',
    summary: 'Capacity, counts and sizes',
    callers: ['session-api', 'session-recorder', 'session-pipeline', 'rdp-controller', 'rdp-monitor'],
    response: StorageStatus,
  },
});
