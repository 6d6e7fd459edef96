import { TallymanError } from '../../core/errors.js';
import type { EntryChange, NewRequest, Request, RequestKind, Requests } from '../../core/ledger/requests.js';
import type { FileEntry } from '../../core/entry.js';
import type { FileState } from '../../core/states.js';
import { changeState, dropActions, mustFind, takeAgain, wrongState, type Cause } from './change.js';
import { setStatus, receiptsOf } from './receipt-rows.js';
import { requestAllowed } from '../rules/request-rules.js';
import { flag, int, intOrNull, iso, text } from './entry-rows.js';
import type { Row, Store } from './store/store.js';

const KINDS: readonly RequestKind[] = ['reprocess', 'clear', 'retry', 'release', 'ignore'];
const REQUESTS_AT_ONCE = 1_000;

/** What operators ask for, and how it is carried out. */
export function requests(store: Store): Requests {
  return {
    request: (request) => store.write(() => ask(store, request)),
    openRequests: (limit = REQUESTS_AT_ONCE) =>
      store.read(() =>
        store.all('select * from request where closed_at is null order by request_id limit ?', limit).map(toRequest),
      ),
    closeRequest: (requestId, result) =>
      store.write(() => {
        const { changes } = store.run(
          'update request set closed_at = ?, ok = ?, message = ? where request_id = ?',
          store.now(),
          result.ok ? 1 : 0,
          result.message,
          requestId,
        );
        if (changes === 0) throw new TallymanError('USAGE', `The ledger knows no request ${requestId}.`);
      }),
    requestResult: (requestId) =>
      store.read(() => {
        const row = store.get('select closed_at, ok, message from request where request_id = ?', requestId);
        return row === null || intOrNull(row, 'closed_at') === null
          ? null
          : { ok: flag(row, 'ok'), message: text(row, 'message') };
      }),
    transition: (fileId, to, change, actor, reason) =>
      store.write(() => transition(store, fileId, to, change, { actor, reason, at: store.now() })),
  };
}

function ask(store: Store, request: NewRequest): number {
  const refused = requestAllowed(request.kind, mustFind(store, request.fileId));
  if (refused !== null) throw refused;
  const equal = store.value(
    'select request_id from request where closed_at is null and kind = ? and file_id = ?',
    request.kind,
    request.fileId,
  );
  if (typeof equal === 'number') return equal;
  return store.run(
    'insert into request (kind, file_id, actor, reason, created_at) values (?, ?, ?, ?, ?)',
    request.kind,
    request.fileId,
    request.actor,
    request.reason,
    store.now(),
  ).lastId;
}

function transition(store: Store, fileId: number, to: FileState, change: EntryChange, cause: Cause): FileEntry {
  const entry = mustFind(store, fileId);
  if (entry.state === 'loading' || to === 'loading' || to === 'landing' || to === 'landed' || to === 'loaded')
    throw wrongState(entry, `it cannot be made ${to}`);
  if (to === 'discovered') {
    takeAgain(store, entry, cause);
  } else {
    // Only what leaves an end keeps the time at which it came there.
    store.run(
      'update entry set finished_at = coalesce(finished_at, ?), retry_at = null, wait_for = null, owner = null, before = null where file_id = ?',
      cause.at,
      fileId,
    );
    if (to === 'cleared') {
      clearLive(store, entry);
      dropActions(store, fileId, 'the file was cleared', cause.at);
    }
    changeState(store, fileId, entry.state, to, cause);
  }
  if (change.liveLoadId === null)
    store.run('update entry set live_load_id = null, live_read = null where file_id = ?', fileId);
  apply(store, fileId, change);
  return mustFind(store, fileId);
}

/**
 * Its rows stay in staging until a later load of the path or content replaces them, so the entry keeps that load's id.
 */
function clearLive(store: Store, entry: FileEntry): void {
  if (entry.liveLoadId === null) return;
  for (const receipt of receiptsOf(store, entry.liveLoadId, ['loaded'])) {
    if (receipt.fileId === entry.fileId) setStatus(store, receipt.loadKey, 'cleared');
  }
  store.run(
    'update entry set load_id = live_load_id, live_load_id = null, live_read = null where file_id = ?',
    entry.fileId,
  );
}

function apply(store: Store, fileId: number, change: EntryChange): void {
  const set = (column: string, value: string | number | null): void => {
    store.run(`update entry set ${column} = ? where file_id = ?`, value, fileId);
  };
  if (change.replaces !== undefined) set('replaces', JSON.stringify(change.replaces));
  if (change.released !== undefined) set('released', change.released ? 1 : 0);
  if (change.generation !== undefined) set('generation', change.generation);
  if (change.duplicateAllowed !== undefined) set('duplicate_allowed', change.duplicateAllowed ? 1 : 0);
  if (change.afterAction !== undefined) set('after_action', change.afterAction ? 1 : 0);
  if (change.attempts !== undefined) set('attempts', change.attempts);
  if (change.error !== undefined) set('error', change.error === null ? null : JSON.stringify(change.error));
}

function toRequest(row: Row): Request {
  const kind = KINDS.find((name) => name === row['kind']);
  if (kind === undefined) throw new TallymanError('LEDGER_UNUSABLE', 'The ledger holds a request of an unknown kind.');
  return {
    requestId: int(row, 'request_id'),
    kind,
    fileId: int(row, 'file_id'),
    actor: text(row, 'actor'),
    reason: text(row, 'reason'),
    createdAt: iso(int(row, 'created_at')),
  };
}
