/** Remembers which parts of a picture changed, in tiles: however often a place is painted, it is converted once a frame. */
import type { Rectangle } from '#rdp/graphics/rectangle.ts';

const TILE = 32;

export class DirtyTiles {
  readonly #width: number;
  readonly #height: number;
  readonly #columns: number;
  readonly #rows: number;
  readonly #tiles: Uint8Array;
  #any = false;

  /** @param width of the picture in pixels */
  constructor(width: number, height: number) {
    this.#width = width;
    this.#height = height;
    this.#columns = Math.ceil(width / TILE);
    this.#rows = Math.ceil(height / TILE);
    this.#tiles = new Uint8Array(this.#columns * this.#rows);
  }

  get any(): boolean {
    return this.#any;
  }

  /** @param area what lies outside the picture is left out */
  mark({ left, top, right, bottom }: Rectangle): void {
    const firstColumn = Math.max(0, Math.floor(left / TILE));
    const lastColumn = Math.min(this.#columns, Math.ceil(right / TILE));
    const lastRow = Math.min(this.#rows, Math.ceil(bottom / TILE));
    for (let row = Math.max(0, Math.floor(top / TILE)); row < lastRow; row++) {
      if (firstColumn >= lastColumn) return;
      this.#tiles.fill(1, row * this.#columns + firstColumn, row * this.#columns + lastColumn);
      this.#any = true;
    }
  }

  markAll(): void {
    this.#tiles.fill(1);
    this.#any = true;
  }

  /** The marked areas, neighbours in a row as one, within the picture; they are no longer marked then. */
  *take(): Generator<Rectangle, void, undefined> {
    if (!this.#any) return;
    for (let row = 0; row < this.#rows; row++) {
      const begin = row * this.#columns;
      const end = begin + this.#columns;
      for (let first = this.#tiles.indexOf(1, begin); first >= 0 && first < end; ) {
        let after = first + 1;
        while (after < end && this.#tiles[after] === 1) after++;
        yield {
          left: (first - begin) * TILE,
          top: row * TILE,
          right: Math.min(this.#width, (after - begin) * TILE),
          bottom: Math.min(this.#height, (row + 1) * TILE),
        };
        first = this.#tiles.indexOf(1, after);
      }
    }
    this.#tiles.fill(0);
    this.#any = false;
  }
}
