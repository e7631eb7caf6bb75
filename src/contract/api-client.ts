/** A typed client of the public API over `fetch`: runs in Node, browsers and wherever else there is one. */
import { type Client, createClient, type Transport, type WireRequest, type WireResponse } from './contract.ts';
import { ServiceError } from './errors.ts';
import { sessionApi } from './session-api.ts';

/** One function for each of the API's operations. */
export type Api = Client<typeof sessionApi>;

interface FetchResponse {
  status: number;
  headers: { get(name: string): string | null };
  body: { getReader(): { read(): Promise<{ done: boolean; value?: Uint8Array }>; cancel(): Promise<void> } } | null;
  arrayBuffer(): Promise<ArrayBuffer>;
}

/** What is used of `fetch`. */
export type Fetch = (
  url: string,
  init: { method: string; headers: Record<string, string>; body?: string | Uint8Array<ArrayBuffer> },
) => Promise<FetchResponse>;

export interface ApiOptions {
  /** Where the API is: `https://lucid.example:8087`. */
  url: string;
  /** From `logIn`, or an API token. */
  token?: string;
  /** How often a request that was refused for now is sent again; 4 unless given. */
  retries?: number;
  /** The longest that one retry is waited for; what is asked to come later than that fails at once. 30 s unless given. */
  longestWaitMs?: number;
  /** The platform's own unless given. */
  fetch?: Fetch;
  /** Waits; the platform's timer unless given. */
  sleep?: (ms: number) => Promise<void>;
}

/** What every platform has and ECMAScript's own library does not declare. */
interface Platform {
  fetch: Fetch;
  setTimeout(callback: () => void, ms: number): unknown;
  crypto: { randomUUID(): string };
}

const platform = globalThis as unknown as Platform;
const FIRST_DELAY_MS = 500;

/** The request may be sent again: what it does is not done twice. */
function isRepeatable(wire: WireRequest): boolean {
  return (wire.method !== 'POST' && wire.method !== 'PATCH') || wire.creates === true;
}

/** What a refusal asks for: seconds, or a date (RFC 9110, section 10.2.3). Null when it asks for nothing. */
function retryAfterMs(value: string | null): number | null {
  if (value === null) return null;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isNaN(ms) ? null : Math.max(0, ms);
}

/**
 * A client with one function an operation; each resolves with the answer, typed, or rejects with the ServiceError that the
 * API told.
 *
 * What is refused for now (429, 503) is sent again when the answer's `Retry-After` says, and what was cut off on the way
 * after growing pauses; only where that cannot do anything twice: creates are given an `Idempotency-Key` unless the caller
 * gives one.
 */
export function createApiClient(options: ApiOptions): Api {
  const { token, retries = 4, longestWaitMs = 30_000 } = options;
  const send = options.fetch ?? platform.fetch.bind(platform);
  const sleep =
    options.sleep ?? ((ms: number) => new Promise<void>((resolve) => void platform.setTimeout(resolve, ms)));
  const base = options.url.replace(/\/+$/, '');

  async function once(wire: WireRequest): Promise<FetchResponse> {
    const headers: Record<string, string> = {
      ...(wire.contentType && { 'content-type': wire.contentType }),
      ...(token && { authorization: `Bearer ${token}` }),
      ...(wire.idempotencyKey && { 'idempotency-key': wire.idempotencyKey }),
    };
    const body = wire.body as string | Uint8Array<ArrayBuffer> | undefined;
    return send(base + wire.path, { method: wire.method, headers, ...(body !== undefined && { body }) });
  }

  const transport: Transport = async (wire) => {
    const named =
      wire.creates && !wire.idempotencyKey ? { ...wire, idempotencyKey: platform.crypto.randomUUID() } : wire;
    for (let tried = 0; ; tried++) {
      const backOff = FIRST_DELAY_MS * 2 ** tried * (0.5 + Math.random() / 2);
      let response: FetchResponse;
      try {
        response = await once(named);
      } catch (error) {
        if (tried >= retries || !isRepeatable(named)) throw unreachable(base, error);
        await sleep(backOff);
        continue;
      }
      const { status } = response;
      // A request that is over its allowance was not looked at: it may be sent again whatever it is.
      const isForNow = status === 429 || (status === 503 && isRepeatable(named));
      const wait = retryAfterMs(response.headers.get('retry-after')) ?? backOff;
      if (!isForNow || tried >= retries || wait > longestWaitMs) return answerOf(response, named);
      await response.body?.getReader().cancel();
      await sleep(wait);
    }
  };
  return createClient(sessionApi, transport);
}

async function answerOf(response: FetchResponse, wire: WireRequest): Promise<WireResponse> {
  const { status } = response;
  if (wire.stream && status < 400) return { status, body: new Uint8Array(), stream: pieces(response) };
  return { status, body: new Uint8Array(await response.arrayBuffer()) };
}

/** A body as it comes. A reader that stops early cancels the download. */
async function* pieces({ body }: FetchResponse): AsyncGenerator<Uint8Array> {
  if (body === null) return;
  const reader = body.getReader();
  let isOver = false;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      isOver = done;
      if (done) return;
      yield value!;
    }
  } finally {
    if (!isOver) await reader.cancel();
  }
}

function unreachable(base: string, error: unknown): ServiceError {
  const { message, cause } = error as { message?: string; cause?: { message?: string } };
  return new ServiceError('unavailable', `no answer from ${base}: ${cause?.message || message || String(error)}`);
}
