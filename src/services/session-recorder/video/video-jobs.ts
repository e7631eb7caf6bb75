import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Worker } from 'node:worker_threads';
import { ServiceError } from '#contract/errors.ts';
import { newId } from '#platform/id.ts';
import type { Log } from '#platform/log.ts';
import type { RenderProgress, RenderResult } from '#render/render.ts';
import { checkSettings, type RenderSettings } from '#render/settings.ts';
import type { RenderOrder, ThreadNews } from './render-thread.ts';

/** Jobs that may wait, and finished ones that are remembered with their videos. */
const MAX_WAITING = 100;
const MAX_FINISHED = 20;
/** JavaScript heap of a thread; runs and frames are outside of it. */
const HEAP_MB = 512;

export interface VideoJobsOptions {
  /** For bundles and videos; emptied at the start. */
  readonly folder: string;
  /** Text of the render recipient's identity file. */
  readonly identity: string;
  /** What a video is like where a job does not say otherwise. */
  readonly settings: RenderSettings;
  readonly ffmpeg: string;
  /** The bundle of a session, as a tar archive. */
  readonly fetchBundle: (session: string) => Promise<AsyncIterable<Uint8Array>>;
  readonly log: Log;
}

export interface VideoRequest {
  readonly session: string;
  readonly settings?: Partial<RenderSettings>;
  readonly allowIncomplete?: boolean;
}

export interface VideoJob {
  readonly id: string;
  readonly session: string;
  readonly state: 'waiting' | 'running' | 'done' | 'failed';
  readonly createdAt: string;
  readonly finishedAt: string | null;
  /** How far the pass is that is running; `elapsedMs` since it began. */
  readonly progress: (RenderProgress & { readonly elapsedMs: number }) | null;
  /** Encoders that failed on the way, in words. */
  readonly notes: readonly string[];
  readonly result: RenderResult | null;
  /** Why there is no video. */
  readonly error: string | null;
}

type Job = { -readonly [K in keyof VideoJob]: VideoJob[K] } & {
  readonly order: Pick<RenderOrder, 'settings' | 'allowIncomplete'>;
  notes: string[];
  thread: Worker | null;
  ended: Promise<void> | null;
  isRemoved: boolean;
};

/**
 * Makes videos, one at a time, each in a thread of its own: a video takes a machine's cores for a while, and records go
 * first. Jobs live in memory; videos are files until they are removed, pushed out by newer ones, or the service starts anew.
 */
export class VideoJobs {
  readonly #options: VideoJobsOptions;
  readonly #jobs = new Map<string, Job>();
  #running: Job | null = null;
  #closed = false;

  private constructor(options: VideoJobsOptions) {
    this.#options = options;
  }

  static async open(options: VideoJobsOptions): Promise<VideoJobs> {
    await rm(options.folder, { recursive: true, force: true });
    await mkdir(options.folder, { recursive: true, mode: 0o700 });
    return new VideoJobs(options);
  }

