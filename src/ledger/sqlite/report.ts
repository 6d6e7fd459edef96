import { ERROR_CLASSES } from '../../core/batch.js';
import { TallymanError } from '../../core/errors.js';
import type { DriftNote } from '../../core/format.js';
import { toldDrift, type ErrorGroup, type FileReport } from '../../core/report.js';
import {
  isObject,
  reportedError,
  rowCounts,
  hexOf,
  int,
  intOrNull,
  iso,
  isoOrNull,
  json,
  real,
  state,
  text,
} from './entry-rows.js';
import type { Row } from './store/store.js';

/** What stands before the `where` of a report: the entry, its feed, its errors and drift. */
export const REPORT = `select e.*, f.name as feed, p.content_sha256 as content_sha256, d.errors as errors, d.drift as drift
  from entry e join feed f using (feed_id) left join detail d using (file_id)
    left join packed p on p.feed_id = e.feed_id and p.sha256 = e.sha256`;

/** The file report (docs/spec/commands.md#a-file-report), field by field and in its order. */
export function toReport(row: Row): FileReport {
  const mtimeUs = intOrNull(row, 'mtime_us');
  const { drift, lines_skipped, rows_skipped } = toldDrift(driftNotes(row));
  return {
    message_type: 'file',
    file_id: int(row, 'file_id'),
    feed: text(row, 'feed'),
    uri: text(row, 'uri'),
    path: text(row, 'path'),
    size: int(row, 'size'),
    mtime: mtimeUs === null ? null : iso(Math.floor(mtimeUs / 1_000)),
    sha256: hexOf(row, 'sha256'),
    content_sha256: hexOf(row, 'content_sha256') ?? (intOrNull(row, 'plain') === 1 ? hexOf(row, 'sha256') : null),
    state: state(row, 'state'),
    attempts: int(row, 'attempts'),
    load_id: intOrNull(row, 'load_id'),
    duplicate_of: intOrNull(row, 'duplicate_of'),
    generation: int(row, 'generation'),
    rows: rowCounts(row),
    lines_skipped,
    rows_skipped,
    errors: errorGroups(json(row, 'errors')),
    error: reportedError(json(row, 'error')),
    drift,
    discovered_at: iso(int(row, 'discovered_at')),
    finished_at: isoOrNull(row, 'finished_at'),
    seconds: { settle: real(row, 'settle_s'), land: real(row, 'land_s'), load: real(row, 'load_s') },
  };
}

function errorGroups(value: unknown): readonly ErrorGroup[] {
  return list(value).map((item) => {
    const errorClass = ERROR_CLASSES.find((name) => name === item['class']);
    const { column, rows, first_row, first_line, example, message } = item;
    if (
      errorClass === undefined ||
      typeof rows !== 'number' ||
      typeof first_row !== 'number' ||
      typeof first_line !== 'number' ||
      typeof message !== 'string'
    )
      throw malformed('errors');
    return {
      class: errorClass,
      column: textOr(column),
      rows,
      first_row,
      first_line,
      example: textOr(example),
      message,
    };
  });
}

const DRIFT_KINDS: readonly DriftNote['kind'][] = [
  'unknown',
  'missing',
  'renamed',
  'reordered',
  'retyped',
  'added',
  'ignored',
  'dialect',
  'mtime',
  'beside',
  'unterminated',
  'passed',
];

function driftNotes(row: Row): readonly DriftNote[] {
  return list(json(row, 'drift')).map((item) => {
    const kind = DRIFT_KINDS.find((name) => name === item['kind']);
    const { column, message, lines, rows } = item;
    if (kind === undefined || typeof column !== 'string' || typeof message !== 'string') throw malformed('drift');
    return {
      kind,
      column,
      message,
      ...(typeof lines === 'number' ? { lines } : {}),
      ...(typeof rows === 'number' ? { rows } : {}),
    };
  });
}

function list(value: unknown): readonly Record<string, unknown>[] {
  if (value === null) return [];
  if (!Array.isArray(value) || !value.every(isObject)) throw malformed('detail');
  return value;
}

const textOr = (value: unknown): string | null => (typeof value === 'string' ? value : null);

const malformed = (what: string): TallymanError =>
  new TallymanError('LEDGER_UNUSABLE', `The ledger holds ${what} that are not what they should be.`);
