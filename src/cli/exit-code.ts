import type { TallymanError } from '../core/errors.js';
import type { FileReport } from '../core/report.js';

/** Which exit code wins when several apply (docs/spec/commands.md#exit-codes). */
const ORDER = [78, 11, 4, 6, 1, 5, 3, 0] as const;

/**
 * The exit code of a run: 1 a file failed or was rejected (also an attempt that will be tried again), 4 a tally did not
 * balance, 3 rows were quarantined, files held or not taken, and the codes of what could not be reached or did not fit.
 */
export function exitCode(outcome: {
  readonly reports: readonly Pick<FileReport, 'state' | 'error' | 'rows'>[];
  readonly errors: readonly TallymanError[];
  /** Files that the listings did not take. */
  readonly notTaken?: number;
}): number {
  const codes = new Set<number>(outcome.errors.map((error) => error.exit));
  if ((outcome.notTaken ?? 0) > 0) codes.add(3);
  for (const { state, error, rows } of outcome.reports) {
    if (error?.code === 'TALLY_MISMATCH') codes.add(4);
    else if (state === 'failed' || state === 'rejected' || (error !== null && state !== 'loaded')) codes.add(1);
    // `load` of content that is held under another name waits, as that one does, for a person.
    if (
      state === 'held' ||
      (state === 'discovered' && error === null) ||
      (rows.quarantined > 0 && (state === 'loaded' || state === 'checked'))
    )
      codes.add(3);
  }
  return ORDER.find((code) => codes.has(code)) ?? [...codes][0] ?? 0;
}
