/**
 * The unit of the hot path: many records as positions in one buffer. No object, string or array a row or cell.
 *
 * Cell c of row r stands at index `r * width + c` of `starts`, `ends` and `flags`. A row with fewer cells than `width`
 * has the flag MISSING on the rest; a row with more has `cells[r] > width` and the surplus is not addressed (it is in
 * the raw bytes). Rows in `faults` have no usable cells.
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
  /**
   * The raw record in `bytes`, without its line end. No cell is longer than its record, and all cells together are at
   * most Layout.overlap times as long: so much room the encoder makes. For a record past max_record: its first 64 KiB.
   */
  readonly rowStarts: Int32Array;
  readonly rowEnds: Int32Array;
  /** Number of row 0 among the file's data records, from 1; rows are consecutive. */
  readonly firstRow: number;
  /** Physical line (from 1) on which each row begins. Float64: a file may have more than 2^31 lines. */
  readonly lines: Float64Array;
  /** Byte offset in the decompressed stream at which each row begins. */
  readonly offsets: Float64Array;
  /**
   * True when all of `bytes` that rows point to is valid UTF-8 without NUL, so that no cell has to be looked at again.
   */
  readonly clean: boolean;
  /** Rows that the parser itself refuses, ascending by row index; empty in nearly every batch. */
  readonly faults: readonly RowFault[];
  /**
   * Writes the cell's value (escapes resolved) to `out` from `at`, returns the end. `out` must have room for `end -
   * start` bytes. Needed only for cells flagged ESCAPED.
   */
  unescape(start: number, end: number, out: Buffer, at: number): number;
  /**
   * Values of the row's cells behind the last column where the row is taken in spite of them (Layout.longRows); null =
   * NULL. Omitted = no row has any.
   */
  surplus?(row: number): readonly (Buffer | null)[];
}

/**
 * Many records as column vectors: formats that store values and not texts (Parquet). Its buffers are its own: they are
 * not used again, so that who needs a row later keeps the batch.
 */
export interface VectorBatch {
  readonly kind: 'vectors';
  readonly rows: number;
  /** File columns; those that nobody asked for were not read and are null here. */
  readonly columns: readonly (Vector | null)[];
  /** The file's name of each column. */
  readonly names: readonly string[];
  /** Number of row 0 among the file's data records, from 1; rows are consecutive. */
  readonly firstRow: number;
  /** Bytes that it holds in memory. */
  readonly size: number;
}

export type Batch = SpanBatch | VectorBatch;

/** What the values of a vector are. Fixed-width values lie little-endian, one behind the other. */
export type VectorType =
  /** One byte, 0 or 1. */
  | { readonly kind: 'bool' }
  | { readonly kind: 'int'; readonly bytes: 1 | 2 | 4 | 8; readonly signed: boolean }
  /** Two's complement of the value times 10^scale. */
  | { readonly kind: 'decimal'; readonly bytes: 2 | 4 | 8 | 16; readonly precision: number; readonly scale: number }
  | { readonly kind: 'real' | 'double' }
  /** int32, days since 1970-01-01. */
  | { readonly kind: 'date' }
  /** int64 since midnight; `packed`: microseconds above 24 bits that do not count (DuckDB's TIMETZ of UTC times). */
  | { readonly kind: 'time'; readonly unit: 'us' | 'ns' | 'packed' }
  /** int64 since 1970-01-01 00:00; `utc`: an instant, else what a clock on the wall showed. */
  | { readonly kind: 'timestamp'; readonly unit: 'us' | 'ns'; readonly utc: boolean }
  /** 12 bytes: int64 nanoseconds of the day, int32 Julian day (Parquet's int96). What a clock showed. */
  | { readonly kind: 'julian' }
  /** 16 bytes in the order in which they are written. */
  | { readonly kind: 'uuid' }
  /** 16 bytes: int32 months, int32 days, int64 microseconds. */
  | { readonly kind: 'interval' }
  /** UTF-8; bytes. */
  | { readonly kind: 'text' | 'blob' }
  /** Big-endian two's complement, of any length, of the value times 10^scale. */
  | { readonly kind: 'digits'; readonly scale: number }
  | { readonly kind: 'list'; readonly item: VectorType }
  | { readonly kind: 'map'; readonly key: VectorType; readonly value: VectorType }
  | { readonly kind: 'struct'; readonly fields: readonly { readonly name: string; readonly type: VectorType }[] };

/** The values of one column (or of what is nested in one). */
export interface Vector {
  readonly type: VectorType;
  /** Bit `r & 7` of byte `r >> 3` is 1 when row r has a value; null = all rows have. */
  readonly validity: Uint8Array | null;
  /** Fixed-width values, or the bytes of all texts. */
  readonly bytes: Buffer;
  /**
   * Fixed-width values of 4 bytes and more as 32-bit words, low word first. Texts: where each begins in `bytes`, and
   * one more for the end. Lists and maps: the same in their children.
   */
  readonly words: Int32Array;
  /** Fields of a struct; item of a list; key and value of a map. */
  readonly children: readonly Vector[];
  /** Texts: all bytes are valid UTF-8 without NUL, so that no cell has to be looked at again. */
  readonly clean: boolean;
}

/** Has the row a value? */
export const isThere = (vector: Vector, row: number): boolean =>
  vector.validity === null || (vector.validity[row >> 3]! & (1 << (row & 7))) !== 0;

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
  /** The rule by which the record is passed over on purpose: it is skipped, and nothing is wrong with it. */
  readonly skip?: string;
}

/** What can be wrong with a row (docs/spec/rows-and-values.md#classes-of-faults). */
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
