import type { CopyBuffer, PgType } from '../core/codec.js';
import type { CellError } from '../core/batch.js';
import type { ColumnSpec } from '../core/feed/columns.js';

/**
 * A table may have more room than the contract (bigint for integer, text for a date). What the contract takes is the
 * same all the same, with and without a database.
 */

/** Types whose values are sent in one form, whatever their precision, scale or length: there the contract's serves. */
const FORMS: readonly ReadonlySet<string>[] = [
  new Set(['numeric']),
  new Set(['text', 'varchar']),
  new Set(['time']),
  new Set(['timestamp']),
  new Set(['timestamptz']),
];

/** The type that a column is written as: the contract's where that is the real one with bounds of its own. */
export function writtenAs(contract: PgType | null, real: PgType): PgType {
  if (contract === null || real.enumLabels !== null) return real;
  return FORMS.some((form) => form.has(contract.typname) && form.has(real.typname)) ? contract : real;
}

const TEXTS: ReadonlySet<string> = new Set(['text', 'varchar', 'bpchar', 'name', 'citext']);

/** True when the contract's codec has to look at each cell before the real one writes it. */
export const needsJudge = (contract: PgType | null, real: PgType): boolean =>
  contract !== null &&
  (contract.typname !== real.typname || contract.typmod !== real.typmod) &&
  // A contract of text over another type means the words of that type.
  !(TEXTS.has(contract.typname) && contract.typmod < 0);

/** What is left of a column when another one sees to its rules. */
export const NO_RULES = { min: null, max: null, minLength: null, maxLength: null, pattern: null, enum: null } as const;

type Encode = (bytes: Buffer, start: number, end: number, out: CopyBuffer) => number;

/** What of a Column judges a cell (column.ts). */
interface Judging {
  readonly spec: ColumnSpec;
  readonly encode: Encode;
  readonly maxSize: (length: number) => number;
  readonly nullFault: (value: string | null) => CellError;
  faults(bytes: Buffer, start: number, end: number): readonly CellError[];
}

/** A column that writes, as `written` does, what `judge`, the contract's own column, takes. */
export function judged<C extends Judging>(judge: C, written: C): C {
  const scratch: CopyBuffer = { buf: Buffer.allocUnsafe(1024), pos: 0 };
  const encode: Encode = (bytes, start, end, out) => {
    const size = judge.maxSize(end - start);
    if (scratch.buf.length < size) scratch.buf = Buffer.allocUnsafe(2 * size);
    scratch.pos = 0;
    const refusal = judge.encode(bytes, start, end, scratch);
    return refusal === 0 ? written.encode(bytes, start, end, out) : refusal;
  };
  return {
    ...written,
    spec: judge.spec,
    nullFault: judge.nullFault,
    encode,
    faults: (bytes: Buffer, start: number, end: number) => {
      const faults = judge.faults(bytes, start, end);
      return faults.length > 0 ? faults : written.faults(bytes, start, end);
    },
  };
}
