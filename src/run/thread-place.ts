import { MessageChannel } from 'node:worker_threads';
import type { Transport } from '#contract/contract.ts';
import type { ServiceName } from '#contract/services.ts';
import type { Log } from '#platform/log.ts';
import { JobThread } from '#platform/thread/job-thread.ts';
import { ThreadLink, type ThreadLinkOptions } from '#platform/thread/thread-link.ts';
import type { Place, PlaceFacts } from './place.ts';
import type { JOBS } from './thread.ts';

/**
 * JavaScript heap of the thread, in MB: for some 300 connections, none of which holds more than a few. Records and
 * frames lie outside of it.
 */
const HEAP = { maxOldGenerationSizeMb: 1024, maxYoungGenerationSizeMb: 6 };

/** A thread that has not answered so long after a deadline hangs. */
const GRACE_MS = 2000;

/** Services in a thread of their own, seen from this one. */
export class ThreadPlace implements Place {
  ports: Partial<Record<ServiceName, number>> = {};
  readonly #log: Log;
  readonly #thread: JobThread<typeof JOBS>;
  #link: ThreadLink | null = null;

  /**
   * Starts the thread, and in it the loading of the services' code.
   * @param onDeath called when the thread has ended by itself, and its services with it
   */
  constructor(services: readonly ServiceName[], log: Log, onDeath: (cause: Error) => void) {
    this.#log = log;
    this.#thread = new JobThread(new URL('./thread.ts', import.meta.url), {
      name: services.join(' and '),
      resourceLimits: HEAP,
    });
    this.#thread.onDeath = (cause) => {
      this.#link?.close();
      onDeath(cause);
    };
    // What cannot be loaded cannot be created either, and that is waited for.
    this.#thread.run('load', services).catch(() => {});
  }

  /**
   * Creates the services and opens their ports.
   * @param others the program's other services; @param serve the way to them
   */
  async create(facts: PlaceFacts, others: readonly ServiceName[], serve: ThreadLinkOptions['serve']): Promise<void> {
    const { port1, port2 } = new MessageChannel();
    this.#link = new ThreadLink(port1, { callers: new Set(facts.services), serve });
    this.ports = await this.#thread.run('create', { ...facts, logLevel: this.#log.level, port: port2, others }, [
      port2,
    ]);
  }

  /** The way to a service of this place. */
  transport(service: ServiceName, caller: ServiceName): Transport {
    return this.#link!.transport(service, caller);
  }

  start(name: ServiceName): Promise<number | null> {
    return this.#thread.run('start', name);
  }

  stop(name: ServiceName, deadlineMs: number): Promise<void> {
    return this.#within(deadlineMs, this.#thread.run('stop', { name, deadlineMs }));
  }

  async close(deadlineMs: number): Promise<void> {
    await this.#within(deadlineMs, this.#thread.run('close', deadlineMs));
    this.#link?.close();
    await this.#thread.close();
  }

  /** Waits for work that has a deadline of its own; a thread that keeps to none is ended. */
  async #within(deadlineMs: number, work: Promise<void>): Promise<void> {
    const late = setTimeout(() => this.#thread.close(), deadlineMs + GRACE_MS);
    await work.catch((error) => this.#log.error({ err: error }, 'a thread did not stop cleanly'));
    clearTimeout(late);
  }
}