  /** @throws ServiceError `unavailable` when too many wait; RenderError when the settings do not go together */
  request({ session, settings = {}, allowIncomplete = false }: VideoRequest): VideoJob {
    const all = { ...this.#options.settings, ...settings };
    checkSettings(all);
    const waiting = [...this.#jobs.values()].filter(({ state }) => state === 'waiting').length;
    if (this.#closed || waiting >= MAX_WAITING) {
      throw new ServiceError('unavailable', `${waiting} videos wait to be made already: come again`);
    }
    const job: Job = {
      ...{ id: newId(), session, state: 'waiting', createdAt: new Date().toISOString(), finishedAt: null },
      ...{ progress: null, notes: [], result: null, error: null },
      ...{ order: { settings: all, allowIncomplete }, thread: null, ended: null, isRemoved: false },
    };
    this.#jobs.set(job.id, job);
    this.#next();
    return describe(job);
  }

  /** The oldest first. */
  list(): VideoJob[] {
    return [...this.#jobs.values()].map(describe);
  }

  /** @throws ServiceError `not_found` */
  get(id: string): VideoJob {
    return describe(this.#find(id));
  }

  /** The finished video's file. @throws ServiceError `not_found`, `wrong_state` */
  fileOf(id: string): string {
    const { state } = this.#find(id);
    if (state !== 'done') throw new ServiceError('wrong_state', `the video ${id} is ${state}`);
    return this.#path(id, 'mp4');
  }

  /** Forgets a job: one that runs is ended, one that is done loses its video. @throws ServiceError `not_found` */
  async remove(id: string): Promise<void> {
    const job = this.#find(id);
    this.#jobs.delete(id);
    job.isRemoved = true;
    job.thread?.postMessage('stop');
    await job.ended;
    await this.#clear(id, 'mp4');
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const id of [...this.#jobs.keys()]) await this.remove(id);
  }

  #find(id: string): Job {
    const job = this.#jobs.get(id);
    if (job === undefined) throw new ServiceError('not_found', `there is no video ${id}`);
    return job;
  }

  #next(): void {
    if (this.#running !== null || this.#closed) return;
    const job = [...this.#jobs.values()].find(({ state }) => state === 'waiting');
    if (job === undefined) return;
    this.#running = job;
    job.state = 'running';
    job.ended = this.#run(job).finally(() => {
      this.#running = null;
      this.#next();
    });
  }

  async #run(job: Job): Promise<void> {
    const { log } = this.#options;
    const { id, session } = job;
    try {
      await this.#fetch(job);
      if (!job.isRemoved) job.result = await this.#render(job);
    } catch (error) {
      job.error = error instanceof Error ? error.message : String(error);
      if (!job.isRemoved) log.warn({ err: error, session, video: id }, 'a video could not be made');
    }
    await this.#clear(id, 'tar');
    // Told as over when it is: nothing of it is left but the video.
    job.state = job.result === null ? 'failed' : 'done';
    job.finishedAt = new Date().toISOString();
    job.progress = null;
    if (job.result !== null) log.info({ session, video: id, encoder: job.result.encoder }, 'made a video');
    await this.#pushOut();
  }

  async #fetch({ id, session }: Job): Promise<void> {
    const bundle = await this.#options.fetchBundle(session);
    await pipeline(Readable.from(bundle), createWriteStream(this.#path(id, 'tar'), { mode: 0o600 }));
  }

  #render(job: Job): Promise<RenderResult> {
    const { identity, ffmpeg } = this.#options;
    const order: RenderOrder = {
      ...{ bundle: this.#path(job.id, 'tar'), output: this.#path(job.id, 'mp4'), identity, ffmpeg },
      ...job.order,
    };
    const thread = new Worker(new URL('./render-thread.ts', import.meta.url), {
      ...{ name: 'render', workerData: order, resourceLimits: { maxOldGenerationSizeMb: HEAP_MB } },
    });
    job.thread = thread;
    const { promise, resolve, reject } = Promise.withResolvers<RenderResult>();
    let begun = performance.now();
    thread.on('message', (news: ThreadNews) => {
      if (news.kind === 'progress') {
        const { phase, done } = news.progress;
        if (phase !== job.progress?.phase || done < job.progress.done) begun = performance.now();
        job.progress = { ...news.progress, elapsedMs: performance.now() - begun };
      }
      if (news.kind === 'note') job.notes.push(news.words);
      else if (news.kind === 'done') resolve(news.result);
      else if (news.kind === 'failed')
        reject(new Error(news.words ?? 'a fault of this program: see the log', { cause: news.error }));
    });
    thread.once('error', reject);
    thread.once('exit', (code) => reject(new Error(`the rendering thread ended with ${code}`)));
    return promise.finally(() => {
      job.thread = null;
    });
  }

  /** Forgets the oldest finished jobs where there are too many. */
  async #pushOut(): Promise<void> {
    const finished = [...this.#jobs.values()].filter(({ finishedAt }) => finishedAt !== null);
    for (const { id } of finished.slice(0, Math.max(0, finished.length - MAX_FINISHED))) {
      this.#jobs.delete(id);
      await this.#clear(id, 'mp4');
    }
  }

  #path(id: string, extension: 'tar' | 'mp4'): string {
    return join(this.#options.folder, `${id}.${extension}`);
  }

  async #clear(id: string, extension: 'tar' | 'mp4'): Promise<void> {
    await rm(this.#path(id, extension), { force: true });
  }
}

function describe({ order, thread, ended, isRemoved, ...job }: Job): VideoJob {
  return { ...job, notes: [...job.notes] };
}
