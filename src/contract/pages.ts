/** A page of a list. */
export interface Page<T> {
  items: T[];
  /** Asks for the page after this one; null: this is the last. */
  next_cursor: string | null;
}

/** Every item of a list, page after page. */
export async function* everyItem<T>(page: (next: { cursor?: string }) => Promise<Page<T>>): AsyncGenerator<T> {
  for (let next: { cursor?: string } | null = {}; next !== null; ) {
    const { items, next_cursor }: Page<T> = await page(next);
    yield* items;
    next = next_cursor === null ? null : { cursor: next_cursor };
  }
}

/** All items of a list that is known to fit in memory. */
export async function allItems<T>(page: (next: { cursor?: string }) => Promise<Page<T>>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of everyItem(page)) items.push(item);
  return items;
}
