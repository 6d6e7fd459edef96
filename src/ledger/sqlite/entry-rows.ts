import { TallymanError } from '../../core/errors.js';
import type { SeenFile } from '../../core/file.js';
import type { FileEntry } from '../../core/entry.js';
import { DAEMON, type Lease } from '../../core/ledger/workers.js';
import type { ReportedError, RowCounts } from '../../core/report.js';
import { END_STATES, FILE_STATES, type FileState } from '../../core/states.js';
import type { Before } from '../rules/changes.js';
import type { Row } from './store/store.js';

/** What stands before an entry's `where`. */
export const ENTRY = 'select e.*, f.name as feed from entry e join feed f using (feed_id)';

/** The same by a partial index that the planner would not choose by itself. */
export const entryBy = (index: string): string =>
  `select e.*, f.name as feed from entry e indexed by ${index} join feed f using (feed_id)`;

export function toEntry(row: Row): FileEntry {
  return {
    fileId: int(row, 'file_id'),
    feed: text(row, 'feed'),
    file: {
      path: text(row, 'path'),
      size: int(row, 'size'),
      mtimeUs: intOrNull(row, 'mtime_us'),
      version: text(row, 'version'),
    },
    arrivedUs: intOrNull(row, 'arrived_us'),
    uri: text(row, 'uri'),
    sha256: hexOf(row, 'sha256'),
    state: state(row, 'state'),
    attempts: int(row, 'attempts'),
    generation: int(row, 'generation'),
    loadId: intOrNull(row, 'load_id'),
    liveLoadId: intOrNull(row, 'live_load_id'),
    loadKey: textOrNull(row, 'load_key'),
    duplicateOf: intOrNull(row, 'duplicate_of'),
    replaces: numbers(json(row, 'replaces')),
    released: flag(row, 'released'),
    duplicateAllowed: flag(row, 'duplicate_allowed'),
    afterAction: flag(row, 'after_action'),
    movedTo: seenFile(json(row, 'moved_to')),
    deleted: flag(row, 'deleted'),
    landedPath: textOrNull(row, 'landed_path'),
    owner: textOrNull(row, 'owner'),
    lease: lease(row),
    marker: textOrNull(row, 'marker'),
    waitFor: intOrNull(row, 'wait_for'),
    before: before(row)?.state ?? null,
    rows: rowCounts(row),
    error: reportedError(json(row, 'error')),
    discoveredAt: iso(int(row, 'discovered_at')),
    finishedAt: isoOrNull(row, 'finished_at'),
    retryAt: isoOrNull(row, 'retry_at'),
    deaths: { chunk: int(row, 'death_chunk'), count: int(row, 'death_count') },
  };
}

const IN_HAND: readonly FileState[] = ['landing', 'landed', 'loading'];

/** Whoever it is reserved for has it in hand: nobody else can claim it. */
function lease(row: Row): Lease | null {
  if (!IN_HAND.includes(state(row, 'state'))) return null;
  return { worker: textOrNull(row, 'owner') ?? DAEMON, attempt: int(row, 'attempts'), until: null };
}

export function before(row: Row): Before | null {
  const value = json(row, 'before');
  if (!isObject(value)) return null;
  const was = END_STATES.find((end) => end === value['state']);
  const [generation, attempts, finishedAt] = [value['generation'], value['attempts'], value['finishedAt']];
  if (was === undefined || typeof generation !== 'number' || typeof attempts !== 'number') throw malformed('before');
  return {
    state: was,
    generation,
    attempts,
    finishedAt: typeof finishedAt === 'number' ? iso(finishedAt) : null,
    error: reportedError(value['error']),
  };
}

/** As before() reads it. */
export const storedBefore = (was: Before): string =>
  JSON.stringify({ ...was, finishedAt: fromIsoOrNull(was.finishedAt) });

/** Columns rows_read ... of entry or receipt. A receipt has no delta: a committed load's is 0. */
export function rowCounts(row: Row): RowCounts {
  return {
    read: int(row, 'rows_read'),
    loaded: int(row, 'rows_loaded'),
    quarantined: int(row, 'rows_quarantined'),
    skipped: int(row, 'rows_skipped'),
    declared: intOrNull(row, 'rows_declared'),
    delta: 'rows_delta' in row ? intOrNull(row, 'rows_delta') : 0,
  };
}

export function int(row: Row, column: string): number {
  const value = row[column];
  if (typeof value !== 'number') throw malformed(column);
  return value;
}

/** Any number: SQLite gives whole reals as they are. */
export const real = int;

export function intOrNull(row: Row, column: string): number | null {
  return row[column] === null ? null : int(row, column);
}

export function text(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== 'string') throw malformed(column);
  return value;
}

export function textOrNull(row: Row, column: string): string | null {
  return row[column] === null ? null : text(row, column);
}

export function state(row: Row, column: string): FileState {
  const value = row[column];
  const found = FILE_STATES.find((name) => name === value);
  if (found === undefined) throw malformed(column);
  return found;
}

export const flag = (row: Row, column: string): boolean => int(row, column) === 1;

export const iso = (ms: number): string => new Date(ms).toISOString();

export function isoOrNull(row: Row, column: string): string | null {
  const ms = intOrNull(row, column);
  return ms === null ? null : iso(ms);
}

/** ISO 8601 to milliseconds; USAGE when it is no time. */
export function fromIso(time: string): number {
  const ms = Date.parse(time);
  if (Number.isNaN(ms))
    throw new TallymanError('USAGE', `"${time}" is not a time. Use ISO 8601, for example 2026-11-20T06:00:00Z.`);
  return ms;
}

export const fromIsoOrNull = (time: string | null): number | null => (time === null ? null : fromIso(time));

export const sha = (hex: string | null): Buffer | null => (hex === null ? null : Buffer.from(hex, 'hex'));

export function json(row: Row, column: string): unknown {
  const value = textOrNull(row, column);
  return value === null ? null : JSON.parse(value);
}

export function reportedError(value: unknown): ReportedError | null {
  if (!isObject(value)) return null;
  const { code, message, fix } = value;
  if (typeof code !== 'string' || typeof message !== 'string' || typeof fix !== 'string') throw malformed('error');
  return { code, message, fix };
}

export function numbers(value: unknown): readonly number[] {
  if (!Array.isArray(value) || !value.every((item): item is number => typeof item === 'number'))
    throw malformed('replaces');
  return value;
}

function seenFile(value: unknown): SeenFile | null {
  if (!isObject(value)) return null;
  const { path, size, mtimeUs, version } = value;
  if (typeof path !== 'string' || typeof size !== 'number' || typeof version !== 'string') throw malformed('moved_to');
  return { path, size, version, mtimeUs: typeof mtimeUs === 'number' ? mtimeUs : null };
}

/** A blob as lower-case hex; null stays null. */
export function hexOf(row: Row, column: string): string | null {
  const value = row[column];
  if (value === null) return null;
  if (!Buffer.isBuffer(value)) throw malformed(column);
  return value.toString('hex');
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const malformed = (column: string): TallymanError =>
  new TallymanError('LEDGER_UNUSABLE', `The ledger holds a row whose "${column}" is not what it should be.`);
