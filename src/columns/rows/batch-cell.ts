import type { Batch } from '../../core/batch.js';
import { CellReader } from './cell-reader.js';
import type { Column } from '../column.js';
import { VectorCell } from '../vectors/vector-cells.js';

/**
 * One cell of any batch as text. One object for all cells: the fields are those of the last `read`. Off the hot path.
 */
export class BatchCell {
  bytes: Buffer = Buffer.alloc(0);
  start = 0;
  end = 0;
  readonly #span = new CellReader();
  readonly #vector = new VectorCell();

  /**
   * Cell `cell` of row `row`; false when it is NULL or missing. `column`: the text that its codec reads; null = the
   * text for people.
   */
  read(batch: Batch, row: number, cell: number, column: Pick<Column, 'type'> | null): boolean {
    if (batch.kind === 'spans') return this.#span.read(batch, row * batch.width + cell) && this.#take(this.#span);
    const vector = batch.columns[cell] ?? null;
    if (vector === null) return false;
    const there = column === null ? this.#vector.show(vector, row) : this.#vector.read(vector, row, column);
    return there && this.#take(this.#vector);
  }

  #take(from: CellReader | VectorCell): boolean {
    this.bytes = from.bytes;
    this.start = from.start;
    this.end = from.end;
    return true;
  }
}
