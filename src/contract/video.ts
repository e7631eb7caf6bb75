/** Videos of sessions, as services and the API tell of them. */
import { type Static, Type } from 'typebox';
import { Id, Time } from './common.ts';

/** What a video is to be; what is left out is as the service is set to. */
export const VideoRequest = Type.Object({
  session_id: Id,
  codec: Type.Optional(Type.Enum(['h264', 'hevc', 'av1'])),
  quality: Type.Optional(Type.Enum(['low', 'medium', 'high', 'ultra', 'lossless'])),
  resolution: Type.Optional(Type.Enum(['native', '720p', '1080p', '1440p', '4k'])),
  frame_rate: Type.Optional(Type.Integer({ minimum: 1, maximum: 60 })),
  bit_rate: Type.Optional(Type.Integer({ minimum: 10_000, maximum: 1_000_000_000, description: 'bits a second' })),
  cut_idle_seconds: Type.Optional(Type.Number({ minimum: 0, maximum: 86_400 })),
  allow_incomplete: Type.Optional(Type.Boolean({ description: 'make what is there when something is missing' })),
});
export type VideoRequest = Static<typeof VideoRequest>;

/** What a finished video is. */
export const VideoFacts = Type.Object({
  encoder: Type.String({ description: "FFmpeg's name of the encoder that made it" }),
  acceleration: Type.String({ description: 'none: software' }),
  codec: Type.String(),
  width: Type.Integer(),
  height: Type.Integer(),
  frame_rate: Type.Integer(),
  frames: Type.Integer(),
  seconds: Type.Number(),
  bytes: Type.Integer(),
  sha256: Type.String(),
  receipts_checked: Type.Integer({ description: 'keyframes whose hash the rendered pixels have' }),
});

export const Video = Type.Object({
  id: Id,
  session_id: Id,
  state: Type.Enum(['waiting', 'running', 'done', 'failed']),
  created_at: Time,
  finished_at: Type.Union([Time, Type.Null()]),
  progress: Type.Union([Type.Number(), Type.Null()], { description: '0 to 1, of the pass that is running' }),
  seconds_left: Type.Union([Type.Integer(), Type.Null()], { description: 'once it can be told' }),
  notes: Type.Array(Type.String(), { description: 'encoders that failed on the way' }),
  facts: Type.Union([VideoFacts, Type.Null()]),
  error: Type.Union([Type.String(), Type.Null()], { description: 'why there is no video' }),
});
export type Video = Static<typeof Video>;
