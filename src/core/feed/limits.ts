/** When a file as a whole is bad (docs/spec/limits.md). null = no limit. */
export interface LimitsSpec {
  readonly badRows: number | null;
  readonly badRatio: number | null;
  readonly minRows: number;
  readonly databaseRows: number;
  /**
   * A text file whose last line has no line end: reported as drift unless that is usual, or rejected. Omitted = warn.
   */
  readonly unterminated?: 'warn' | 'reject';
}

export interface RetrySpec {
  readonly attempts: number;
  readonly backoffMs: number;
  readonly maxBackoffMs: number;
}
