import type { ExactSum } from '../../columns/numbers/exact-sum.js';
import type { ColumnSpec } from '../../core/feed/columns.js';

/** A column whose sum the sender declares. */
export interface Total {
  readonly column: ColumnSpec;
  /** Index of its cell in a batch row; -1 = the file lacks it. */
  readonly cell: number;
  /** What the sum is called in the trailer, the manifest ... */
  readonly name: string;
  readonly sum: ExactSum;
  /** Cells that are no number and so are not in the sum; NULL and missing ones are not counted. */
  strange: number;
}
