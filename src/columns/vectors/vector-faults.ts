import type { CellError, VectorBatch } from '../../core/batch.js';
import type { EncoderPlan } from '../rows/encoder-plan.js';
import { VectorCell } from './vector-cells.js';
import { visibleText, VALUE_LIMIT } from '../../base/text/visible-text.js';

/** Kinds whose bytes come from the file as they stand, alone or nested. */
const HOLDS_TEXT: ReadonlySet<string> = new Set(['text', 'blob', 'list', 'map', 'struct']);

/** Why a row of a vector batch was refused: every fault of it. Off the hot path. */
export class VectorFaults {
  readonly #plan: EncoderPlan;
  readonly #cell = new VectorCell();

  constructor(plan: EncoderPlan) {
    this.#plan = plan;
  }

  of(batch: VectorBatch, row: number): readonly CellError[] {
    const cell = this.#cell;
    return this.#plan.columns.flatMap((column, index): readonly CellError[] => {
      const vector = batch.columns[this.#plan.cellOf[index]!] ?? null;
      if (vector === null || !cell.read(vector, row, column))
        return column.nullField === null ? [column.nullFault(null)] : [];
      const { bytes, start, end } = cell;
      if (HOLDS_TEXT.has(vector.type.kind) && !cell.isClean()) {
        return [
          {
            column: column.name,
            class: 'encoding-error',
            rule: null,
            message: 'not valid UTF-8, or NUL',
            value: visibleText(bytes, start, end, VALUE_LIMIT),
          },
        ];
      }
      return column.faults(bytes, start, end);
    });
  }
}
