import { TallymanError } from '../../core/errors.js';
import type { FileEntry } from '../../core/entry.js';
import { isOpen, type FileState } from '../../core/states.js';
import { ENTRY, toEntry } from './entry-rows.js';
import type { Row, Store } from './store/store.js';

/** Who changes what, for the history. */
export interface Cause {
  readonly actor: string;
  readonly reason: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

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

function note(store: Store, fileId: number, from: FileState | null, to: FileState, cause: Cause): void {
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
