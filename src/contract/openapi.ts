import type { TSchema } from 'typebox';
import { BYTES, type Contract, type Route, STREAM } from './contract.ts';
import { ERROR_STATUS } from './errors.ts';

type Json = Record<string, unknown>;

export interface DocumentInfo {
  title: string;
  version: string;
  description?: string;
  license?: { name: string; identifier: string };
}

const OCTETS = 'application/octet-stream';
const BINARY = { type: 'string', format: 'binary' };
const ERROR = { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } };

const HEADERS = {
  'RateLimit-Policy': {
    description: 'the allowance that the call was counted against: q calls in w seconds',
    schema: { type: 'string' },
    example: '"read";q=3000;w=60',
  },
  RateLimit: {
    description: 'what is left of it: r calls at once; it is whole again in t seconds',
    schema: { type: 'string' },
    example: '"read";r=2999;t=1',
  },
  'Retry-After': { description: 'seconds after which to try again', schema: { type: 'integer' } },
  'Idempotent-Replayed': {
    description: 'the answer is that of an earlier request with the same Idempotency-Key',
    schema: { type: 'string', const: 'true' },
  },
};

/** How failures with each status are called in the document. */
function responseName(status: number): string {
  return `Error${status}`;
}

/** One response for each status that there is an error code for. */
function errorResponses(): Json {
  const codes = Map.groupBy(Object.entries(ERROR_STATUS), ([, status]) => status);
  const responses = [...codes].map(([status, entries]) => [
    responseName(status),
    {
      description: entries.map(([code]) => code).join(', '),
      ...((status === 429 || status === 503) && {
        headers: { 'Retry-After': { $ref: '#/components/headers/Retry-After' } },
      }),
      content: ERROR,
    },
  ]);
  return Object.fromEntries(responses);
}

/** The statuses that a route can fail with, as far as its shape tells. */
function failuresOf(route: Route): number[] {
  const { params, query, body, callers, rate, creates, method, ranges } = route;
  return [
    ...(params || query || body ? [400] : []),
    ...(callers.includes('user') ? [401, 403] : []),
    ...(callers.includes('anyone') && body ? [401] : []),
    // A create may name what there is not.
    ...(params || creates ? [404] : []),
    ...(method === 'GET' && !ranges ? [] : callers.includes('user') ? [409] : []),
    ...(body ? [413, 415] : []),
    ...(ranges ? [416] : []),
    ...(rate ? [429] : []),
    ...[500, 502, 503],
    ...(method !== 'GET' && callers.includes('user') ? [507] : []),
  ];
}

function bodyOf(schema: TSchema | typeof BYTES | typeof STREAM, media: readonly string[] = [OCTETS]): Json {
  if (schema !== BYTES && schema !== STREAM) return { 'application/json': { schema } };
  return Object.fromEntries(media.map((type) => [type, { schema: BINARY }]));
}

function parametersOf(place: 'path' | 'query', schema: TSchema | undefined): Json[] {
  const { properties = {}, required = [] } = (schema ?? {}) as { properties?: Json; required?: string[] };
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    schema: property,
  }));
}

function headerRefs(...names: (keyof typeof HEADERS)[]): Json {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

/** What a person needs to know of who may call: roles, and the scope of an API token. */
function accessOf(route: Route): string | null {
  if (!route.access) return null;
  const { roles, scope } = route.access;
  return `Roles: ${roles.join(', ')}. ${scope ? `API token: scope \`${scope}\`.` : 'By log-in only, no API token.'}`;
}

function operationOf(name: string, route: Route): Json {
  const { access, rate, creates, media, ranges } = route;
  const headers = headerRefs(
    ...((rate ? ['RateLimit-Policy', 'RateLimit'] : []) as (keyof typeof HEADERS)[]),
    ...((creates ? ['Idempotent-Replayed'] : []) as (keyof typeof HEADERS)[]),
  );
  const done = { description: 'done', headers, content: bodyOf(route.response, media) };
  const failures = failuresOf(route).map((status) => [
    status,
    { $ref: `#/components/responses/${responseName(status)}` },
  ]);
  return {
    operationId: name,
    summary: route.summary,
    ...(access && { description: accessOf(route) }),
    tags: [route.path.split('/')[3]],
    security: route.callers.includes('anyone') ? [] : [{ token: access?.scope ? [access.scope] : [] }],
    ...(access && { 'x-roles': access.roles }),
    ...(rate && { 'x-rate-limit': rate }),
    parameters: [
      ...parametersOf('path', route.params),
      ...parametersOf('query', route.query),
      ...(creates ? [{ $ref: '#/components/parameters/Idempotency-Key' }] : []),
      ...(ranges ? [{ $ref: '#/components/parameters/Range' }] : []),
    ],
    ...(route.body && { requestBody: { required: true, content: bodyOf(route.body) } }),
    responses: {
      200: done,
      ...(ranges && { 206: { ...done, description: 'the range that was asked for' } }),
      ...Object.fromEntries(failures),
    },
  };
}

/**
 * A contract as an OpenAPI 3.1 document: TypeBox schemas are JSON Schema, which 3.1 takes as it is.
 *
 * @param schemas that stand in the document once, by these names; the others stand where they are used
 */
export function openApi(contract: Contract, info: DocumentInfo, schemas: Record<string, TSchema>): Json {
  const paths: Record<string, Json> = {};
  for (const [name, route] of Object.entries(contract.routes)) {
    const path = route.path.replace(/:(\w+)/g, '{$1}');
    paths[path] ??= {};
    paths[path][route.method.toLowerCase()] = operationOf(name, route);
  }
  const names = new Map(Object.entries(schemas).map(([name, schema]) => [JSON.stringify(schema), name]));
  const tags = new Set(Object.values(contract.routes).map((route) => route.path.split('/')[3]));
  return {
    openapi: '3.1.0',
    info,
    tags: [...tags].map((name) => ({ name })),
    paths: refer(paths, names),
    components: {
      schemas: Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, referWithin(schema, names)])),
      headers: HEADERS,
      parameters: {
        'Idempotency-Key': {
          name: 'Idempotency-Key',
          in: 'header',
          required: false,
          description: 'asked again with the same key within 24 hours, the same answer comes and nothing is made again',
          schema: { type: 'string', minLength: 1, maxLength: 255, pattern: '^[\\x21-\\x7e]+$' },
        },
        Range: {
          name: 'Range',
          in: 'header',
          required: false,
          description:
            'one range of bytes, to take up a download that broke off; with If-Range and the ETag it began with',
          schema: { type: 'string', pattern: '^bytes=[0-9]*-[0-9]*$' },
        },
      },
      responses: errorResponses(),
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'from a log-in, or an API token (lucid_…)' },
      },
    },
  };
}

/** The value, with references in place of the schemas that have names. */
function refer(value: unknown, names: ReadonlyMap<string, string>): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const name = names.get(JSON.stringify(value));
  return name ? { $ref: `#/components/schemas/${name}` } : referWithin(value, names);
}

function referWithin(value: object, names: ReadonlyMap<string, string>): unknown {
  if (Array.isArray(value)) return value.map((item) => refer(item, names));
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, refer(member, names)]));
}
