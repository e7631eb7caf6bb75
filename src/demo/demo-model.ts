import type { SceneState } from './scene.ts';

/** What the demo desktop holds: shared by all its connections, so that who comes back finds what was typed. */
export class DemoModel {
  readonly state: SceneState = { text: '', shape: { x: 0.35, y: 0.4 }, isDragged: false, note: 'Clipboard: empty' };
  readonly #listeners = new Set<() => void>();
  readonly #textLimit = 4000;

  /** @returns a function that ends the subscription */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Adds to the text pad; of a long text its end is kept. */
  type(text: string): void {
    this.state.text = (this.state.text + text).slice(-this.#textLimit);
    this.#changed();
  }

  erase(): void {
    this.state.text = Array.from(this.state.text).slice(0, -1).join('');
    this.#changed();
  }

  /** Puts the shape's centre, in shares of its reach. */
  moveShape(x: number, y: number): void {
    const share = (value: number) => Math.min(1, Math.max(0, value));
    this.state.shape = { x: share(x), y: share(y) };
    this.#changed();
  }

  drag(isDragged: boolean): void {
    this.state.isDragged = isDragged;
    this.#changed();
  }

  note(text: string): void {
    this.state.note = text;
    this.#changed();
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}
