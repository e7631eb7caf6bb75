import type { Peers } from '#contract/index.ts';
import type { PipelineStatus, Processing } from '#contract/session-pipeline.ts';
import type { ProcessingErrors } from './processing-errors.ts';
import type { ProcessingQueue } from './processing-queue.ts';
import { progressOf } from './progress.ts';
import type { SessionStore } from './session-store.ts';
import type { Statistics } from './statistics.ts';

interface ViewOptions {
  store: SessionStore;
  errors: ProcessingErrors;
  statistics: Statistics;
  processing: ProcessingQueue;
  recorder: Peers['session-recorder'];
}

/** What can be told of processing: of one session, and of all. */
export class ProcessingView {
  readonly #options: ViewOptions;

  constructor(options: ViewOptions) {
    this.#options = options;
  }

  /** @throws ServiceError `not_found` */
  async of(id: string): Promise<Processing> {
    const { store, errors, processing, recorder } = this.#options;
    const row = await store.get(id);
    const position = processing.position(id);
    const [history, latest, recording] = await Promise.all([
      store.history(id),
      errors.of(id),
      row.recorder_id === null ? recorder.getRecording({ params: { id } }).catch(() => null) : null,
    ]);
    const timeOf = (...events: string[]) => history.find(({ event }) => events.includes(event))?.time ?? null;
    return {
      session_id: id,
      state: row.state,
      priority: row.priority,
      ...progressOf(row.state, position, recording),
      place: position.place,
      attempts: row.close_attempts,
      next_attempt_at: position.retryAt,
      queued_at: timeOf('stop'),
      started_at: timeOf('process'),
      finished_at: timeOf('complete', 'fail'),
      errors: latest,
    };
  }

  async all(): Promise<PipelineStatus> {
    const { store, errors, statistics, processing } = this.#options;
    const [counts, last_hour, averages, byStage] = await Promise.all([
      store.counts(),
      statistics.lastHour(),
      statistics.averages(),
      errors.byStage(),
    ]);
    const { starting = 0, recording = 0, paused = 0 } = counts;
    return {
      sessions: counts as Record<string, number>,
      live: starting + recording + paused,
      ...processing.figures,
      last_hour,
      averages,
      errors: byStage,
    };
  }
}
