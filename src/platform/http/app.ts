import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import {
  type FastifyBaseLogger,
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  fastify,
  LogController,
} from 'fastify';
import { Counter, Histogram, type Registry } from 'prom-client';
import { UUID_PATTERN } from '#contract/common.ts';
import { BYTES, type Contract, type Input, type Output, type Route, STREAM } from '#contract/contract.ts';
import { ServiceError } from '#contract/errors.ts';
import type { ServiceName } from '#contract/services.ts';
import { type Check, reportHealth } from '../health.ts';
import { newId } from '../id.ts';
import type { Log } from '../log.ts';
import { renderMetrics } from '../metrics.ts';
import { callerOf, handOver } from './caller.ts';
import { gather } from './gather.ts';
import { compileLazily } from './validation.ts';

const DEFAULT_BODY_LIMIT = 1024 * 1024;
const NO_BYTES = Buffer.alloc(0);
/** What is not there now may be soon. */
const RETRY_AFTER_SECONDS = 2;

export interface CallContext {
  /** The service that called, or null: a person, a probe. */
  caller: ServiceName | null;
  request: FastifyRequest;
  reply: FastifyReply;
}

/** What a handler may return: a route of bytes may stream. */
export type Result<R extends Route> = R['response'] extends typeof STREAM
  ? Readable
  : Output<R> | (R['response'] extends typeof BYTES ? Readable : never);

export type Handlers<C extends Contract> = {
  [K in keyof C['routes']]: (
    input: Input<C['routes'][K]>,
    context: CallContext,
  ) => Result<C['routes'][K]> | Promise<Result<C['routes'][K]>>;
};

export interface AppOptions {
  contract: Contract;
  // biome-ignore lint/suspicious/noExplicitAny: each handler was checked against its own route in `implement`
  handlers: Record<string, (input: any, context: CallContext) => unknown>;
  checks: Record<string, Check>;
  log: Log;
  registry: Registry;
  /**
   * Called before a route whose callers include `user`: throws ServiceError `unauthenticated`, `forbidden`, or why it
   * cannot be taken now.
   */
  authenticate?: (route: string, request: FastifyRequest, reply: FastifyReply) => Promise<void>;
}

/** Checks handlers against their contract, for the compiler. */
export function implement<C extends Contract>(_contract: C, handlers: Handlers<C>): Handlers<C> {
  return handlers;
}

/**
 * A service's HTTP face: its contract's routes with validation and authorisation, `/health`, `/health/live`,
 * `/health/ready`, `/metrics`, and errors in one form. It answers injected requests and those of a listener alike.
 */
