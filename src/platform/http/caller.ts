import { AsyncLocalStorage } from 'node:async_hooks';
import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import { isServiceName, type ServiceName } from '#contract/services.ts';

/** A call within this process. */
export interface InProcessCall {
  readonly service: ServiceName;
  /** The answer's body, where it was handed over. */
  body: Uint8Array | null;
}

/** The in-process call that runs at present. Bytes from a network cannot set it. */
const presentCall = new AsyncLocalStorage<InProcessCall | null>();

/** Runs `call` as `service`: what it injects is judged as that service's request. */
export function callAs<T>(service: ServiceName, call: (self: InProcessCall) => T): T {
  const self: InProcessCall = { service, body: null };
  return presentCall.run(self, () => call(self));
}

/** Hands an answer's body over to the in-process caller, without a copy. @returns false when there is none */
export function handOver(body: Uint8Array): boolean {
  const call = presentCall.getStore();
  if (call) call.body = body;
  return call != null;
}

/** Runs `serve` as nobody: for requests from a network, whatever context their listener was opened in. */
export function callAsNobody<T>(serve: () => T): T {
  return presentCall.run(null, serve);
}

/**
 * The service that sent a request: by the in-process call it came from, or by its client certificate, whose common name
 * is the service's and which the private CA has signed.
 */
export function callerOf(request: IncomingMessage): ServiceName | null {
  const local = presentCall.getStore();
  if (local) return local.service;
  const socket = request.socket;
  if (!(socket instanceof TLSSocket) || !socket.authorized) return null;
  const name = socket.getPeerCertificate().subject?.CN;
  return typeof name === 'string' && isServiceName(name) ? name : null;
}
