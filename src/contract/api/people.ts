import { type Static, Type } from 'typebox';
import { Id, IdParams, Nothing, PageQuery, pageOf, Role, Scope, Time, Title } from '../common.ts';
import { defineRoutes } from '../contract.ts';
import { ADMINS, EVERYONE, may, OVERSEERS } from './access.ts';

export const UserName = Type.String({ pattern: '^[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?$', description: 'lower case' });
export const Password = Type.String({ minLength: 12, maxLength: 1024 });
const AnyPassword = Type.String({ maxLength: 1024 });
export const User = Type.Object({ id: Id, name: UserName, role: Role, created_at: Time });
export type User = Static<typeof User>;

const TimeOrNull = Type.Union([Time, Type.Null()]);

/** A secret that a program calls the API with, as its person, for what its scopes say. */
export const ApiToken = Type.Object({
  id: Id,
  user_id: Id,
  name: Title,
  scopes: Type.Array(Scope, { minItems: 1, uniqueItems: true }),
  created_at: Time,
  expires_at: TimeOrNull,
  last_used_at: Type.Union([Time, Type.Null()], { description: 'to the minute' }),
});
export type ApiToken = Static<typeof ApiToken>;

/** Log-in, users and API tokens. */
export const people = defineRoutes({
  logIn: {
    method: 'POST',
    path: '/api/v1/login',
    summary: 'Trade a name and password for a token that is good for some hours',
    callers: ['anyone'],
    rate: 'password',
    body: Type.Object({ name: Type.String({ maxLength: 64 }), password: AnyPassword }),
    response: Type.Object({ token: Type.String(), expires_at: Time, user: User }),
  },
  whoAmI: {
    method: 'GET',
    path: '/api/v1/me',
    summary: 'The user that the token stands for',
    ...may(EVERYONE, 'users:read'),
    rate: 'read',
    response: User,
  },
  changePassword: {
    method: 'PUT',
    path: '/api/v1/me/password',
    summary: 'Change the own password; ends every log-in and removes every API token of the person',
    ...may(EVERYONE, null),
    rate: 'password',
    body: Type.Object({ old: AnyPassword, new: Password }),
    response: Nothing,
  },
  createUser: {
    method: 'POST',
    path: '/api/v1/users',
    summary: 'Add a user',
    ...may(ADMINS, 'users:write'),
    rate: 'create',
    creates: true,
    body: Type.Object({ name: UserName, role: Role, password: Password }),
    response: User,
  },
  listUsers: {
    method: 'GET',
    path: '/api/v1/users',
    summary: 'List users by name',
    ...may(OVERSEERS, 'users:read'),
    rate: 'read',
    query: PageQuery,
    response: pageOf(User),
  },
  getUser: {
    method: 'GET',
    path: '/api/v1/users/:id',
    summary: 'Show one user',
    ...may(OVERSEERS, 'users:read'),
    rate: 'read',
    params: IdParams,
    response: User,
  },
  updateUser: {
    method: 'PATCH',
    path: '/api/v1/users/:id',
    summary: 'Give a user another role or password: ends their log-ins and removes their API tokens; one admin stays',
    ...may(ADMINS, 'users:write'),
    rate: 'write',
    params: IdParams,
    body: Type.Object(
      { role: Type.Optional(Role), password: Type.Optional(Password) },
      { additionalProperties: false, minProperties: 1 },
    ),
    response: User,
  },
  deleteUser: {
    method: 'DELETE',
    path: '/api/v1/users/:id',
    summary: 'Remove a user: their sessions end, what is recorded stays; one admin stays',
    ...may(ADMINS, 'users:write'),
    rate: 'write',
    params: IdParams,
    response: Nothing,
  },
  createToken: {
    method: 'POST',
    path: '/api/v1/tokens',
    summary: 'Make an API token of the own; it is shown this once',
    ...may(EVERYONE, null),
    rate: 'create',
    creates: true,
    body: Type.Object(
      {
        name: Title,
        scopes: ApiToken.properties.scopes,
        expires_days: Type.Optional(
          Type.Integer({ minimum: 1, maximum: 3660, description: 'never expires without it' }),
        ),
      },
      { additionalProperties: false },
    ),
    response: Type.Object({ ...ApiToken.properties, token: Type.String({ description: 'the secret' }) }),
  },
  listTokens: {
    method: 'GET',
    path: '/api/v1/tokens',
    summary: 'List API tokens, newest first: the own, or as an admin or auditor all',
    ...may(EVERYONE, 'users:read'),
    rate: 'read',
    query: Type.Object({ ...PageQuery.properties, user_id: Type.Optional(Id) }),
    response: pageOf(ApiToken),
  },
  revokeToken: {
    method: 'DELETE',
    path: '/api/v1/tokens/:id',
    summary: 'Remove an API token: one of the own, or as an admin any',
    ...may(EVERYONE, 'users:write'),
    rate: 'write',
    params: IdParams,
    response: Nothing,
  },
});
