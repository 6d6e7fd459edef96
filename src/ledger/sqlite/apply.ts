import { arrivedUs } from '../../core/entry.js';
import type { Change, EntryFields } from '../rules/changes.js';
import { changeState, freeWaiting, type Cause } from './change.js';
import { fromIsoOrNull, int, sha, storedBefore } from './entry-rows.js';
import { rememberPacked } from './packed.js';
import { restoreLive, setStatus, writeReceipt } from './receipt-rows.js';
import type { Store, Value } from './store/store.js';

/** Carries out what a rule decided, inside a write. */
export function apply(store: Store, changes: readonly Change[], cause: Cause): void {
  for (const change of changes) applyOne(store, change, cause);
}

function applyOne(store: Store, change: Change, cause: Cause): void {
  switch (change.kind) {
    case 'set':
      set(store, change.fileId, change.fields, cause.at);
      return;
    case 'state': {
      const reason = change.reason ?? cause.reason;
      changeState(store, change.fileId, change.from, change.to, { ...cause, reason });
      return;
    }
    case 'packed':
      rememberPacked(store, feedOf(store, change.fileId), change.sha256, change.content);
      return;
    case 'free-waiting':
      freeWaiting(store, change.fileId);
      return;
    case 'plan-action':
      planAction(store, change, cause.at);
      return;
    case 'drop-actions':
      store.run(
        `update action set state = 'dropped', detail = ?, at = ? where file_id = ? and state = 'pending'`,
        change.reason,
        cause.at,
        change.fileId,
      );
      return;
    case 'detail':
      writeDetail(store, change);
      return;
    case 'receipt':
      writeReceipt(store, { ...change, feed: feedOf(store, change.fileId), sha256: null });
      return;
    case 'receipt-status':
      setStatus(store, change.loadKey, change.status);
      return;
    case 'show-live':
      restoreLive(store, change.fileId);
      return;
    case 'rename-original':
      store.run(
        `update entry set duplicate_of = ? where duplicate_of = ? and state = 'duplicate'`,
        change.to,
        change.from,
      );
      return;
    case 'newest-load':
      store.run('update feed set last_loaded = ? where feed_id = ?', change.fileId, feedOf(store, change.fileId));
  }
}

const feedOf = (store: Store, fileId: number): number =>
  int(store.get('select feed_id from entry where file_id = ?', fileId) ?? {}, 'feed_id');

function planAction(store: Store, { fileId, action }: Extract<Change, { kind: 'plan-action' }>, at: number): void {
  store.run(
    'insert into action (file_id, kind, argument, companions, at, retry_at) values (?, ?, ?, ?, ?, ?)',
    fileId,
    action.kind,
    action.argument,
    JSON.stringify(action.companions),
    at,
    at,
  );
}

/** Kept beside the entry: nearly all files have neither errors nor drift. */
function writeDetail(store: Store, { fileId, errors, drift }: Extract<Change, { kind: 'detail' }>): void {
  store.run('delete from detail where file_id = ?', fileId);
  if (errors.length + drift.length > 0)
    store.run('insert into detail values (?, ?, ?)', fileId, JSON.stringify(errors), JSON.stringify(drift));
}

/** Statements are few: each rule sets the same fields each time, and the store prepares a text once. */
function set(store: Store, fileId: number, fields: EntryFields, at: number): void {
  const given = columns(fields, at).filter((pair): pair is readonly [string, Value] => pair[1] !== undefined);
  if (given.length === 0) return;
  const names = given.map(([column]) => `${column} = ?`).join(', ');
  store.run(`update entry set ${names} where file_id = ?`, ...given.map(([, value]) => value), fileId);
}

/** Undefined = the field is omitted, the column stays. */
function columns(f: EntryFields, at: number): readonly (readonly [string, Value | undefined])[] {
  return [
    ['size', f.file?.size],
    ['mtime_us', f.file?.mtimeUs],
    ['arrived_us', f.file && arrivedUs(f.file.mtimeUs, at)],
    ['version', f.file?.version],
    ['sha256', written(f.sha256, sha)],
    ['plain', written(f.plain, Number)],
    ['attempts', f.attempts],
    ['generation', f.generation],
    ['load_id', f.loadId],
    ['load_key', f.loadKey],
    ['live_load_id', written(f.live, (live) => live.loadId)],
    ['live_read', written(f.live, (live) => live.read)],
    ['duplicate_of', f.duplicateOf],
    ['replaces', written(f.replaces, JSON.stringify)],
    ['released', written(f.released, Number)],
    ['duplicate_allowed', written(f.duplicateAllowed, Number)],
    ['after_action', written(f.afterAction, Number)],
    ['landed_path', f.landedPath],
    ['owner', f.owner],
    ['marker', f.marker],
    ['settle_s', f.settleSeconds],
    ['land_s', f.seconds?.land],
    ['load_s', f.seconds?.load],
    ['wait_for', f.waitFor],
    ['before', written(f.before, storedBefore)],
    ['rows_read', f.rows?.read],
    ['rows_loaded', f.rows?.loaded],
    ['rows_quarantined', f.rows?.quarantined],
    ['rows_skipped', f.rows?.skipped],
    ['rows_declared', f.rows?.declared],
    ['rows_delta', f.rows?.delta],
    ['error', written(f.error, JSON.stringify)],
    ['finished_at', written(f.finishedAt, fromIsoOrNull)],
    ['retry_at', f.retryAt],
    ['death_chunk', f.deaths === null ? -1 : undefined],
    ['death_count', f.deaths === null ? 0 : undefined],
  ];
}

function written<T extends object | string | boolean>(
  value: T | null | undefined,
  write: (value: T) => Value,
): Value | undefined {
  return value === undefined || value === null ? value : write(value);
}
