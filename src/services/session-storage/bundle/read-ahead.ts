/** Begins to read what will be wanted next, so that many small files do not wait for the disk one after another. */

/** How many are begun before it is their turn: each holds a file open and at most a piece of it. */
const AHEAD = 24;

/** Something whose reading has begun. */
export interface Begun<T> {
  readonly what: T;
  /** Its first piece. */
  readonly first: Promise<IteratorResult<Uint8Array>>;
  readonly rest: AsyncIterator<Uint8Array>;
}

/** The same things in the same order, each with its reading begun. A failure to read shows when `first` is awaited. */
export async function* readAhead<T>(
  things: AsyncIterable<T>,
  read: (what: T) => AsyncIterable<Uint8Array>,
): AsyncGenerator<Begun<T>> {
  const begun: Begun<T>[] = [];
  try {
    for await (const what of things) {
      const rest = read(what)[Symbol.asyncIterator]();
      const first = rest.next();
      first.catch(ignore);
      begun.push({ what, first, rest });
      if (begun.length >= AHEAD) yield begun.shift()!;
    }
    while (begun.length > 0) yield begun.shift()!;
  } finally {
    await Promise.all(begun.map(({ rest }) => rest.return?.().catch(ignore)));
  }
}

/** All of it. */
export async function* piecesOf({ first, rest }: Begun<unknown>): AsyncGenerator<Uint8Array> {
  try {
    for (let piece = await first; !piece.done; piece = await rest.next()) yield piece.value;
  } finally {
    await rest.return?.();
  }
}

/** What nobody comes to read need not be told to anybody. */
function ignore(): void {}
