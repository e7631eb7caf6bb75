import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { buffer, text } from 'node:stream/consumers';
import { type Client, createClient, type WireRequest } from '#contract/contract.ts';
import { ServiceError } from '#contract/errors.ts';
import { sessionApi } from '#contract/session-api.ts';
import { apiToken, apiUrl } from './credentials.ts';

export type Api = Client<typeof sessionApi>;

/** Sends one request to the API at `url`. @throws ServiceError `unavailable`, saying what to do */
function send(
  url: string,
  token: string | null,
  wire: WireRequest,
  headers: Record<string, string> = {},
): Promise<IncomingMessage> {
  const target = new URL(wire.path, url);
  const request = target.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const sent = request(target, {
      method: wire.method,
      headers: {
        ...headers,
        ...(wire.contentType && { 'content-type': wire.contentType }),
        ...(token && { authorization: `Bearer ${token}` }),
      },
    });
    sent.on('response', resolve);
    sent.on('error', (error: NodeJS.ErrnoException) => {
      const cause = error.code === 'ECONNREFUSED' ? 'nothing listens there' : error.message;
      const advice =
        error.code?.includes('CERT') || error.code?.includes('SELF_SIGNED')
          ? 'give its authority as NODE_EXTRA_CA_CERTS'
          : 'start it with ./lucid up, or set LUCID_URL';
      reject(new ServiceError('unavailable', `no Lucid at ${url} (${cause}): ${advice}`));
    });
    sent.end(wire.body);
  });
}

function clientAt(url: string, token: string | null): Api {
  return createClient(sessionApi, async (wire) => {
    const response = await send(url, token, wire);
    return { status: response.statusCode ?? 500, body: await buffer(response) };
  });
}

/** The API as the user who is logged in. @throws ServiceError `unauthenticated` when nobody is */
export function openApi(): Api {
  const url = apiUrl();
  return clientAt(url, apiToken(url));
}

/** The API as nobody: to log in. */
export function openApiAsNobody(url: string): Api {
  return clientAt(url, null);
}

/**
 * The bytes of an answer as they come, for what may be large.
 * @param headers beside those of every request
 * @throws ServiceError as the API told it
 */
export async function download(path: string, headers: Record<string, string> = {}): Promise<IncomingMessage> {
  const url = apiUrl();
  const response = await send(url, apiToken(url), { method: 'GET', path }, headers);
  if (response.statusCode === 200 || response.statusCode === 206) return response;
  const body = await text(response);
  const { error } = JSON.parse(body.startsWith('{') ? body : '{"error":{}}');
  throw new ServiceError(error.code ?? 'upstream_failed', error.message ?? `status ${response.statusCode}`);
}
