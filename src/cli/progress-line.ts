const WIDTH = 30;
const REDRAW_MS = 100;

/** One line on standard error that shows how far some work is; nothing when that is no terminal. */
export class ProgressLine {
  readonly #terminal = process.stderr.isTTY === true;
  #drawnAt = 0;

  /** @param total null when nobody knows */
  update(what: string, done: number, total: number | null): void {
    if (!this.#terminal || Date.now() - this.#drawnAt < REDRAW_MS) return;
    const share = total ? Math.min(1, done / total) : 0;
    const bar = total
      ? `[${'#'.repeat(Math.round(share * WIDTH)).padEnd(WIDTH, '.')}] ${Math.round(share * 100)} %`
      : '';
    process.stderr.write(`\r\u001b[K${what} ${bar}`);
    this.#drawnAt = Date.now();
  }

  /** Takes the line away again. */
  clear(): void {
    if (this.#terminal && this.#drawnAt > 0) process.stderr.write('\r\u001b[K');
  }
}
