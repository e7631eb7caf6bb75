import { type Static, Type } from 'typebox';
import { Id, IdParams, Nothing, Policy, Time } from './common.ts';
import { defineContract, STREAM } from './contract.ts';
import { StreamName } from './session-storage.ts';
import { Video, VideoRequest } from './video.ts';

const Count = Type.Integer({ minimum: 0 });

/** How good a recording is; streams and decoding as far as it is sealed and stored. */
export const RecordingQuality = Type.Object({
  durability: Type.Enum(['strict', 'relaxed'], { description: 'strict: every record was durable before it was shown' }),
  streams: Type.Array(
    Type.Object({ stream: StreamName, chunks: Count, records: Count, bytes: Count, stored_bytes: Count }),
  ),
  missing_records: Type.Integer({ minimum: 0, description: 'captured, and lost: as far as gaps say how many' }),
  gaps: Type.Integer({ minimum: 0, description: 'markers of a gap' }),
  receipts: Type.Integer({ minimum: 0, description: 'keyframes: hashes of pixels that every replay must match' }),
  decoded_bytes: Type.Integer({ minimum: 0, description: 'of server PDUs, that the decoders have read' }),
  undecodable_bytes: Count,
  problems: Type.Array(Type.String(), { description: 'why it counts as degraded, in words; none: it does not' }),
});
export type RecordingQuality = Static<typeof RecordingQuality>;

export const RecordingStatus = Type.Object({
  session_id: Id,
  state: Type.Enum(['open', 'closing', 'closed', 'failed']),
  opened_at: Time,
  paused: Type.Boolean({ description: 'nothing is recorded until it is resumed' }),
  records: Type.Integer(),
  /** Of all records. */
  bytes: Type.Integer(),
  /** Of those records that are sealed and stored. */
  sealed_bytes: Type.Integer(),
  chunks: Type.Integer(),
  /** Highest sequence number that is durable, or -1. */
  durable_seq: Type.Integer(),
  /** Share of screen bytes that the decoders could not read, 0 to 1. */
  undecodable_share: Type.Number(),
  quality: RecordingQuality,
});
export type RecordingStatus = Static<typeof RecordingStatus>;

/** Recordings: opened and closed here; their records come over `record-transport.ts`. */
export const sessionRecorder = defineContract('session-recorder', {
  openRecording: {
    method: 'POST',
    path: '/v1/recordings',
    summary: 'Make the session keys, sign the open entry and have it integrated; then records may come',
    callers: ['session-pipeline'],
    body: Type.Object({ session_id: Id, server_id: Id, user_id: Id, policy: Policy }),
    response: RecordingStatus,
  },
  getRecording: {
    method: 'GET',
    path: '/v1/recordings/:id',
    summary: 'Show how far a recording is',
    callers: ['session-pipeline', 'session-api', 'rdp-monitor'],
    params: IdParams,
    response: RecordingStatus,
  },
  /** Idempotent. */
  pauseRecording: {
    method: 'POST',
    path: '/v1/recordings/:id/pause',
    summary: 'Mark a pause: what comes for the recording until it is resumed ends the connection that sent it',
    callers: ['session-pipeline'],
    params: IdParams,
    body: Type.Object({ reason: Type.String({ maxLength: 500 }) }),
    response: RecordingStatus,
  },
  /** Idempotent. */
  resumeRecording: {
    method: 'POST',
    path: '/v1/recordings/:id/resume',
    summary: 'Mark the end of a pause: records may come again',
    callers: ['session-pipeline'],
    params: IdParams,
    body: Type.Object({ reason: Type.String({ maxLength: 500 }) }),
    response: RecordingStatus,
  },
  closeRecording: {
    method: 'POST',
    path: '/v1/recordings/:id/close',
    summary: 'Seal what is left, have it stored, sign the close entry; idempotent',
    callers: ['session-pipeline'],
    params: IdParams,
    body: Type.Object({ reason: Type.String({ maxLength: 500 }) }),
    response: RecordingStatus,
  },
  nodeKey: {
    method: 'GET',
    path: '/v1/node-key',
    summary: 'The verifier key of the node key that signs entries',
    callers: ['session-api', 'session-storage', 'rdp-xrdp'],
    response: Type.Object({ verifier_key: Type.String() }),
  },
  createVideo: {
    method: 'POST',
    path: '/v1/videos',
    summary: 'Make a video of a session that is over; wrong_state where no render recipient is set',
    callers: ['session-api'],
    body: VideoRequest,
    response: Video,
  },
  listVideos: {
    method: 'GET',
    path: '/v1/videos',
    summary: 'List videos that are made or to be made, the oldest first: some twenty finished ones are kept',
    callers: ['session-api'],
    response: Type.Object({ items: Type.Array(Video) }),
  },
  getVideo: {
    method: 'GET',
    path: '/v1/videos/:id',
    summary: 'Show how far a video is',
    callers: ['session-api'],
    params: IdParams,
    response: Video,
  },
  downloadVideo: {
    method: 'GET',
    path: '/v1/videos/:id/file',
    summary: 'The finished video (MP4)',
    callers: ['session-api'],
    params: IdParams,
    query: Type.Object({
      from: Type.Optional(Type.Integer({ minimum: 0, description: 'first byte' })),
      to: Type.Optional(Type.Integer({ minimum: 1, description: 'the one after the last' })),
    }),
    response: STREAM,
  },
  deleteVideo: {
    method: 'DELETE',
    path: '/v1/videos/:id',
    summary: 'Stop making a video, or remove it',
    callers: ['session-api'],
    params: IdParams,
    response: Nothing,
  },
});
