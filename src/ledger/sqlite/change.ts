import { TallymanError } from '../../core/errors.js';
import type { FileEntry } from '../../core/entry.js';
import { OPEN_STATES, type FileState } from '../../core/states.js';
import { restoreLive } from './receipt-rows.js';
import { before, ENTRY, toEntry, type Before } from './entry-rows.js';
import type { Row, Store } from './store/store.js';

/** Who changes what, for the history. */
export interface Cause {
  readonly actor: string;
  readonly reason: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

export const isOpen = (state: FileState): boolean => OPEN_STATES.some((open) => open === state);

export function findEntry(store: Store, fileId: number): FileEntry | null {
  const row = store.get(`${ENTRY} where file_id = ?`, fileId);
  return row === null ? null : toEntry(row);
}

export function mustFind(store: Store, fileId: number): FileEntry {
  return toEntry(mustFindRow(store, fileId));
}

export function mustFindRow(store: Store, fileId: number): Row {
  const row = store.get(`${ENTRY} where file_id = ?`, fileId);
  if (row === null) throw new TallymanError('UNKNOWN_FILE', `The ledger knows no file ${fileId}.`);
  return row;
}

export function wrongState(entry: FileEntry, wanted: string): TallymanError {
  return new TallymanError(
    'WRONG_STATE',
    `File ${entry.fileId} (${entry.feed}: ${entry.file.path}) is ${entry.state}; ${wanted}.`,
  );
}

/**
 * The only place where an entry's state changes: writes the history and frees those that wait for this entry when it is
 * no longer on its way to an end (they decide again; a wait too many costs one decision, a wait too few would be for
 * ever).
 */
export function changeState(store: Store, fileId: number, from: FileState | null, to: FileState, cause: Cause): void {
  if (from !== null && from !== to) store.run('update entry set state = ? where file_id = ?', to, fileId);
  note(store, fileId, from, to, cause);
  if (from !== null && !(isOpen(from) && isOpen(to))) freeWaiting(store, fileId);
}

export function note(store: Store, fileId: number, from: FileState | null, to: FileState, cause: Cause): void {
  store.run(
    'insert into history values (?, (select coalesce(max(seq), 0) + 1 from history where file_id = ?), ?, ?, ?, ?, ?)',
    fileId,
    fileId,
    cause.at,
    from,
    to,
    cause.actor,
    cause.reason,
  );
}

export function freeWaiting(store: Store, fileId: number): void {
  store.run('update entry set wait_for = null where wait_for = ?', fileId);
}

/**
 * An end -> `discovered`: the end is remembered, its pending actions are dropped (a file that is to be loaded must not
 * be deleted under the load).
 */
export function takeAgain(store: Store, entry: FileEntry, cause: Cause): void {
  if (isOpen(entry.state)) throw wrongState(entry, 'it is on its way already');
  const was = {
    state: entry.state,
    generation: entry.generation,
    attempts: entry.attempts,
    finishedAt: entry.finishedAt === null ? null : Date.parse(entry.finishedAt),
    error: entry.error,
  };
  store.run(
    'update entry set before = ?, finished_at = null, retry_at = null, error = null, wait_for = null, duplicate_of = null, death_chunk = -1, death_count = 0 where file_id = ?',
    JSON.stringify(was),
    entry.fileId,
  );
  dropActions(store, entry.fileId, 'the file is taken again', cause.at);
  changeState(store, entry.fileId, entry.state, 'discovered', cause);
}

/** What takeAgain did, undone. */
export function backToEnd(store: Store, row: Row, cause: Cause): void {
  const entry = toEntry(row);
  const was = before(row);
  if (was === null || !isOpen(entry.state)) throw wrongState(entry, 'it has no earlier end to go back to');
  setBack(store, entry.fileId, was);
  if (was.state === 'loaded' && entry.liveLoadId !== null) restoreLive(store, entry);
  changeState(store, entry.fileId, entry.state, was.state, cause);
}

function setBack(store: Store, fileId: number, was: Before): void {
  store.run(
    `update entry set before = null, generation = ?, attempts = ?, finished_at = ?, error = ?, released = 0, retry_at = null, wait_for = null, owner = null, landed_path = null
     where file_id = ?`,
    was.generation,
    was.attempts,
    was.finishedAt,
    was.error === null ? null : JSON.stringify(was.error),
    fileId,
  );
}

export function dropActions(store: Store, fileId: number, detail: string, at: number): void {
  store.run(
    `update action set state = 'dropped', detail = ?, at = ? where file_id = ? and state = 'pending'`,
    detail,
    at,
    fileId,
  );
}
