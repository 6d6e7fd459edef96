import { MISSING } from '../core/batch.js';
import type { DriftNote } from '../core/format.js';
import type { PlainBatch } from './plain-batch.js';

/** Rules by which records are passed over on purpose. */
export type PassRule = 'footer' | 'repeated_header';

/** Counts the records that a reader passes over, by rule, and marks them in their batches. */
export class PassedRows {
  readonly #counts = new Map<PassRule, number>();

  /** The row is no data: it is counted as skipped, and none of its cells is looked at. */
  mark(batch: PlainBatch, row: number, rule: PassRule): void {
    const first = row * batch.width;
    batch.flags.fill(MISSING, first, first + batch.width);
    const others = batch.faults.filter((fault) => fault.row !== row);
    const at = others.filter((fault) => fault.row < row).length;
    const message = `passed over: ${rule}`;
    others.splice(at, 0, { row, class: 'extra-cell', column: null, message, rawLength: null, skip: rule });
    batch.faults = others;
    this.#counts.set(rule, (this.#counts.get(rule) ?? 0) + 1);
  }

  /** For the file's report. */
  notes(): readonly DriftNote[] {
    return [...this.#counts].map(([rule, rows]) => ({ kind: 'passed', column: rule, message: 'passed over', rows }));
  }
}
