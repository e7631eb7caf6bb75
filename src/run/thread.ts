/** A thread in which services are composed: does for `ThreadPlace` what is asked of a place. */
import type { MessagePort } from 'node:worker_threads';
import type { ServiceName } from '#contract/services.ts';
import { createLog } from '#platform/log.ts';
import { serveJobs } from '#platform/thread/serve-jobs.ts';
import { ThreadLink } from '#platform/thread/thread-link.ts';
import { LocalPlace, type PlaceFacts } from './place.ts';
import { loadServices } from './services.ts';

export interface ThreadFacts extends PlaceFacts {
  logLevel: string;
  /** To the program's other services. */
  port: MessagePort;
  others: readonly ServiceName[];
}

const created = Promise.withResolvers<LocalPlace>();
let place: LocalPlace | null = null;

export const JOBS = {
  /** Loads the code of services, which takes most of the time, before all that they are created with is there. */
  async load(services: readonly ServiceName[]): Promise<void> {
    await loadServices(services);
  },
  async create({ logLevel, port, others, ...facts }: ThreadFacts) {
    const link = new ThreadLink(port, {
      callers: new Set(others),
      serve: (service, caller) => async (request) => (await created.promise).transport(service, caller)(request),
    });
    place = await LocalPlace.create({
      ...facts,
      log: createLog(logLevel),
      elsewhere: (service, caller) => (others.includes(service) ? link.transport(service, caller) : null),
      portOf: (service) => place?.ports[service],
    });
    created.resolve(place);
    return place.ports;
  },
  start: async (name: ServiceName) => place!.start(name),
  stop: async ({ name, deadlineMs }: { name: ServiceName; deadlineMs: number }) => place?.stop(name, deadlineMs),
  close: async (deadlineMs: number) => place?.close(deadlineMs),
};

serveJobs(JOBS);
