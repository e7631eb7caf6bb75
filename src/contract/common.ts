import { type Static, type TSchema, Type } from 'typebox';

/** UUIDv7 in lower case: every id that Lucid makes. */
export const UUID_PATTERN = '^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$';

export const Id = Type.String({ pattern: UUID_PATTERN, description: 'UUIDv7' });
export const IdParams = Type.Object({ id: Id });
export const Time = Type.String({ format: 'date-time', description: 'RFC 3339, UTC' });
export const Nothing = Type.Object({});

/** A page of a list: ask again with `cursor` until there is none. */
export const PageQuery = Type.Object({
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, default: 50 })),
  cursor: Type.Optional(Type.String({ maxLength: 200 })),
});

/** One page of a list of `item`. */
export function pageOf<T extends TSchema>(item: T) {
  return Type.Object({ items: Type.Array(item), next_cursor: Type.Union([Type.String(), Type.Null()]) });
}

export const ROLES = ['admin', 'operator', 'user', 'auditor'] as const;
export const Role = Type.Enum(ROLES);
export type Role = (typeof ROLES)[number];

/** What an API token can be good for. Whatever it holds, its person's role must allow a call too. */
export const SCOPES = [
  'sessions:read',
  'sessions:write',
  'sessions:watch',
  'evidence:read',
  'evidence:write',
  'recordings:write',
  'videos:read',
  'videos:write',
  'servers:read',
  'servers:write',
  'users:read',
  'users:write',
  'policies:read',
  'policies:write',
  'approvals:read',
  'approvals:write',
  'audit:read',
  'status:read',
] as const;
export const Scope = Type.Enum(SCOPES);
export type Scope = (typeof SCOPES)[number];

/** How soon a session is processed once it is over. */
export const PRIORITIES = ['low', 'normal', 'high', 'urgent'] as const;
export const Priority = Type.Enum(PRIORITIES);
export type Priority = (typeof PRIORITIES)[number];

/** A name that people give something: one line. */
export const Title = Type.String({ minLength: 1, maxLength: 100, pattern: '^[^\\u0000-\\u001f\\u007f]*$' });

/** Keys and values of an operator's own, to find things by. */
export const Labels = Type.Record(
  Type.String({ pattern: '^[a-z0-9][a-z0-9._/-]{0,62}$' }),
  Type.String({ maxLength: 200 }),
  { additionalProperties: false, maxProperties: 32 },
);
export type Labels = Static<typeof Labels>;

/** Recording profiles, in the order in which the gateway prefers them: what a server may be asked to draw with. */
export const RECORDING_PROFILES = ['orders', 'remotefx', 'bitmaps'] as const;
export type RecordingProfile = (typeof RECORDING_PROFILES)[number];

/** How pictures travel, as far as somebody wants to say it: of a server, and of a policy. What either forbids is not used. */
export const displayFields = {
  profiles: Type.Optional(
    Type.Array(Type.Enum(RECORDING_PROFILES), {
      ...{ minItems: 1, maxItems: RECORDING_PROFILES.length, uniqueItems: true },
      description: 'what the server may draw with, all unless given; bitmaps are used where nothing else can be',
    }),
  ),
  bulk_compression: Type.Optional(
    Type.Boolean({ description: 'whether clients that ask for bulk compression get it: true unless given' }),
  ),
};

/** What a session allows. What is absent is denied; of how pictures travel, it is allowed. */
export const Policy = Type.Object(
  {
    input: Type.Optional(Type.Boolean({ description: 'keyboard and mouse reach the server' })),
    clipboard_to_server: Type.Optional(Type.Boolean()),
    clipboard_to_client: Type.Optional(Type.Boolean()),
    drives: Type.Optional(Type.Boolean()),
    printers: Type.Optional(Type.Boolean()),
    audio_output: Type.Optional(Type.Boolean()),
    audio_input: Type.Optional(Type.Boolean()),
    usb: Type.Optional(Type.Boolean()),
    max_minutes: Type.Optional(Type.Integer({ minimum: 1, maximum: 10080 })),
    idle_minutes: Type.Optional(Type.Integer({ minimum: 1, maximum: 10080 })),
    ...displayFields,
  },
  { additionalProperties: false },
);
export type Policy = Static<typeof Policy>;

/** What a policy can allow; time limits aside. */
export const POLICY_FLAGS = [
  'input',
  'clipboard_to_server',
  'clipboard_to_client',
  'drives',
  'printers',
  'audio_output',
  'audio_input',
  'usb',
] as const satisfies readonly (keyof Policy)[];
