/**
 * Memory that many share: each takes what it needs, in the order in which they ask, and gives it back. Who needs more than
 * there is gets all of it.
 */
export class ByteBudget {
  readonly #bytes: number;
  #free: number;
  readonly #waiting: { readonly bytes: number; readonly resolve: () => void }[] = [];

  constructor(bytes: number) {
    this.#bytes = bytes;
    this.#free = bytes;
  }

  /** @returns gives the bytes back; to be called once */
  async take(bytes: number): Promise<() => void> {
    const share = Math.min(bytes, this.#bytes);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push({ bytes: share, resolve });
    this.#serve();
    await promise;
    return () => {
      this.#free += share;
      this.#serve();
    };
  }

  #serve(): void {
    for (let next = this.#waiting[0]; next && next.bytes <= this.#free; next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#free -= next.bytes;
      next.resolve();
    }
  }
}
