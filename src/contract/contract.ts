import type { Static, TSchema } from 'typebox';
import type { Role, Scope } from './common.ts';
import { ERROR_STATUS, type ErrorCode, ServiceError } from './errors.ts';
import type { ServiceName } from './services.ts';

/** A body of raw bytes, `application/octet-stream`, instead of JSON. */
export const BYTES = 'bytes';

/** An answer of raw bytes that may be larger than memory: handed on as they come. */
export const STREAM = 'stream';

/** Which allowance a person's calls of a route are counted against. */
export type RateClass = 'read' | 'write' | 'create' | 'transfer' | 'password';

/** Which people may call a route. */
export interface Access {
  roles: readonly Role[];
  /** What an API token must hold; null: none will do, the person has to log in. */
  scope: Scope | null;
}

export interface Route {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path with `:name` parameters, each of which has a schema in `params`. */
  path: string;
  /** One line for the documentation. */
  summary: string;
  /** Who may call: the named services; `user` where a route checks a user's token itself; `anyone`. */
  callers: readonly (ServiceName | 'user' | 'anyone')[];
  params?: TSchema;
  query?: TSchema;
  body?: TSchema | typeof BYTES;
  response: TSchema | typeof BYTES | typeof STREAM;
  /** Largest request body in bytes; 1 MiB unless given. */
  bodyLimit?: number;
  /** For callers who are people. */
  access?: Access;
  rate?: RateClass;
  /** Makes something new: a caller may send an `Idempotency-Key`, so that it is made once however often it is asked for. */
  creates?: true;
  /** Media types of an answer of raw bytes; `application/octet-stream` unless given. */
  media?: readonly string[];
  /** Sends ranges of such an answer. */
  ranges?: true;
}

export interface Contract<R extends Record<string, Route> = Record<string, Route>> {
  service: ServiceName;
  routes: R;
}

/** Declares a service's routes. The key of each is its operation's name, in clients and in handlers. */
export function defineContract<const R extends Record<string, Route>>(service: ServiceName, routes: R): Contract<R> {
  return { service, routes };
}

/** Declares some of a service's routes, to be put together with others. */
export function defineRoutes<const R extends Record<string, Route>>(routes: R): R {
  return routes;
}

type Part<R, K extends 'params' | 'query' | 'body'> = R extends { [P in K]: infer S }
  ? S extends typeof BYTES
    ? { [P in K]: Uint8Array }
    : S extends TSchema
      ? { [P in K]: Static<S> }
      : unknown
  : unknown;

/** What a route takes: `params`, `query` and `body`, as far as it declares them. */
export type Input<R extends Route> = Part<R, 'params'> & Part<R, 'query'> & Part<R, 'body'>;

/** What a route answers with. */
export type Output<R extends Route> = R['response'] extends typeof BYTES
  ? Uint8Array
  : R['response'] extends typeof STREAM
    ? AsyncIterable<Uint8Array>
    : R['response'] extends TSchema
      ? Static<R['response']>
      : never;

/** What a caller gives: a create may be named, so that asking again does not make another. */
export type CallInput<R extends Route> = Input<R> &
  (R extends { creates: true } ? { idempotencyKey?: string } : unknown);

export type Client<C extends Contract> = {
  [K in keyof C['routes']]: (input: CallInput<C['routes'][K]>) => Promise<Output<C['routes'][K]>>;
};

export interface WireRequest {
  method: string;
  /** Path with query. */
  path: string;
  body?: Uint8Array | string;
  contentType?: string;
  /** The answer's body is wanted as it comes, in `stream`, unless it is an error or that cannot be had. */
  stream?: boolean;
  /** The answer is bytes, which may be many. */
  raw?: boolean;
  /** It makes something new, and may be named by an `Idempotency-Key`. */
  creates?: boolean;
  idempotencyKey?: string;
}

export interface WireResponse {
  status: number;
  body: Uint8Array;
  stream?: AsyncIterable<Uint8Array>;
}

/** Carries one request to a service: in process, or over HTTP. Throws ServiceError `unavailable` when it cannot. */
export type Transport = (request: WireRequest) => Promise<WireResponse>;

function pathOf(route: Route, input: { params?: object; query?: object }): string {
  const params = (input.params ?? {}) as Record<string, string | number>;
  const path = route.path.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(String(params[name])));
  const query = Object.entries(input.query ?? {})
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`);
  return query.length > 0 ? `${path}?${query.join('&')}` : path;
}

function errorOf(service: ServiceName, response: WireResponse): ServiceError {
  try {
    const { error } = JSON.parse(new TextDecoder().decode(response.body));
    if (Object.hasOwn(ERROR_STATUS, error.code))
      return new ServiceError(error.code as ErrorCode, error.message, error.details);
  } catch {
    // Not an error envelope: something between us and the service answered.
  }
  return new ServiceError('upstream_failed', `${service} answered with status ${response.status}`);
}

/** The answer of a transport that gathers what comes. */
async function* inOnePiece(body: Uint8Array): AsyncGenerator<Uint8Array> {
  yield body;
}

/** A client with one function a route; each throws ServiceError as the service told it. */
export function createClient<C extends Contract>(contract: C, transport: Transport): Client<C> {
  const calls = Object.entries(contract.routes).map(([name, route]) => [
    name,
    async (input: { params?: object; query?: object; body?: unknown; idempotencyKey?: string }) => {
      const request: WireRequest = { method: route.method, path: pathOf(route, input ?? {}) };
      if (route.body === BYTES) {
        request.body = input.body as Uint8Array;
        request.contentType = 'application/octet-stream';
      } else if (route.body !== undefined) {
        request.body = JSON.stringify(input.body);
        request.contentType = 'application/json';
      }
      if (route.response === STREAM) request.stream = true;
      if (route.response === BYTES) request.raw = true;
      if (route.creates) request.creates = true;
      if (input?.idempotencyKey !== undefined) request.idempotencyKey = input.idempotencyKey;
      const response = await transport(request);
      if (response.status >= 400) throw errorOf(contract.service, response);
      if (route.response === STREAM) return response.stream ?? inOnePiece(response.body);
      if (route.response === BYTES) return response.body;
      return response.body.length === 0 ? null : JSON.parse(new TextDecoder().decode(response.body));
    },
  ]);
  return Object.fromEntries(calls);
}
