import { TallymanError } from '../core/errors.js';
import type { LimitsSpec } from '../core/feed/limits.js';
import { isUnterminated } from './read/text-end.js';

/**
 * From this record on the ratio is judged while reading too; before it a few bad rows at the top would say little
 * (docs/spec/limits.md).
 */
const RATIO_FROM = 10_000;

const percent = (bad: number, read: number): string => `${((100 * bad) / read).toFixed(1)} %`;

/**
 * Judges the counts after each batch: a file that cannot pass any more is not read to its end. Throws
 * TOO_MANY_BAD_ROWS.
 */
export function judgeWhileReading(limits: LimitsSpec, read: number, bad: number): void {
  if (limits.badRows !== null && bad > limits.badRows) throw tooManyRows(limits.badRows, read, bad);
  if (limits.badRatio !== null && read >= RATIO_FROM && bad > limits.badRatio * read)
    throw tooLargeRatio(limits.badRatio, read, bad);
}

/** Judges the counts of the whole file. Throws TOO_MANY_BAD_ROWS, TOO_FEW_ROWS. */
export function judgeAtEnd(limits: LimitsSpec, read: number, bad: number): void {
  if (limits.badRows !== null && bad > limits.badRows) throw tooManyRows(limits.badRows, read, bad);
  if (limits.badRatio !== null && bad > limits.badRatio * read) throw tooLargeRatio(limits.badRatio, read, bad);
  if (read < limits.minRows)
    throw new TallymanError('TOO_FEW_ROWS', `${read} rows, at least ${limits.minRows} are wanted (limits.min_rows)`);
}

/** Judges how the text ended. Throws UNTERMINATED. */
export function judgeEnd(limits: LimitsSpec, dialect: Readonly<Record<string, unknown>>): void {
  if (limits.unterminated === 'reject' && isUnterminated(dialect))
    throw new TallymanError('UNTERMINATED', 'the last line has no line end (limits.unterminated: reject)');
}

/** Rows that only PostgreSQL refused. Throws TOO_MANY_DATABASE_ROWS. */
export function judgeDatabaseRows(limits: LimitsSpec, refused: number, example: string): void {
  if (refused > limits.databaseRows)
    throw new TallymanError(
      'TOO_MANY_DATABASE_ROWS',
      `PostgreSQL refused more than ${limits.databaseRows} rows (limits.database_rows); the last: ${example}`,
    );
}

function tooManyRows(limit: number, read: number, bad: number): TallymanError {
  return new TallymanError(
    'TOO_MANY_BAD_ROWS',
    `${bad} of ${read} rows were refused, at most ${limit} may be (limits.bad_rows)`,
  );
}

function tooLargeRatio(limit: number, read: number, bad: number): TallymanError {
  return new TallymanError(
    'TOO_MANY_BAD_ROWS',
    `${bad} of ${read} rows were refused (${percent(bad, read)}), at most ${percent(limit, 1)} may be (limits.bad_ratio)`,
  );
}
