import { TLSSocket } from 'node:tls';
import type { FastifyInstance } from 'fastify';
import { ServiceError } from '#contract/errors.ts';
import { isLoopback } from '#platform/address.ts';

const HOST = /^(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(:\d{1,5})?$/i;

/** Over plain HTTP, `/health` is for all and everything else for this machine; others are sent to HTTPS. */
export function sendToHttps(app: FastifyInstance): void {
  app.addHook('onRequest', async (request, reply) => {
    const { socket, url } = request.raw;
    if (socket instanceof TLSSocket || isLoopback(socket.remoteAddress)) return;
    if (/^\/health(\/|\?|$)/.test(url ?? '')) return;
    const host = request.headers.host ?? '';
    if (!HOST.test(host)) throw new ServiceError('invalid_request', 'use HTTPS');
    await reply.redirect(`https://${host}${url}`, 308);
  });
}
