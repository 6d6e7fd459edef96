import type { CellVisitor, ReadCounts } from './cells.js';
import type { Sample } from './sample.js';

/** A column of a sampled file. */
export interface TableColumn {
  /** Its name in the file; null = it has none (no header). */
  readonly name: string | null;
  /** The type that the format carries; null = text cells. */
  readonly type: string | null;
  /** Fixed width: first character, from 1, and number of characters. */
  readonly start?: number;
  readonly width?: number;
}

/** A sampled file of any format, as columns. */
export interface Table {
  readonly sample: Sample;
  /** `format.type`. */
  readonly format: string;
  /** Keys under `format:` beside type, those with their default left out. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly columns: readonly TableColumn[];
  /**
   * Physical line of the second record: where the data begins when the header cannot be used; null = the format has no
   * lines.
   */
  readonly dataLine: number | null;
  /** Encoding and dialect in words, and what is doubtful about them. */
  readonly described: readonly string[];
  readonly doubts: readonly string[];
  /** Reads the sample; may be called again. `nulls`: what means NULL beside the empty cell. */
  read(visitor: CellVisitor, nulls: NullPlan): Promise<ReadCounts>;
}

export interface NullPlan {
  /** Words that mean NULL beside the empty cell. */
  readonly words: readonly string[];
  readonly quoted: boolean;
}

export const NO_WORDS: NullPlan = { words: [], quoted: false };
