import type { Guess } from '../evidence/column-guess.js';

/** One column of the feed that is proposed. */
export interface ColumnDraft {
  readonly name: string;
  /** Header name or position; null = the name itself. */
  readonly from: string | number | null;
  /** Fixed width. */
  readonly start: number | null;
  readonly width: number | null;
  readonly guess: Guess;
  /** For people: why the type is doubtful. */
  readonly doubts: readonly string[];
  /**
   * Keys of the contract that hold for the sample, and that a sample cannot prove: required, unique, min, max, enum,
   * max_length.
   */
  readonly facts: Readonly<Record<string, unknown>>;
  /** Of the sample. */
  readonly nullable: boolean;
  readonly unique: boolean | null;
  readonly min: string | null;
  readonly max: string | null;
  readonly values: number;
  readonly nulls: number;
  readonly examples: readonly string[];
}

/** The feed that is proposed, with its comments. */
export interface FeedDraft {
  readonly name: string;
  /** Comments above it. */
  readonly head: readonly string[];
  readonly source: Readonly<Record<string, unknown>>;
  readonly format: Readonly<Record<string, unknown>>;
  readonly formatNotes: readonly string[];
  /** Other keys of the feed. */
  readonly keys: Readonly<Record<string, unknown>>;
  readonly columns: readonly ColumnDraft[];
  /** Comments by the key that they stand behind (`format.delimiter`). */
  readonly comments: Readonly<Record<string, string>>;
  /** Comments below it. */
  readonly tail: readonly string[];
  /** All that is doubtful, in words of its own, for --json. */
  readonly notes: readonly string[];
}
