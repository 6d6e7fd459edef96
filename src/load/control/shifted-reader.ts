import type { Batch } from '../../core/batch.js';
import type { FileDialect, Layout, RecordReader } from '../../core/format.js';

/** A reader of a stream whose first record was cut out: byte offsets are those of the file all the same. */
export class ShiftedReader implements RecordReader {
  readonly #inner: RecordReader;
  readonly #shift: () => number;

  constructor(inner: RecordReader, shift: () => number) {
    this.#inner = inner;
    this.#shift = shift;
  }

  get layout(): Layout {
    return this.#inner.layout;
  }

  get empty(): boolean {
    return this.#inner.empty;
  }

  get declaredRows(): number | null {
    return this.#inner.declaredRows;
  }

  dialect(): FileDialect {
    return this.#inner.dialect();
  }

  async next(): Promise<Batch | null> {
    const batch = await this.#inner.next();
    if (batch?.kind !== 'spans') return batch;
    const by = this.#shift();
    // In place: the reader fills its array anew for every batch.
    for (let row = 0; row < batch.rows; row++) batch.offsets[row] = batch.offsets[row]! + by;
    return batch;
  }

  async close(): Promise<void> {
    await this.#inner.close();
  }
}
