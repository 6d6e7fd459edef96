import type { Unmatched } from '../flow/unmatched.js';
import type { FileReport } from '../core/report.js';
import { END_STATES } from '../core/states.js';

/** What the summary needs of a report; a run of 1,000,000 files keeps no more than this. */
export type KeptReport = Pick<FileReport, 'file_id' | 'feed' | 'state' | 'rows' | 'error' | 'size'>;

export interface RunSummary {
  readonly message_type: 'summary';
  /** Files by the state that they ended in, `waiting`, and `not_taken`. */
  readonly files: Readonly<Record<string, number>>;
  /** Of files that were loaded or checked. */
  readonly rows: Readonly<Record<(typeof COUNTS)[number], number>>;
  /** Files in the folders that no pattern wants; null = not looked at. */
  readonly unmatched: Unmatched | null;
  readonly exit_code: number;
}

const COUNTS = ['read', 'loaded', 'quarantined', 'skipped', 'delta'] as const;

/** The last document of a run. */
export function runSummary(
  reports: readonly KeptReport[],
  left: { readonly waiting: number; readonly notTaken: number },
  exitCode: number,
  unmatched: Unmatched | null = null,
): RunSummary {
  const files: Record<string, number> = Object.fromEntries(END_STATES.map((state) => [state, 0]));
  const rows = { read: 0, loaded: 0, quarantined: 0, skipped: 0, delta: 0 };
  for (const report of reports) {
    files[report.state] = (files[report.state] ?? 0) + 1;
    if (isCounted(report)) for (const key of COUNTS) rows[key] += report.rows[key] ?? 0;
  }
  return {
    message_type: 'summary',
    files: { ...files, waiting: left.waiting, not_taken: left.notTaken },
    rows,
    unmatched,
    exit_code: exitCode,
  };
}

/** Rows and bytes of the total are those of files that were read to their end. */
export const isCounted = ({ state, error }: KeptReport): boolean =>
  state === 'loaded' || (state === 'checked' && error === null);
