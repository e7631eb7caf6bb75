const PAGE = 500;

/** Every item of a list that comes in pages. @param list asks for one page */
export async function allPages<T>(
  list: (query: { limit: number; cursor?: string }) => Promise<{ items: T[]; next_cursor: string | null }>,
): Promise<T[]> {
  const all: T[] = [];
  let cursor: string | null = null;
  do {
    const page = await list({ limit: PAGE, ...(cursor !== null && { cursor }) });
    all.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor !== null);
  return all;
}
