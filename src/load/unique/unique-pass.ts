import type { Batch, CellError } from '../../core/batch.js';
import { BatchCell } from '../../columns/rows/batch-cell.js';
import { placeOf, RawRow } from '../../columns/rows/batch-rows.js';
import { VALUE_LIMIT, visibleText } from '../../base/text/visible-text.js';
import type { QuarantineRecord } from '../../quarantine/record.js';
import type { RowSet } from './row-set.js';

/** A key for messages: its columns, and the cells they come from. */
export interface KeyCells {
  readonly columns: readonly string[];
  /** Index of each column's cell in a batch row; -1 = not in the file. */
  readonly cells: readonly number[];
}

/**
 * Reads the file once more, as far as the last row that lost its key, and quarantines those rows as `unique-error`.
 * They were found only after the last chunk, when their raw bytes were long gone; keeping the bytes of every row that
 * may lose would cost memory or disk in every load.
 */
export async function recordUniqueLosers(
  next: () => Promise<Batch | null>,
  keys: readonly KeyCells[],
  lost: readonly RowSet[],
  record: QuarantineRecord,
  flush: () => Promise<void>,
): Promise<void> {
  const last = Math.max(0, ...lost.map((rows) => rows.last));
  const cell = new BatchCell();
  const rawRow = new RawRow();
  for (let batch = await next(); batch !== null && batch.firstRow <= last; batch = await next()) {
    for (let row = 0; row < batch.rows; row++) {
      const number = batch.firstRow + row;
      const errors = keys.flatMap((key, k) => (lost[k]!.has(number) ? [uniqueError(cell, batch, row, key)] : []));
      if (errors.length === 0) continue;
      const raw = rawRow.of(batch, row);
      record.add(placeOf(batch, row), errors, raw, raw.length);
    }
    if (record.full) await flush();
  }
}

function uniqueError(cell: BatchCell, batch: Batch, row: number, key: KeyCells): CellError {
  const values = key.cells.map((index) => (index < 0 ? '' : textOf(cell, batch, row, index)));
  return {
    column: key.columns.join(', '),
    class: 'unique-error',
    rule: null,
    message: 'the same value stands in an earlier row',
    value: values.join(', '),
  };
}

function textOf(cell: BatchCell, batch: Batch, row: number, index: number): string {
  return cell.read(batch, row, index, null) ? visibleText(cell.bytes, cell.start, cell.end, VALUE_LIMIT) : '';
}
