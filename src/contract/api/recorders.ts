import { type Static, Type } from 'typebox';
import { Id, IdParams, Labels, Nothing, PageQuery, Policy, Priority, pageOf, Time, Title } from '../common.ts';
import { BYTES, defineRoutes } from '../contract.ts';
import { Session } from '../session-pipeline.ts';
import { ChunkDescription, ChunkParams, TreeHead } from '../session-storage.ts';
import { ADMINS, EXAMINERS, may, WORKERS } from './access.ts';

/** Largest chunk that an outside recorder may send: a run of 64 MiB that does not compress, sealed. */
export const UPLOAD_LIMIT_BYTES = 65 * 1024 * 1024;

/** A recorder that somebody else runs: it seals by itself, and signs with a key of its own. */
export const OutsideRecorder = Type.Object({
  id: Id,
  name: Title,
  verifier_key: Type.String({ description: 'of the key that signs its entries: name+id+base64' }),
  /** Whose account it uploads with. */
  user_id: Id,
  created_at: Time,
  revoked_at: Type.Union([Time, Type.Null()]),
});
export type OutsideRecorder = Static<typeof OutsideRecorder>;

/** Outside recorders, and what they upload. */
export const recorders = defineRoutes({
  createRecorder: {
    method: 'POST',
    path: '/api/v1/recorders',
    summary: 'Register an outside recorder with the key that signs its entries',
    ...may(ADMINS, 'users:write'),
    rate: 'create',
    creates: true,
    body: Type.Object(
      { name: Title, verifier_key: Type.String({ maxLength: 500 }), user_id: Id },
      { additionalProperties: false },
    ),
    response: OutsideRecorder,
  },
  listRecorders: {
    method: 'GET',
    path: '/api/v1/recorders',
    summary: 'List outside recorders, newest first; role user sees its own',
    ...may([...EXAMINERS, 'user'], 'users:read'),
    rate: 'read',
    query: PageQuery,
    response: pageOf(OutsideRecorder),
  },
  revokeRecorder: {
    method: 'DELETE',
    path: '/api/v1/recorders/:id',
    summary: 'Take nothing more from an outside recorder; what it has stored stays',
    ...may(ADMINS, 'users:write'),
    rate: 'write',
    params: IdParams,
    response: OutsideRecorder,
  },
  createOutsideSession: {
    method: 'POST',
    path: '/api/v1/recorders/:id/sessions',
    summary: 'Create a session that an outside recorder records',
    ...may(WORKERS, 'recordings:write'),
    rate: 'create',
    creates: true,
    params: IdParams,
    body: Type.Object(
      {
        /** As the open entry will name it. */
        server_id: Id,
        policy: Type.Optional(Policy),
        name: Type.Optional(Title),
        labels: Type.Optional(Labels),
        priority: Type.Optional(Priority),
      },
      { additionalProperties: false },
    ),
    response: Session,
  },
  putSessionKey: {
    method: 'PUT',
    path: '/api/v1/sessions/:id/keys/:name',
    summary: 'Upload a session key, itself encrypted to the recipients, before the open entry that names it',
    ...may(WORKERS, 'recordings:write'),
    rate: 'transfer',
    params: Type.Object({ id: Id, name: Type.Enum(['screen', 'input', 'channels']) }),
    body: BYTES,
    bodyLimit: 64 * 1024,
    response: Nothing,
  },
  putChunk: {
    method: 'PUT',
    path: '/api/v1/sessions/:id/chunks/:stream/:index',
    summary: 'Upload a sealed chunk, each stream from 0 up; the same chunk again changes nothing',
    ...may(WORKERS, 'recordings:write'),
    rate: 'transfer',
    params: ChunkParams,
    query: ChunkDescription,
    body: BYTES,
    bodyLimit: UPLOAD_LIMIT_BYTES,
    response: TreeHead,
  },
  putEntry: {
    method: 'PUT',
    path: '/api/v1/sessions/:id/entries/:kind',
    summary: 'Upload an entry, signed by the key of the recorder: open begins, close completes the session',
    ...may(WORKERS, 'recordings:write'),
    rate: 'transfer',
    params: Type.Object({ id: Id, kind: Type.Enum(['open', 'partial', 'close']) }),
    body: Type.Object({ note: Type.String({ maxLength: 65_535 }) }),
    response: Session,
  },
});