export function createApp(options: AppOptions): FastifyInstance {
  const { contract, handlers, checks, log, registry } = options;
  const startedAt = performance.now();
  const app = fastify({
    loggerInstance: log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => newId(),
    // A logger of its own for each request would cost more than most answers: errors name the request themselves.
    childLoggerFactory: (logger) => logger,
    bodyLimit: DEFAULT_BODY_LIMIT,
  });
  app.setValidatorCompiler(compileLazily);

  app.addContentTypeParser('application/octet-stream', async (request: FastifyRequest, payload: IncomingMessage) => {
    const limit = request.routeOptions.bodyLimit;
    const announced = Number(request.headers['content-length'] ?? 0);
    if (announced > limit) {
      throw new ServiceError('too_large', `a body of ${announced} bytes was announced; ${limit} are taken here`);
    }
    return gather(payload, limit);
  });
  app.setErrorHandler((error: FastifyError | ServiceError, request, reply) => answerError(error, request, reply));
  app.setNotFoundHandler((request, reply) => {
    const message = `there is no ${request.method} ${request.url.split('?', 1)[0]} here`;
    return answerError(new ServiceError('not_found', message), request, reply);
  });

  const requests = new Counter({
    name: 'lucid_http_requests_total',
    help: 'Requests answered, by route and status',
    labelNames: ['route', 'status'],
    registers: [registry],
  });
  const durations = new Histogram({
    name: 'lucid_http_request_seconds',
    help: 'Time from request to answer, by route',
    labelNames: ['route'],
    buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10],
    registers: [registry],
  });
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'none';
    requests.inc({ route, status: reply.statusCode });
    durations.observe({ route }, reply.elapsedTime / 1000);
  });

  for (const [name, route] of Object.entries(contract.routes)) {
    app.route({
      method: route.method,
      url: route.path,
      bodyLimit: route.bodyLimit ?? DEFAULT_BODY_LIMIT,
      schema: {
        ...(route.params && { params: route.params }),
        ...(route.query && { querystring: route.query }),
        ...(route.body && route.body !== BYTES && { body: route.body }),
      },
      onRequest: async (request, reply) => {
        const caller = callerOf(request.raw);
        if (route.callers.includes('anyone') || (caller && route.callers.includes(caller))) return;
        if (route.callers.includes('user') && options.authenticate) return options.authenticate(name, request, reply);
        throw new ServiceError('forbidden', `${caller ?? 'this caller'} may not use ${route.method} ${route.path}`);
      },
      handler: async (request, reply) => {
        if (route.body === BYTES && !Buffer.isBuffer(request.body)) {
          throw new ServiceError('unsupported_media_type', 'the body must be application/octet-stream');
        }
        const input = { params: request.params, query: request.query, body: request.body };
        const result = await handlers[name](input, { caller: callerOf(request.raw), request, reply });
        if (reply.sent) return reply;
        const isRaw = route.response === BYTES || route.response === STREAM;
        if (isRaw && !reply.hasHeader('content-type')) reply.type('application/octet-stream');
        if (route.response === BYTES && result instanceof Uint8Array && handOver(result)) return NO_BYTES;
        return result ?? {};
      },
    });
  }

  const health = () => reportHealth(contract.service, startedAt, checks);
  app.get('/health', async (_request, reply) => {
    const report = await health();
    return reply.status(report.status === 'unhealthy' ? 503 : 200).send(report);
  });
  app.get('/health/live', async () => ({ service: contract.service, status: 'healthy' }));
  app.get('/health/ready', async (_request, reply) => {
    const report = await health();
    return reply.status(report.status === 'healthy' ? 200 : 503).send(report);
  });
  app.get('/metrics', async (_request, reply) => {
    return reply.type('text/plain; version=0.0.4; charset=utf-8').send(await renderMetrics(registry));
  });
  return app;

  function answerError(error: FastifyError | ServiceError, request: FastifyRequest, reply: FastifyReply) {
    const told = toServiceError(error);
    if (told.code === 'internal')
      log.error({ err: error, reqId: request.id, route: request.routeOptions.url }, 'a handler failed');
    if ((told.status === 429 || told.status === 503) && !reply.hasHeader('retry-after')) {
      const { retry_after_seconds = RETRY_AFTER_SECONDS } = (told.details ?? {}) as { retry_after_seconds?: number };
      reply.header('retry-after', retry_after_seconds);
    }
    return reply.status(told.status).send({
      error: {
        code: told.code,
        message: told.message,
        details: told.details,
        request_id: request.id,
        timestamp: new Date().toISOString(),
        service: contract.service,
      },
    });
  }
}

function toServiceError(error: FastifyError | ServiceError): ServiceError {
  if (error instanceof ServiceError) return error;
  if (error.validation) return new ServiceError('invalid_request', invalidInput(error), error.validation);
  switch (error.statusCode) {
    case 413:
      return new ServiceError('too_large', 'the body is larger than this route takes');
    case 415:
      return new ServiceError('unsupported_media_type', error.message);
    case 400:
      return new ServiceError('invalid_request', error.message);
    default:
      return new ServiceError('internal', 'something failed here; the log has the request id and the cause');
  }
}

/** What is wrong with a request, in words: a pattern says nothing to people, what it stands for does. */
function invalidInput(error: FastifyError): string {
  const [first] = error.validation ?? [];
  if (first?.params.pattern !== UUID_PATTERN) return error.message;
  return `${error.validationContext}${first.instancePath} is no id: wanted a UUID, as lists show it`;
}
