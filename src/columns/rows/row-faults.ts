import { isUtf8 } from 'node:buffer';
import { MISSING, type CellError, type SpanBatch } from '../../core/batch.js';
import { CellReader } from './cell-reader.js';
import type { EncoderPlan } from './encoder-plan.js';
import { visibleText, VALUE_LIMIT } from '../../base/text/visible-text.js';

/** Why a row was refused: every fault of it. Off the hot path. */
export class RowFaults {
  readonly #plan: EncoderPlan;
  readonly #cell = new CellReader();
  /** The contract's column of each file column, or the file's own name. */
  readonly #nameOfCell: readonly string[];

  constructor(plan: EncoderPlan) {
    this.#plan = plan;
    this.#nameOfCell = plan.fileColumns.map((name, cell) => plan.columns[plan.cellOf.indexOf(cell)]?.name ?? name);
  }

  of(batch: SpanBatch, row: number): readonly CellError[] {
    const errors: CellError[] = [];
    const shape = this.#shape(batch, row);
    if (shape !== null) errors.push(shape);
    const dirty = isRowClean(batch, row) ? null : this.#dirtyCells(batch, row);
    if (dirty !== null) errors.push(...this.#encoding(batch, row, dirty));
    const base = row * batch.width;
    for (const [index, column] of this.#plan.columns.entries()) {
      const cell = this.#plan.cellOf[index] ?? -1;
      if (cell >= 0 && dirty?.has(cell) === true) continue;
      if (cell >= 0 && this.#cell.read(batch, base + cell)) {
        if (this.#cell.hasNul()) errors.push(this.#undecodable(column.name));
        else errors.push(...column.faults(this.#cell.bytes, this.#cell.start, this.#cell.end));
      } else if (column.nullField === null) {
        errors.push(...this.#absent(batch, row, index, cell));
      }
    }
    return errors;
  }

  /** Too few or too many cells. One fault a row: what is missing behind the first is not reported again. */
  #shape(batch: SpanBatch, row: number): CellError | null {
    const found = batch.cells[row]!;
    if (found > batch.width) {
      return {
        column: null,
        class: 'extra-cell',
        rule: null,
        message: `more cells than the ${batch.width} columns of the file`,
        value: null,
      };
    }
    if (found === batch.width || this.#plan.shortRows === 'fill_null') return null;
    const wanted = this.#plan.cellOf.filter((cell) => cell >= found);
    const first = wanted.length > 0 ? Math.min(...wanted) : found;
    return {
      column: this.#nameOfCell[first] ?? null,
      class: 'missing-cell',
      rule: null,
      message: 'the row ends before this column',
      value: null,
    };
  }

  /** NULL, or no cell at all, where the column is required. */
  #absent(batch: SpanBatch, row: number, index: number, cell: number): readonly CellError[] {
    const column = this.#plan.columns[index]!;
    if (cell < 0) return [column.nullFault(null)];
    const at = row * batch.width + cell;
    const missing = (batch.flags[at]! & MISSING) !== 0;
    const short = batch.cells[row]! <= cell;
    if (missing && short) return this.#plan.shortRows === 'fill_null' ? [column.nullFault(null)] : [];
    // The record has no such key (JSON): other formats always have the cell.
    if (missing)
      return [
        {
          column: column.name,
          class: 'missing-cell',
          rule: null,
          message: 'the record has no such value',
          value: null,
        },
      ];
    const start = batch.starts[at]!;
    const end = batch.ends[at]!;
    return [column.nullFault(end > start ? visibleText(batch.bytes, start, end, VALUE_LIMIT) : null)];
  }

  #encoding(batch: SpanBatch, row: number, dirty: ReadonlySet<number>): CellError[] {
    const message = "not valid in the file's encoding, or NUL";
    if (dirty.size === 0) {
      const value = visibleText(batch.bytes, batch.rowStarts[row]!, batch.rowEnds[row]!, VALUE_LIMIT);
      return [{ column: null, class: 'encoding-error', rule: null, message, value }];
    }
    const base = row * batch.width;
    return [...dirty].map((cell) => {
      const value = visibleText(batch.bytes, batch.starts[base + cell]!, batch.ends[base + cell]!, VALUE_LIMIT);
      return { column: this.#nameOfCell[cell] ?? null, class: 'encoding-error', rule: null, message, value };
    });
  }

  #undecodable(column: string): CellError {
    const value = visibleText(this.#cell.bytes, this.#cell.start, this.#cell.end, VALUE_LIMIT);
    return { column, class: 'encoding-error', rule: null, message: 'holds NUL', value };
  }

  /** Cells of the row that hold the bad bytes. */
  #dirtyCells(batch: SpanBatch, row: number): ReadonlySet<number> {
    const dirty = new Set<number>();
    const base = row * batch.width;
    const found = Math.min(batch.cells[row]!, batch.width);
    for (let cell = 0; cell < found; cell++) {
      if (
        (batch.flags[base + cell]! & MISSING) === 0 &&
        !isClean(batch.bytes, batch.starts[base + cell]!, batch.ends[base + cell]!)
      )
        dirty.add(cell);
    }
    return dirty;
  }
}

/** Is the raw record valid UTF-8 without NUL? Asked only in batches that are not clean as a whole. */
export const isRowClean = (batch: SpanBatch, row: number): boolean =>
  batch.clean || isClean(batch.bytes, batch.rowStarts[row]!, batch.rowEnds[row]!);

function isClean(bytes: Buffer, start: number, end: number): boolean {
  const part = bytes.subarray(start, end);
  return isUtf8(part) && !part.includes(0);
}
