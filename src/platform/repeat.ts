/** Work that is done again and again until it is stopped. */
export interface Repetition {
  /** Starts no more, and resolves when what runs has ended. */
  stop(): Promise<void>;
}

/**
 * Does `work` again and again: each time begins `pauseMs` after the one before it has ended, the first after a pause.
 *
 * @param onError told what `work` threw; it is done again all the same
 */
export function repeat(work: () => Promise<void>, pauseMs: number, onError: (error: unknown) => void): Repetition {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  let stopped = false;

  function later(): void {
    if (stopped) return;
    timer = setTimeout(() => {
      running = work().catch(onError).finally(later);
    }, pauseMs);
  }
  later();

  return {
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
