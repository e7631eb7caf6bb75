import { Agent, request as httpsRequest } from 'node:https';
import type { FastifyInstance } from 'fastify';
import type { Transport } from '#contract/contract.ts';
import { ServiceError } from '#contract/errors.ts';
import type { ServiceName } from '#contract/services.ts';
import type { TlsFiles } from '../pki.ts';
import { callAs } from './caller.ts';
import { gather } from './gather.ts';

const REQUEST_TIMEOUT_MS = 60_000;
const NO_BYTES = new Uint8Array();

/** Calls a service that lives in this process, as `caller`. */
export function injectTransport(app: () => FastifyInstance, caller: ServiceName): Transport {
  return async ({ method, path, body, contentType, stream, raw }) => {
    const request = {
      method: method as 'GET',
      url: path,
      ...(body !== undefined && {
        payload: typeof body === 'string' ? body : Buffer.from(body.buffer, body.byteOffset, body.byteLength),
      }),
      ...(contentType && { headers: { 'content-type': contentType } }),
    };
    if (!stream && !raw) {
      const { statusCode, rawPayload } = await callAs(caller, async () => await app().inject(request));
      return { status: statusCode, body: rawPayload };
    }
    // Otherwise the answer is made a string as well. Awaited inside: inject only starts when somebody waits for it.
    const { response, handed } = await callAs(caller, async (call) => {
      const response = await app().inject({ ...request, payloadAsStream: true });
      return { response, handed: call.body };
    });
    const { statusCode: status } = response;
    const source = response.stream();
    if (!stream || status >= 400) {
      const body = await gather(source);
      return { status, body: handed ?? body };
    }
    // A reader that goes away must end what the service reads from.
    source.once('close', () => response.raw.res.destroy());
    return { status, body: NO_BYTES, stream: source };
  };
}

/**
 * Calls a service at `url` over mutual TLS. The peer must show a certificate of the private CA with its own service's
 * name, so that a service on a wrong address is refused.
 */
export function httpsTransport(service: ServiceName, url: URL, tls: TlsFiles): Transport {
  const agent = new Agent({
    keepAlive: true,
    maxSockets: 32,
    key: tls.key,
    cert: tls.cert,
    ca: tls.ca,
    servername: service,
    minVersion: 'TLSv1.3',
  });
  return ({ method, path, body, contentType, stream }) =>
    new Promise((resolve, reject) => {
      const fail = (error: Error) =>
        reject(new ServiceError('unavailable', `${service} at ${url.host} does not answer: ${error.message}`));
      const payload = body === undefined ? undefined : Buffer.from(body as Uint8Array);
      const request = httpsRequest(new URL(path, url), {
        agent,
        method,
        timeout: REQUEST_TIMEOUT_MS,
        headers: {
          ...(contentType && { 'content-type': contentType }),
          ...(payload && { 'content-length': payload.length }),
        },
      });
      request.on('response', (response) => {
        const status = response.statusCode ?? 500;
        if (stream && status < 400) resolve({ status, body: NO_BYTES, stream: response });
        else gather(response).then((body) => resolve({ status, body }), fail);
      });
      request.on('timeout', () => request.destroy(new Error(`no answer in ${REQUEST_TIMEOUT_MS / 1000} s`)));
      request.on('error', fail);
      request.end(payload);
    });
}
