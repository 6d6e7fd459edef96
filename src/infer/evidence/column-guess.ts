import type { NegativeForm } from '../../core/feed/columns.js';

/** The type of one column and what reads it. */
export interface Guess {
  /** In the config's words. */
  readonly type: string;
  readonly formats?: readonly string[];
  readonly locale?: string;
  readonly decimal?: string;
  readonly thousands?: string;
  readonly negative?: readonly NegativeForm[];
  readonly currency?: readonly string[];
  readonly percent?: 'keep' | 'divide';
  readonly round?: boolean;
  readonly trueValues?: readonly string[];
  readonly falseValues?: readonly string[];
  /** Words in the column that have to mean NULL for the type to hold. */
  readonly nulls?: readonly string[];
  /** Why it is doubtful, or why it is only text; for people. */
  readonly doubts: readonly string[];
}

/** What the rest of the file says where one column alone does not. */
export interface Evidence {
  /** Another column writes 1,5 (true) or 1.5 (false); null = none tells. */
  readonly commaDecimals: boolean | null;
  /** Dates that fit one order only have the day first (true) or the month; null = there are none. */
  readonly dayFirst: boolean | null;
  /** Some dates have points between their parts: in such files the day comes first. */
  readonly pointedDates: boolean;
  readonly semicolons: boolean;
  /** The date in the file's name, in seconds since 2000; null = none. */
  readonly fileDate: number | null;
}
