import type { ErrorClass } from './batch.js';
import type { DriftNote } from './format.js';
import type { ReportState } from './states.js';

/** Counts of one load; read = loaded + quarantined + skipped (+ delta, which is 0 in every committed load). */
export interface RowCounts {
  readonly read: number;
  readonly loaded: number;
  readonly quarantined: number;
  readonly skipped: number;
  /** What the sender or the format says the file holds; null = not said. */
  readonly declared: number | null;
  /** read - loaded - quarantined - skipped; null for a rejected file. */
  readonly delta: number | null;
}

export const NO_ROWS: RowCounts = { read: 0, loaded: 0, quarantined: 0, skipped: 0, declared: null, delta: 0 };

/** What a load noted, as the report shows it. */
export const toldDrift = (
  notes: readonly DriftNote[],
): Pick<FileReport, 'drift' | 'lines_skipped' | 'rows_skipped'> => ({
  lines_skipped: notes.reduce((sum, { lines = 0 }) => sum + lines, 0),
  rows_skipped: skippedByRule(notes),
  drift: notes.filter(({ kind }) => kind !== 'passed'),
});

function skippedByRule(notes: readonly DriftNote[]): Readonly<Record<string, number>> {
  const counts = new Map<string, number>();
  for (const { column, rows = 0 } of notes) if (rows > 0) counts.set(column, (counts.get(column) ?? 0) + rows);
  return Object.fromEntries(counts);
}

/** Faults of a file grouped by class, column and message. */
export interface ErrorGroup {
  readonly class: ErrorClass;
  readonly column: string | null;
  readonly rows: number;
  readonly first_row: number;
  readonly first_line: number;
  readonly example: string | null;
  readonly message: string;
}

export interface ReportedError {
  readonly code: string;
  readonly message: string;
  readonly fix: string;
}

/** The file report (docs/spec/commands.md#a-file-report): public API, field by field. Times are ISO 8601 in UTC. */
export interface FileReport {
  readonly message_type: 'file';
  readonly file_id: number;
  readonly feed: string;
  readonly uri: string;
  readonly path: string;
  readonly size: number;
  readonly mtime: string | null;
  readonly sha256: string | null;
  /** Of the decrypted, decompressed bytes: sha256 itself where the file was not packed; null = not known. */
  readonly content_sha256: string | null;
  readonly state: ReportState;
  readonly attempts: number;
  readonly load_id: number | null;
  readonly duplicate_of: number | null;
  readonly generation: number;
  readonly rows: RowCounts;
  /** Lines that are no records and were passed over on purpose: comments, and those of `skip_lines`. */
  readonly lines_skipped: number;
  /** Records that were passed over on purpose, by rule (footer, repeated_header); together `rows.skipped`. */
  readonly rows_skipped: Readonly<Record<string, number>>;
  readonly errors: readonly ErrorGroup[];
  readonly error: ReportedError | null;
  /** What was accepted and is worth knowing. */
  readonly drift: readonly DriftNote[];
  readonly discovered_at: string;
  readonly finished_at: string | null;
  readonly seconds: { readonly settle: number; readonly land: number; readonly load: number };
}

/** `files show --json`. */
export interface FileDetail extends FileReport {
  readonly history: readonly HistoryEntry[];
  readonly actions: readonly ActionEntry[];
}

export interface HistoryEntry {
  readonly at: string;
  readonly from: string | null;
  readonly to: string;
  /** `daemon`, `run`, `cli:USER` ... */
  readonly actor: string;
  readonly reason: string;
}

export interface ActionEntry {
  readonly action: string;
  readonly state: 'pending' | 'done' | 'dropped';
  readonly attempts: number;
  readonly detail: string | null;
  readonly at: string;
}
