import { Type } from 'typebox';
import { Id, IdParams, Nothing } from '../common.ts';
import { defineRoutes, STREAM } from '../contract.ts';
import { Video, VideoRequest } from '../video.ts';
import { may, OVERSEERS } from './access.ts';

const { session_id: _, ...wishes } = VideoRequest.properties;
const VideoParams = Type.Object({ id: Id, video: Id });

/** Videos of sessions, where the deployment makes them: they show what the recording has encrypted. */
export const videos = defineRoutes({
  createVideo: {
    method: 'POST',
    path: '/api/v1/sessions/:id/videos',
    summary: 'Have a video made of a completed session; wrong_state where the deployment makes none',
    ...may(OVERSEERS, 'videos:write'),
    rate: 'create',
    creates: true,
    params: IdParams,
    body: Type.Object(wishes, { additionalProperties: false }),
    response: Video,
  },
  listVideos: {
    method: 'GET',
    path: '/api/v1/sessions/:id/videos',
    summary: 'List the videos of a session, the oldest first: some twenty finished ones of all sessions are kept',
    ...may(OVERSEERS, 'videos:read'),
    rate: 'read',
    params: IdParams,
    response: Type.Object({ items: Type.Array(Video) }),
  },
  getVideo: {
    method: 'GET',
    path: '/api/v1/sessions/:id/videos/:video',
    summary: 'Show how far a video is',
    ...may(OVERSEERS, 'videos:read'),
    rate: 'read',
    params: VideoParams,
    response: Video,
  },
  downloadVideo: {
    method: 'GET',
    path: '/api/v1/sessions/:id/videos/:video/file',
    summary: 'The finished video',
    ...may(OVERSEERS, 'videos:read'),
    rate: 'transfer',
    params: VideoParams,
    response: STREAM,
    media: ['video/mp4'],
    ranges: true,
  },
  deleteVideo: {
    method: 'DELETE',
    path: '/api/v1/sessions/:id/videos/:video',
    summary: 'Stop making a video, or remove it',
    ...may(OVERSEERS, 'videos:write'),
    rate: 'write',
    params: VideoParams,
    response: Nothing,
  },
});
