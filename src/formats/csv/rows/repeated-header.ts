import type { PassedRows } from '../../passed-rows.js';
import type { CsvBatch } from '../csv-batch.js';

/** Finds the header where it stands again among the records (`repeated_header: skip`), as in files put together. */
export class RepeatedHeader {
  readonly #rows: readonly (readonly string[])[];
  readonly #passed: PassedRows;
  /** Records of the header that were met in a row. */
  #met = 0;

  /** `rows`: the cells of the header's records. */
  constructor(rows: readonly (readonly string[])[], passed: PassedRows) {
    this.#rows = rows;
    this.#passed = passed;
  }

  /** Marks such records. The second of a header of several counts only behind the first. */
  take(batch: CsvBatch): void {
    for (let row = 0; row < batch.rows; row++) {
      this.#met = this.#is(batch, row, this.#met) ? this.#met + 1 : this.#is(batch, row, 0) ? 1 : 0;
      if (this.#met > 0) this.#passed.mark(batch, row, 'repeated_header');
      if (this.#met === this.#rows.length) this.#met = 0;
    }
  }

  #is(batch: CsvBatch, row: number, index: number): boolean {
    const names = this.#rows[index] ?? [];
    if (batch.cells[row] !== Math.min(batch.width, names.length) && batch.cells[row] !== names.length) return false;
    for (let cell = 0; cell < Math.min(names.length, batch.width); cell++) {
      const at = row * batch.width + cell;
      // Quotes and escapes only make a cell longer.
      if (cell === 0 && batch.ends[at]! - batch.starts[at]! < Buffer.byteLength(names[0]!)) return false;
      if ((batch.value(row, cell)?.toString() ?? '') !== names[cell]) return false;
    }
    return !batch.faults.some((fault) => fault.row === row);
  }
}
