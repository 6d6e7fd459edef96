import type { VectorType } from '../../core/batch.js';

/**
 * What the reading process and its parent say to each other. Requests go to its stdin as JSON, one a line; answers come
 * from its descriptor 3 as frames: length of what follows (u32), kind (u32), then JSON, or for ROWS the vectors as
 * pack.ts lays them out. All numbers little-endian.
 */
export const COLUMNS = 1;
export const ROWS = 2;
export const END = 3;
export const FAILED = 4;
/** Of the two words in front of a frame. */
export const HEAD = 8;
/** Longest frame that is believed: one row may be as large as a value can be in PostgreSQL. */
export const MOST_FRAME = 0x7fff_0000;

export type Request =
  /**
   * Look at the file: answered by COLUMNS or FAILED. `scratch`: where a file may be put that is gone when the process
   * is told to look at the next one.
   */
  | { readonly op: 'open'; readonly path: string; readonly scratch: string }
  /** Read these columns of it: answered by ROWS ..., END or FAILED. */
  | { readonly op: 'read'; readonly columns: readonly ColumnPath[] };

/** A column by its place in the file, or a field inside a struct. */
export interface ColumnPath {
  readonly column: number;
  readonly fields: readonly number[];
}

export interface DescribedColumn {
  readonly name: string;
  readonly type: VectorType;
  /** The config's words; null = text. */
  readonly word: string | null;
}

/** Answer COLUMNS. */
export interface Described {
  readonly rows: number;
  readonly columns: readonly DescribedColumn[];
}

/** Answer FAILED. `code`: of TallymanError. */
export interface Failure {
  readonly code: 'FILE_CORRUPT' | 'FORMAT_MISMATCH' | 'EXPANSION_LIMIT' | 'LOAD_FAILED' | 'DISK_FULL' | 'NOT_INSTALLED';
  readonly message: string;
  readonly fix: string | null;
}
