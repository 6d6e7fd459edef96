import type { Batch } from '../../core/batch.js';
import type { RecordReader } from '../../core/format.js';
import { ReaderWrapper } from '../../formats/reader-wrapper.js';

/** A reader of a stream whose first record was cut out: byte offsets are those of the file all the same. */
export class ShiftedReader extends ReaderWrapper {
  readonly #shift: () => number;

  constructor(inner: RecordReader, shift: () => number) {
    super(inner);
    this.#shift = shift;
  }

  override async next(): Promise<Batch | null> {
    const batch = await this.inner.next();
    if (batch?.kind !== 'spans') return batch;
    const by = this.#shift();
    // In place: the reader fills its array anew for every batch.
    for (let row = 0; row < batch.rows; row++) batch.offsets[row] = batch.offsets[row]! + by;
    return batch;
  }
}
