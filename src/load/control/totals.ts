import { CellReader } from '../../columns/rows/cell-reader.js';
import { ExactSum } from '../../columns/numbers/exact-sum.js';
import { MISSING, NULL_CELL, QUOTED, type Batch, type SpanBatch } from '../../core/batch.js';
import { TallymanError } from '../../core/errors.js';
import type { ColumnSpec } from '../../core/feed/columns.js';
import { plainColumn } from '../../columns/plain-column.js';
import type { Total } from './total.js';
import { addVector } from './vector-total.js';

/**
 * `control.totals`: exact sums over all records that are read, refused ones too: the sender added them up before
 * anybody refused them. A cell that is no number cannot be added; the difference then shows.
 */
export class Totals {
  readonly totals: readonly Total[];
  readonly #cell = new CellReader();

  /**
   * `named`: column -> name of its total. `columns` and `cellOf` as the file and the contract agreed; of an `empty`
   * file every sum is 0.
   */
  constructor(
    named: Readonly<Record<string, string>>,
    columns: readonly ColumnSpec[],
    cellOf: readonly number[],
    empty: boolean,
  ) {
    this.totals = Object.entries(named).map(([name, declaredAs]) => {
      const index = columns.findIndex((column) => column.name === name);
      const column = columns[index] ?? (empty ? plainColumn(name, name, 'text') : undefined);
      if (column === undefined)
        throw new TallymanError(
          'MISSING_COLUMNS',
          `the file has no column ${JSON.stringify(name)}, whose sum control.totals asks for`,
        );
      return {
        column,
        cell: cellOf[index] ?? -1,
        name: declaredAs,
        sum: new ExactSum(column),
        strange: 0,
      };
    });
  }

  /** Before the batch's buffers are used again. */
  add(batch: Batch): void {
    for (const total of this.totals) {
      if (total.cell < 0) continue;
      if (batch.kind === 'spans') this.#column(batch, total);
      else addVector(batch, total);
    }
  }

  #column(batch: SpanBatch, total: Total): void {
    const { bytes, rows, width, starts, ends, flags, faults } = batch;
    const { sum } = total;
    let fault = 0;
    let nextFault = faults[0]?.row ?? -1;
    for (let row = 0, cell = total.cell; row < rows; row++, cell += width) {
      if (row === nextFault) {
        // The parser could not take the record apart: what it holds is not known.
        if (faults[fault]!.skip === undefined) total.strange++;
        nextFault = faults[++fault]?.row ?? -1;
        continue;
      }
      const flag = flags[cell]!;
      if (flag <= QUOTED ? sum.add(bytes, starts[cell]!, ends[cell]!) : this.#unusual(batch, cell, flag, sum)) continue;
      // NULL, missing and blank cells hold nothing that could be added.
      if ((flag & (NULL_CELL | MISSING)) === 0 && !this.#isBlank(batch, cell)) total.strange++;
    }
  }

  #unusual(batch: SpanBatch, cell: number, flag: number, sum: ExactSum): boolean {
    if ((flag & (NULL_CELL | MISSING)) !== 0 || !this.#cell.read(batch, cell)) return false;
    return sum.add(this.#cell.bytes, this.#cell.start, this.#cell.end);
  }

  #isBlank(batch: SpanBatch, cell: number): boolean {
    for (let at = batch.starts[cell]!; at < batch.ends[cell]!; at++) if (batch.bytes[at]! > 0x20) return false;
    return true;
  }
}
