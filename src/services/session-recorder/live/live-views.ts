import { ServiceError } from '#contract/errors.ts';
import type { Log } from '#platform/log.ts';
import type { Recorder } from '../recorder.ts';
import { LiveView, type ViewerSink } from './live-view.ts';

export interface LiveViewsOptions {
  readonly recorder: Recorder;
  readonly log: Log;
  /** Sessions that are watched at a time; 0 turns live views off. */
  readonly sessions: number;
  /** Viewers of one session. */
  readonly viewers: number;
  /** That one viewer is shown at most. */
  readonly framesPerSecond: number;
}

/** A viewer that has joined. */
export interface JoinedViewer {
  /** It can take a frame. */
  next(): void;
  leave(): void;
}

/** All live views: nothing is decoded for a session that nobody watches. */
export class LiveViews {
  readonly #options: LiveViewsOptions;
  readonly #views = new Map<string, LiveView>();

  constructor(options: LiveViewsOptions) {
    this.#options = options;
  }

  /** Sessions that are watched now, and those who watch them. */
  get counts(): { sessions: number; viewers: number } {
    const viewers = [...this.#views.values()].reduce((sum, view) => sum + view.viewers, 0);
    return { sessions: this.#views.size, viewers };
  }

  /**
   * Has somebody watch a session; the recording says so before anything is shown.
   * @param user id of the person
   * @throws ServiceError `not_found`, `wrong_state` when there is nothing to watch, `limit_reached`
   */
  async join(session: string, user: string, sink: ViewerSink): Promise<JoinedViewer> {
    const recording = await this.#options.recorder.find(session);
    const { state, opened_at, paused } = recording.status;
    if (state !== 'open') throw new ServiceError('wrong_state', `the recording of session ${session} is ${state}`);
    this.#checkLimits(session);
    const fromSeq = recording.noteObserver('observer-joined', user);
    const view = this.#views.get(session) ?? this.#open(session, recording);
    sink.event({ type: 'joined', session_id: session, connected: recording.isConnected, paused, opened_at });
    const viewer = view.join(fromSeq, sink);
    let hasLeft = false;
    return {
      next: () => view.next(viewer),
      leave: () => {
        if (hasLeft) return;
        hasLeft = true;
        if (recording.state === 'open') recording.noteObserver('observer-left', user);
        view.leave(viewer);
        if (view.viewers === 0) this.#close(session, view);
      },
    };
  }

  #checkLimits(session: string): void {
    const { sessions, viewers } = this.#options;
    if (sessions === 0) throw new ServiceError('forbidden', 'live views are turned off here (LUCID_LIVE_SESSIONS)');
    const view = this.#views.get(session);
    if (!view && this.#views.size >= sessions) {
      throw new ServiceError('limit_reached', `${sessions} sessions are watched already (LUCID_LIVE_SESSIONS)`);
    }
    if (view && view.viewers >= viewers) {
      throw new ServiceError('limit_reached', `${viewers} people watch the session already (LUCID_LIVE_VIEWERS)`);
    }
  }

  #open(session: string, recording: Awaited<ReturnType<Recorder['find']>>): LiveView {
    const view = new LiveView(recording, {
      intervalMs: 1000 / this.#options.framesPerSecond,
      onEnd: (error) => {
        if (this.#views.get(session) === view) this.#views.delete(session);
        if (error) this.#options.log.error({ err: error, session }, 'a live view failed');
      },
    });
    this.#views.set(session, view);
    return view;
  }

  #close(session: string, view: LiveView): void {
    if (this.#views.get(session) === view) this.#views.delete(session);
    view.close().catch((error) => this.#options.log.error({ err: error, session }, 'a live view did not end'));
  }

  async close(): Promise<void> {
    await Promise.all([...this.#views.values()].map((view) => view.close()));
    this.#views.clear();
  }
}
