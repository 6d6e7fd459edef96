/** Rows a page of the bitmap: 8 KiB a page. */
const PAGE = 65_536;

/**
 * A set of row numbers as a sparse bitmap: a row that is in costs a bit of a page that is there, however many rows the
 * file has.
 */
export class RowSet {
  /** Rows in the set. */
  size = 0;
  readonly #pages = new Map<number, Uint8Array>();

  add(row: number): void {
    const number = Math.floor(row / PAGE);
    let page = this.#pages.get(number);
    if (page === undefined) {
      page = new Uint8Array(PAGE / 8);
      this.#pages.set(number, page);
    }
    const bit = row - number * PAGE;
    const mask = 1 << (bit & 7);
    if ((page[bit >> 3]! & mask) !== 0) return;
    page[bit >> 3]! |= mask;
    this.size++;
  }

  has(row: number): boolean {
    const number = Math.floor(row / PAGE);
    const page = this.#pages.get(number);
    if (page === undefined) return false;
    const bit = row - number * PAGE;
    return (page[bit >> 3]! & (1 << (bit & 7))) !== 0;
  }

  /** The rows, ascending. */
  *rows(): Generator<number> {
    for (const number of [...this.#pages.keys()].sort((a, b) => a - b)) {
      const page = this.#pages.get(number)!;
      for (let bit = 0; bit < PAGE; bit++) {
        if ((page[bit >> 3]! & (1 << (bit & 7))) !== 0) yield number * PAGE + bit;
      }
    }
  }

  /** The largest row; 0 = the set is empty. */
  get last(): number {
    let number = -1;
    for (const one of this.#pages.keys()) number = Math.max(number, one);
    const page = this.#pages.get(number);
    if (page === undefined) return 0;
    for (let bit = PAGE - 1; bit >= 0; bit--) {
      if ((page[bit >> 3]! & (1 << (bit & 7))) !== 0) return number * PAGE + bit;
    }
    return 0;
  }
}
