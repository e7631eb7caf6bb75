import type { RenderProgress } from '#render/render.ts';
import { ProgressLine } from './progress-line.ts';

/** Before that nobody can tell how long it will take. */
const FIRST_GUESS_MS = 2000;

/** How far a video is, with the time left, on a terminal; notes on any standard error. */
export class RenderProgressLine {
  readonly #line = new ProgressLine();
  #phase: RenderProgress['phase'] | null = null;
  #begun = 0;

  update({ phase, done, total }: RenderProgress): void {
    if (phase !== this.#phase || done <= 1) this.#begun = performance.now();
    this.#phase = phase;
    const passed = performance.now() - this.#begun;
    const left = passed < FIRST_GUESS_MS ? '' : `, ${timeLeft((passed / done) * (total - done))} left`;
    this.#line.update(`${phase}${left}`, done, total);
  }

  note(words: string): void {
    this.#line.clear();
    process.stderr.write(`${words}\n`);
  }

  clear(): void {
    this.#line.clear();
  }
}

/** @param ms as a person says it */
export function timeLeft(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
