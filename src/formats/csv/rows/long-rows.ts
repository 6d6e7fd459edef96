import type { DriftNote } from '../../../core/format.js';
import { CsvBatch } from '../csv-batch.js';
import type { Dialect } from '../dialect.js';
import { scannerOf } from '../records.js';

/** Cells of one record that are kept; more is no table. */
const MOST_CELLS = 65_536;

/** Rows with more cells than columns that are taken all the same (`long_rows: drop | rescue`). */
export class LongRows {
  readonly #dialect: Dialect;
  readonly #keep: boolean;
  #found = new Map<number, number>();
  #count = 0;

  constructor(dialect: Dialect, longRows: 'drop' | 'rescue') {
    // A whole record is given, and no comment.
    this.#dialect = { ...dialect, maxRecord: Infinity, comment: Buffer.alloc(0), commentByte: -1 };
    this.#keep = longRows === 'rescue';
  }

  /** Takes the surplus off the batch's rows; `surplus` gives it back until the next batch. */
  take(batch: CsvBatch): void {
    this.#found.clear();
    for (let row = 0; row < batch.rows; row++) {
      const found = batch.cells[row]!;
      if (found <= batch.width) continue;
      batch.cells[row] = batch.width;
      this.#count++;
      if (this.#keep) this.#found.set(row, found);
    }
  }

  surplus(batch: CsvBatch, row: number): readonly (Buffer | null)[] {
    const found = this.#found.get(row);
    if (found === undefined) return [];
    const raw = batch.bytes.subarray(batch.rowStarts[row], batch.rowEnds[row]);
    const bytes = Buffer.allocUnsafe(raw.length + 1);
    raw.copy(bytes);
    const whole = new CsvBatch(this.#dialect, Math.min(found, MOST_CELLS), 1);
    const scanner = scannerOf(this.#dialect);
    scanner.countEmptySurplus = true;
    scanner.scan(bytes, raw.length, true, 0, whole);
    whole.bytes = bytes;
    return Array.from({ length: whole.width - batch.width }, (_, index) => whole.value(0, batch.width + index));
  }

  /** What the file's report tells of them, once it was read. */
  notes(width: number): readonly DriftNote[] {
    if (this.#count === 0) return [];
    const rows = `${this.#count} row${this.#count === 1 ? ' has' : 's have'} more cells than the ${width} columns`;
    const column = `column_${width + 1}`;
    return [
      this.#keep
        ? { kind: 'unknown', column, message: `${rows}: kept in _rescued` }
        : { kind: 'ignored', column, message: `${rows}: dropped` },
    ];
  }
}
