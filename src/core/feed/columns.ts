/** One column of the contract (docs/spec/columns.md#keys-of-a-column). */
export interface ColumnSpec {
  readonly name: string;
  /**
   * Where it comes from: header names in order of preference, or a 1-based position. Never empty: `[name]` when
   * omitted.
   */
  readonly from: readonly (string | number)[];
  /** In the config's words, lower case, for example `numeric(12,2)`. */
  readonly type: string;
  readonly required: boolean;
  readonly unique: boolean;
  /** Text of the value that a NULL or missing cell gets; null = none. */
  readonly default: string | null;
  readonly trim: boolean;
  /** strptime formats, `epoch_s` to `epoch_ns`, `excel_serial`; empty = ISO 8601. */
  readonly formats: readonly string[];
  /** IANA zone; null = the feed's for timestamptz, and "no offset allowed" for timestamp. */
  readonly timezone: string | null;
  /** Language of the names of months and weekdays in `formats`; null = English. */
  readonly locale: string | null;
  readonly decimal: string;
  readonly thousands: string | null;
  /** The ways in which numbers below zero are written; null = a minus sign in front, and no other key of the kind. */
  readonly negative: readonly NegativeForm[] | null;
  /** Currency signs that may stand before or behind a number. */
  readonly currency: readonly string[];
  /** What a percent sign means: nothing, or a hundredth. null = it is refused. */
  readonly percent: 'keep' | 'divide' | null;
  readonly round: boolean;
  readonly trueValues: readonly string[] | null;
  readonly falseValues: readonly string[] | null;
  readonly min: string | null;
  readonly max: string | null;
  readonly minLength: number | null;
  readonly maxLength: number | null;
  /** JavaScript regular expression, unanchored. */
  readonly pattern: string | null;
  readonly enum: readonly string[] | null;
  /** Fixed width: 1-based first character and number of characters. */
  readonly start: number | null;
  readonly width: number | null;
}

export const NEGATIVE_FORMS = ['minus', 'parentheses', 'trailing_minus'] as const;
export type NegativeForm = (typeof NEGATIVE_FORMS)[number];
