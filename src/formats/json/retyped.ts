import { MISSING, NULL_CELL, QUOTED, type SpanBatch } from '../../core/batch.js';
import type { DriftNote } from '../../core/format.js';
import type { Columns } from './columns.js';

const UNQUOTED = /^(?:smallint|integer|bigint|numeric|real|double precision|boolean)\b/;
const TEXTS = /^(?:text|varchar|char)\b/;

/**
 * Columns whose first value in this batch (the first of the file) is of another kind than the contract's type is
 * written as: a string for a number, an object for a text. They are taken where they fit; a sender that changes them is
 * worth knowing. Numbers in text columns are how keys are landed, and not reported.
 */
export function retyped({ readings, layout }: Columns, batch: SpanBatch): readonly DriftNote[] {
  return readings.flatMap(({ column }, index): DriftNote[] => {
    const found = kindOf(batch, layout.cellOf[index] ?? -1, column.type);
    return found === null
      ? []
      : [{ kind: 'retyped', column: column.name, message: `${found} in the file, ${column.type} in the contract` }];
  });
}

/** What the first value is, when it is not what the type is usually written as; null = it is, or there is none. */
function kindOf(batch: SpanBatch, cell: number, type: string): string | null {
  if (cell < 0 || (!UNQUOTED.test(type) && !TEXTS.test(type))) return null;
  for (let row = 0; row < batch.rows; row++) {
    const at = row * batch.width + cell;
    const flags = batch.flags[at]!;
    if ((flags & (NULL_CELL | MISSING)) !== 0 || batch.faults.some((fault) => fault.row === row)) continue;
    if ((flags & QUOTED) !== 0) return UNQUOTED.test(type) ? 'a string' : null;
    const byte = batch.bytes[batch.starts[at]!];
    const kind =
      byte === 0x7b
        ? 'an object'
        : byte === 0x5b
          ? 'a list'
          : byte === 0x74 || byte === 0x66
            ? 'a boolean'
            : 'a number';
    const usual = kind === 'a number' ? type !== 'boolean' : kind === 'a boolean' && type === 'boolean';
    return usual ? null : kind;
  }
  return null;
}
