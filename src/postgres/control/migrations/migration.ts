/**
 * One step of the control schema, run in a transaction of its own. Numbered from 1 without gaps, never edited once
 * released.
 */
export interface Migration {
  readonly version: number;
  /** SQL statements for a control schema of that name; nothing in them depends on search_path. */
  statements(schema: string): readonly string[];
}
