import {
  type ErrorClass,
  ESCAPED,
  MISSING,
  NULL_CELL,
  QUOTED,
  type RowFault,
  type SpanBatch,
} from '../../src/core/batch.js';
import type { ColumnSpec } from '../../src/core/feed/columns.js';

/** A cell of a test row: plain text, bytes, or one with flags. null = NULL_CELL. */
export type TestCell = string | Buffer | null | { readonly text: string | Buffer; readonly flags: number };

/** A quoted cell in which `""` stands for a quote. */
export const escaped = (text: string): TestCell => ({ text, flags: QUOTED | ESCAPED });
/** A quoted cell. */
export const quoted = (text: string): TestCell => ({ text, flags: QUOTED });
/** JSON: the record has no such key. */
export const absent: TestCell = { text: '', flags: MISSING };

export interface BatchOptions {
  readonly width?: number;
  readonly firstRow?: number;
  readonly clean?: boolean;
  readonly faults?: readonly RowFault[];
  /** What CSV's `""` becomes unless said otherwise: JSON's \u0000 for a test of NUL. */
  readonly unescape?: (text: string) => Buffer;
}

/** A batch as a CSV reader gives it: cells joined by commas, rows by newlines, in one buffer. */
export function batchOf(rows: readonly (readonly TestCell[])[], options: BatchOptions = {}): SpanBatch {
  const width = options.width ?? Math.max(...rows.map((row) => row.length));
  const [starts, ends, flags] = [
    new Int32Array(rows.length * width),
    new Int32Array(rows.length * width),
    new Uint8Array(rows.length * width).fill(MISSING),
  ];
  const [rowStarts, rowEnds] = [new Int32Array(rows.length), new Int32Array(rows.length)];
  const parts: Buffer[] = [Buffer.from('header\n')];
  let at = 7;
  const add = (part: Buffer): void => {
    parts.push(part);
    at += part.length;
  };
  for (const [r, row] of rows.entries()) {
    rowStarts[r] = at;
    for (const [c, cell] of row.entries()) {
      if (c > 0) add(Buffer.from(','));
      const { text, flags: bits } =
        cell === null
          ? { text: '', flags: NULL_CELL }
          : typeof cell === 'string' || Buffer.isBuffer(cell)
            ? { text: cell, flags: 0 }
            : cell;
      const start = at;
      add(Buffer.from(text));
      if (c >= width) continue;
      starts[r * width + c] = start;
      ends[r * width + c] = at;
      flags[r * width + c] = bits;
    }
    rowEnds[r] = at;
    add(Buffer.from('\n'));
  }
  const bytes = Buffer.concat(parts);
  const unescape = options.unescape ?? ((text: string) => Buffer.from(text.replaceAll('""', '"')));
  return {
    kind: 'spans',
    bytes,
    rows: rows.length,
    width,
    starts,
    ends,
    flags,
    cells: Int32Array.from(rows, (row) => row.length),
    rowStarts,
    rowEnds,
    firstRow: options.firstRow ?? 1,
    lines: Float64Array.from(rows, (_, r) => r + 2),
    offsets: Float64Array.from(rowStarts),
    clean: options.clean ?? true,
    faults: options.faults ?? [],
    unescape(start, end, out, to) {
      return to + unescape(bytes.toString('utf8', start, end)).copy(out, to);
    },
  };
}

export const fault = (row: number, kind: ErrorClass, message: string): RowFault => ({
  row,
  class: kind,
  column: null,
  message,
  rawLength: null,
});

/** A column of a contract with everything omitted. */
export const columnSpec = (name: string, type: string, more: Partial<ColumnSpec> = {}): ColumnSpec => ({
  name,
  from: [name],
  type,
  required: false,
  unique: false,
  default: null,
  trim: false,
  formats: [],
  timezone: null,
  locale: null,
  decimal: '.',
  thousands: null,
  negative: null,
  currency: [],
  percent: null,
  round: false,
  trueValues: null,
  falseValues: null,
  min: null,
  max: null,
  minLength: null,
  maxLength: null,
  pattern: null,
  enum: null,
  start: null,
  width: null,
  ...more,
});
