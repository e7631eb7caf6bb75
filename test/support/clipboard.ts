import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Background, capture } from './child.ts';
import type { Display } from './display.ts';
import { PATIENCE_MS } from './eventually.ts';

/** How long the absence of a text is watched. */
const ABSENT_MS = 2000;

/** A display's clipboard, through xclip. */
export class Clipboard {
  readonly #display: Display;
  #owner: Background | null = null;

  constructor(display: Display) {
    this.#display = display;
  }

  async copy(text: string): Promise<void> {
    await this.clear();
    const file = join(tmpdir(), `lucid-clipboard-${process.pid}-${this.#display.name.slice(1)}`);
    writeFileSync(file, text);
    // Quiet is xclip's word for staying in the foreground: so that it can be ended.
    const args = ['-quiet', '-selection', 'clipboard', '-target', 'UTF8_STRING', '-i', file];
    this.#owner = new Background('xclip', args, { ...process.env, DISPLAY: this.#display.name });
    await this.paste(text);
    rmSync(file);
  }

  /** Gives up what was copied here. */
  async clear(): Promise<void> {
    await this.#owner?.close();
    this.#owner = null;
  }

  /**
   * Watches the clipboard's text.
   * @param wanted to wait for; null: that no text comes, or none but what was copied here
   * @returns true when the wanted text came, false when none came as wanted; @throws Error when it is otherwise
   */
  async paste(wanted: string | null): Promise<boolean> {
    const deadline = Date.now() + (wanted === null ? ABSENT_MS : PATIENCE_MS);
    let seen = '';
    while (Date.now() < deadline) {
      const args = ['-selection', 'clipboard', '-target', 'UTF8_STRING', '-o'];
      seen = (await capture('timeout', ['1', 'xclip', ...args], this.#display.name).catch(() => '')).toString();
      if (wanted !== null && seen === wanted) return true;
      if (wanted === null && seen !== '')
        throw new Error(`the clipboard holds ${JSON.stringify(seen)}, wanted nothing`);
      await sleep(100);
    }
    if (wanted === null) return false;
    throw new Error(`the clipboard holds ${JSON.stringify(seen)}, wanted ${JSON.stringify(wanted)}`);
  }
}
