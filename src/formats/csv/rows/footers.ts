import { writtenExpression, type Expression } from '../../../base/expression/expression.js';
import type { PassedRows } from '../../passed-rows.js';
import { CsvBatch } from '../csv-batch.js';
import type { Dialect } from '../dialect.js';

/** Records at the end of a file that can be footers. */
const MOST_ROWS = 100;
/** Bytes of one of them, and so of all that are held back. */
const LONGEST = 8 * 1024;

/**
 * Holds back the records that match a footer until it is known whether the file ends behind them: only then they are
 * footers. Holds at most 100 records of 8 KiB.
 */
export class Footers {
  readonly #dialect: Dialect;
  readonly #patterns: readonly Expression[];
  readonly #passed: PassedRows;
  #held: CsvBatch | null = null;
  #pending: CsvBatch | null = null;

  constructor(dialect: Dialect, patterns: readonly string[], passed: PassedRows) {
    this.#dialect = dialect;
    this.#patterns = patterns.map((pattern) => writtenExpression(pattern));
    this.#passed = passed;
  }

  /** `pull` gives the file's batches; the one that it gave last may be filled anew. */
  async next(pull: () => Promise<CsvBatch | null>): Promise<CsvBatch | null> {
    for (;;) {
      const batch = this.#pending ?? (await pull());
      this.#pending = null;
      const held = this.#held;
      if (batch === null) {
        this.#held = null;
        if (held !== null) for (let row = 0; row < held.rows; row++) this.#passed.mark(held, row, 'footer');
        return held;
      }
      let from = batch.rows;
      while (from > 0 && batch.rows - from < MOST_ROWS && this.#matches(batch, from - 1)) from--;
      // What is held was no footer, when something else follows or there is too much of it.
      if (held !== null && (from > 0 || held.rows + batch.rows > MOST_ROWS)) {
        this.#held = null;
        this.#pending = batch;
        return held;
      }
      if (from === batch.rows) return batch;
      this.#hold(batch, from);
      if (from > 0) return batch;
    }
  }

  /** The record as it stands, or its values between delimiters. */
  #matches(batch: CsvBatch, row: number): boolean {
    const start = batch.rowStarts[row]!;
    const end = batch.rowEnds[row]!;
    if (end - start > LONGEST) return false;
    const raw = batch.bytes.toString('utf8', start, end);
    if (this.#patterns.some((pattern) => pattern.test(raw) === true)) return true;
    if (this.#dialect.quote.length === 0 || !raw.includes(this.#dialect.quote.toString())) return false;
    if (batch.faults.some((fault) => fault.row === row)) return false;
    const values = Array.from({ length: Math.min(batch.width, batch.cells[row]!) }, (_, cell) =>
      (batch.value(row, cell) ?? '').toString(),
    );
    const bare = values.join(this.#dialect.delimiter.toString());
    return this.#patterns.some((pattern) => pattern.test(bare) === true);
  }

  /** Takes the batch's rows from `from` on into memory of its own. */
  #hold(batch: CsvBatch, from: number): void {
    const held = (this.#held ??= new CsvBatch(this.#dialect, batch.width, MOST_ROWS));
    if (held.rows === 0) held.firstRow = batch.firstRow + from;
    let end = held.rows === 0 ? 0 : held.rowEnds[held.rows - 1]!;
    const bytes = Buffer.allocUnsafe(end + batch.rowEnds[batch.rows - 1]! - batch.rowStarts[from]!);
    held.bytes.copy(bytes, 0, 0, end);
    for (let row = from; row < batch.rows; row++) {
      const to = held.rows++;
      const start = batch.rowStarts[row]!;
      const by = end - start;
      for (let cell = 0; cell < batch.width; cell++) {
        const at = row * batch.width + cell;
        held.starts[to * batch.width + cell] = batch.starts[at]! + by;
        held.ends[to * batch.width + cell] = batch.ends[at]! + by;
        held.flags[to * batch.width + cell] = batch.flags[at]!;
      }
      held.cells[to] = batch.cells[row]!;
      held.rowStarts[to] = end;
      batch.bytes.copy(bytes, end, start, batch.rowEnds[row]);
      end += batch.rowEnds[row]! - start;
      held.rowEnds[to] = end;
      held.lines[to] = batch.lines[row]!;
      held.offsets[to] = batch.offsets[row]!;
      for (const fault of batch.faults) if (fault.row === row) held.faults.push({ ...fault, row: to });
    }
    held.bytes = bytes;
    held.clean = held.clean && batch.clean;
    batch.faults = batch.faults.filter((fault) => fault.row < from);
    batch.rows = from;
  }
}
