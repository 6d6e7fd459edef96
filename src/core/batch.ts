/**
 * The unit of the hot path: many records as positions in one buffer. No object, string or array a row or cell.
 *
 * Cell c of row r stands at index `r * width + c` of `starts`, `ends` and `flags`. A row with fewer cells than `width` has the flag
 * MISSING on the rest; a row with more has `cells[r] > width` and the surplus is not addressed (it is in the raw bytes). Rows in `faults` have
 * no usable cells.
 */
export interface SpanBatch {
  readonly kind: 'spans';
  readonly bytes: Buffer;
  readonly rows: number;
  /** Cells a row in the arrays = number of file columns. */
  readonly width: number;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** Bits QUOTED, ESCAPED, MISSING, NULL_CELL. */
  readonly flags: Uint8Array;
  /** Cells found in each row. */
  readonly cells: Int32Array;
  /** The raw record in `bytes`, without its line end; none of its cells is longer than it is, and all together only by Layout.overlap (the encoder makes room by it). For a record past max_record: its first 64 KiB. */
  readonly rowStarts: Int32Array;
  readonly rowEnds: Int32Array;
  /** Number of row 0 among the file's data records, from 1; rows are consecutive. */
  readonly firstRow: number;
  /** Physical line (from 1) on which each row begins. Float64: a file may have more than 2^31 lines. */
  readonly lines: Float64Array;
  /** Byte offset in the decompressed stream at which each row begins. */
  readonly offsets: Float64Array;
  /** True when all of `bytes` that rows point to is valid UTF-8 without NUL, so that no cell has to be looked at again. */
  readonly clean: boolean;
  /** Rows that the parser itself refuses, ascending by row index; empty in nearly every batch. */
  readonly faults: readonly RowFault[];
  /**
   * Writes the cell's value (escapes resolved) to `out` from `at`, gives the end. `out` must have room for `end - start` bytes. Needed only for
   * cells flagged ESCAPED.
   */
  unescape(start: number, end: number, out: Buffer, at: number): number;
}

/** Column vectors (Parquet, Avro) join here as a second kind. */
export type Batch = SpanBatch;

/** The cell stood in quotes; start and end are inside them. */
export const QUOTED = 1;
/** The cell holds escapes: read it through `unescape`. */
export const ESCAPED = 2;
/** The row has no such cell. */
export const MISSING = 4;
/** The format itself says NULL (JSON null). */
export const NULL_CELL = 8;

/** A record that the parser refuses as a whole. */
export interface RowFault {
  /** Index in the batch. */
  readonly row: number;
  readonly class: ErrorClass;
  readonly column: string | null;
  readonly message: string;
  /** Bytes of the whole record when `rowStarts..rowEnds` holds only its beginning. */
  readonly rawLength: number | null;
}

/** SPEC 7, error classes. */
export const ERROR_CLASSES = [
  'missing-cell',
  'extra-cell',
  'type-error',
  'constraint-error',
  'unique-error',
  'encoding-error',
  'quote-error',
  'json-error',
  'too-long',
  'database-error',
] as const;
export type ErrorClass = (typeof ERROR_CLASSES)[number];

/** One fault of one row, as quarantine keeps it (`errors jsonb`). */
export interface CellError {
  readonly column: string | null;
  readonly class: ErrorClass;
  /** `required`, `min`, `max`, `enum` ... for constraint-error; null otherwise. */
  readonly rule: string | null;
  readonly message: string;
  /** The cell as text, at most 1 KiB, NUL and undecodable bytes made visible as \xHH; null when there is none. */
  readonly value: string | null;
}
