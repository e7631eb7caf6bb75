import { AsyncLocalStorage } from 'node:async_hooks';
import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import { isServiceName, type ServiceName } from '#contract/services.ts';

/** The service on whose behalf the present in-process call runs. Bytes from a network cannot set it. */
const inProcessCaller = new AsyncLocalStorage<ServiceName | null>();

/** Runs `call` as `service`: what it injects is judged as that service's request. */
export function callAs<T>(service: ServiceName, call: () => T): T {
  return inProcessCaller.run(service, call);
}

/** Runs `serve` as nobody: for requests from a network, whatever context their listener was opened in. */
export function callAsNobody<T>(serve: () => T): T {
  return inProcessCaller.run(null, serve);
}

/**
 * The service that sent a request: by the in-process call it came from, or by its client certificate, whose common name
 * is the service's and which the private CA has signed.
 */
export function callerOf(request: IncomingMessage): ServiceName | null {
  const local = inProcessCaller.getStore();
  if (local) return local;
  const socket = request.socket;
  if (!(socket instanceof TLSSocket) || !socket.authorized) return null;
  const name = socket.getPeerCertificate().subject?.CN;
  return typeof name === 'string' && isServiceName(name) ? name : null;
}
