import { PRIORITIES, type Priority } from '#contract/common.ts';

/** Most urgent first. */
const ORDER = PRIORITIES.toReversed();

/** Ids in line: the most urgent first, of equal urgency the one that came first. */
export class PriorityQueue {
  readonly #lines = new Map<Priority, Set<string>>(ORDER.map((priority) => [priority, new Set()]));

  /** Puts an id in line, once; with another priority than before it goes to the end of that line. */
  add(id: string, priority: Priority): void {
    const line = this.#lines.get(priority)!;
    if (line.has(id)) return;
    this.delete(id);
    line.add(id);
  }

  has(id: string): boolean {
    return ORDER.some((priority) => this.#lines.get(priority)!.has(id));
  }

  delete(id: string): void {
    for (const line of this.#lines.values()) line.delete(id);
  }

  /** Takes the next id out of the line; undefined when nobody is in it. */
  take(): string | undefined {
    for (const line of this.#lines.values()) {
      for (const id of line) {
        line.delete(id);
        return id;
      }
    }
    return undefined;
  }

  /** Where an id is in line: 1 is next; null when it is not in it. */
  place(id: string): number | null {
    let before = 0;
    for (const line of this.#lines.values()) {
      if (line.has(id)) return before + [...line].indexOf(id) + 1;
      before += line.size;
    }
    return null;
  }

  /** How many are in line, by priority. */
  get sizes(): Record<Priority, number> {
    const sizes = PRIORITIES.map((priority) => [priority, this.#lines.get(priority)!.size]);
    return Object.fromEntries(sizes);
  }

  clear(): void {
    for (const line of this.#lines.values()) line.clear();
  }
}
