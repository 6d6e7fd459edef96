import { ESCAPED, NULL_CELL } from '../../core/batch.js';
import { PlainBatch } from '../plain-batch.js';
import { unescaperOf, type Dialect } from './dialect.js';

/** A batch of CSV records: cells are unescaped as the dialect says. `capacity`: most rows. */
export class CsvBatch extends PlainBatch {
  /** SpanBatch.surplus, of `long_rows: rescue`. */
  surplus?: (row: number) => readonly (Buffer | null)[];

  constructor(dialect: Dialect, width: number, capacity?: number) {
    super(width, capacity, unescaperOf(dialect));
  }

  /** The value of a cell of `row`; null = NULL. */
  value(row: number, cell: number): Buffer | null {
    const at = row * this.width + cell;
    const flags = this.flags[at]!;
    if ((flags & NULL_CELL) !== 0) return null;
    const start = this.starts[at]!;
    const end = this.ends[at]!;
    if ((flags & ESCAPED) === 0) return this.bytes.subarray(start, end);
    const out = Buffer.allocUnsafe(end - start);
    return out.subarray(0, this.unescape(start, end, out, 0));
  }
}
