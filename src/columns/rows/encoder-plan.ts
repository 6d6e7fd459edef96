import type { CellError } from '../../core/batch.js';
import type { Column, CopyMode } from '../column.js';
import type { RescuePlan } from './rescue.js';

/** What the rows of one file become. Made once a load. */
export interface EncoderPlan {
  readonly mode: CopyMode;
  /** `_load_id` of every row. */
  readonly loadId: number;
  /** In the order of the COPY statement, behind `_load_id` and `_row`. */
  readonly columns: readonly Column[];
  /** For each column the index of its cell in a batch row; -1 = the file lacks it (every cell NULL). */
  readonly cellOf: readonly number[];
  /** Layout.overlap: most cells of a row that one of its bytes is in; 1 unless said. */
  readonly overlap?: number;
  /** Names of the file's columns, for messages. */
  readonly fileColumns: readonly string[];
  /** A row with fewer cells than the file has columns: refused, or its missing cells are NULL. */
  readonly shortRows: 'quarantine' | 'fill_null';
  /** on_unknown_column: rescue. Its column is the last of the tuple. */
  readonly rescue: RescuePlan | null;
  /** Keys that must be unique within the file, each a list of indices into `columns`. */
  readonly uniqueKeys: readonly (readonly number[])[];
  /** Keep where each accepted row begins (RowEncoder.tracked ...), for chunks that may have to be split. */
  readonly trackRows: boolean;
}

/** What the row loop reports while it runs. Rows are indices into the batch at hand. */
export interface RowSink {
  /** A refused row, with all its faults. Also the rows that the parser refused (`batch.faults`). */
  bad(row: number, errors: readonly CellError[]): void;
  /** A row that is passed over on purpose, by the rule that the reader gave. */
  skipped?(row: number, rule: string): void;
  /**
   * Once for each accepted row and each of its unique keys that holds no NULL: equal values give equal bytes. The bytes
   * are overwritten by the next call. `key` = index into plan.uniqueKeys.
   */
  key(key: number, row: number, bytes: Buffer, start: number, end: number): void;
}
