/** When a file as a whole is bad (docs/spec/limits.md). null = no limit. */
export interface LimitsSpec {
  readonly badRows: number | null;
  readonly badRatio: number | null;
  readonly minRows: number;
  readonly databaseRows: number;
}

export interface RetrySpec {
  readonly attempts: number;
  readonly backoffMs: number;
  readonly maxBackoffMs: number;
}
