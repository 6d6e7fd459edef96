/** Stretches that are remembered. */
const MOST = 64;

/** Between the two, offsets in the stream, no quote closes a cell; `closed`: at `to` one does. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly closed: boolean;
}

/**
 * What was found out about closing quotes: lines with an odd quote each are all tried as the beginning of one long
 * cell, and must not be read again and again.
 */
export class Stretches {
  #known: readonly Stretch[] = [];

  at(offset: number): Stretch | undefined {
    return this.#known.find(({ from, to }) => from <= offset && offset < to);
  }

  /** `before`: a part of it that was known. */
  add(stretch: Stretch, before: Stretch | undefined): void {
    this.#known = [
      { ...stretch, from: before?.from ?? stretch.from },
      ...this.#known.filter((one) => one !== before),
    ].slice(0, MOST);
  }
}
