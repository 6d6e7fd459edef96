import type { FileEntry } from '../../core/entry.js';
import { changeState, findEntry, isOpen, mustFind, takeAgain, type Cause } from './change.js';
import { receiptsOf, restoreLive, setStatus } from './receipt-rows.js';
import { int, toEntry } from './entry-rows.js';
import type { Store } from './store/store.js';

/** What an end does to other entries (IDs). Gathered while it happens. */
export interface Consequences {
  readonly superseded: number[];
  /** Of these, older snapshots that had not ended before. */
  readonly closed: number[];
  readonly reopened: number[];
}

/**
 * Older snapshots closed with one end at most; the decision table closes the others when their turn comes. Keeps the
 * transaction short.
 */
const SNAPSHOTS_AT_ONCE = 5_000;

/** The load that replaces: one of ours, or (fileId null) one that another instance wrote. */
export interface Replacing {
  readonly fileId: number | null;
  readonly loadKey: string | null;
  readonly path: string;
  readonly sha256: string | null;
}

/**
 * The loads and rejections that went in this load's (or rejection's) transaction: their receipts are `superseded` in
 * PostgreSQL, so are their entries here.
 */
export function supersedeReplaced(
  store: Store,
  by: Replacing,
  loadIds: readonly number[],
  cause: Cause,
  done: Consequences,
): void {
  for (const loadId of loadIds) {
    for (const receipt of receiptsOf(store, loadId, REPLACEABLE)) {
      if (receipt.loadKey === by.loadKey) continue;
      setStatus(store, receipt.loadKey, 'superseded');
      const old = receipt.fileId === null || receipt.fileId === by.fileId ? null : findEntry(store, receipt.fileId);
      if (old === null) continue;
      if (old.state === 'rejected' && old.loadId === loadId)
        supersedeBad(store, old, `replaced by ${nameOf(by)}`, cause, done);
      else supersede(store, old, loadId, by, cause, done);
    }
  }
}

const REPLACEABLE = ['loaded', 'cleared', 'rejected'] as const;

function supersede(
  store: Store,
  old: FileEntry,
  loadId: number,
  by: Replacing,
  cause: Cause,
  done: Consequences,
): void {
  const wasLive = old.liveLoadId === loadId;
  if (!wasLive && !(old.state === 'cleared' && old.loadId === loadId)) return;
  store.run('update entry set live_load_id = null, live_read = null where file_id = ?', old.fileId);
  // Open: it is being taken again and will be decided; only its old rows are gone.
  if (!isOpen(old.state)) {
    changeState(store, old.fileId, old.state, 'superseded', { ...cause, reason: `replaced by ${nameOf(by)}` });
    done.superseded.push(old.fileId);
  }
  if (old.sha256 !== null && old.sha256 === by.sha256) {
    store.run(
      `update entry set duplicate_of = ? where duplicate_of = ? and state = 'duplicate'`,
      by.fileId,
      old.fileId,
    );
  } else {
    reopenDuplicates(store, old, by, cause, done);
  }
}

const nameOf = (by: Replacing): string => (by.fileId === null ? 'a load of another instance' : `file ${by.fileId}`);

/**
 * "When other content replaces a load, its duplicates on other paths come back as `discovered`." Not those whose bytes
 * are known to be gone (deleted, or another version stands under the path): they would only end as vanished.
 */
function reopenDuplicates(store: Store, old: FileEntry, by: Replacing, cause: Cause, done: Consequences): void {
  const rows = store.all(
    `select file_id from entry e where duplicate_of = ? and state = 'duplicate' and deleted = 0 and path <> ? and path <> ?
     and (moved_to is not null or not exists (select 1 from entry n where n.feed_id = e.feed_id and n.path = e.path and n.file_id > e.file_id))`,
    old.fileId,
    old.file.path,
    by.path,
  );
  for (const row of rows) {
    const fileId = int(row, 'file_id');
    takeAgain(store, mustFind(store, fileId), {
      ...cause,
      reason: `file ${old.fileId}, of the same content, was replaced by ${nameOf(by)}`,
    });
    // Its turn is a first one: nothing of it was ever loaded.
    store.run('update entry set attempts = 0 where file_id = ?', fileId);
    done.reopened.push(fileId);
  }
}

/** "A later loaded version turns the path's earlier rejected or failed ones into `superseded`." */
export function supersedeEarlierBad(store: Store, by: FileEntry, feed: number, cause: Cause, done: Consequences): void {
  const rows = store.all(
    `select file_id from entry where feed_id = ? and path = ? and state in ('rejected', 'failed') and file_id < ?`,
    feed,
    by.file.path,
    by.fileId,
  );
  for (const row of rows)
    supersedeBad(
      store,
      mustFind(store, int(row, 'file_id')),
      `file ${by.fileId}, a later version of the path, is loaded`,
      cause,
      done,
    );
}

/** A rejected or failed version that nobody need look at any more. */
export function supersedeBad(store: Store, bad: FileEntry, reason: string, cause: Cause, done: Consequences): void {
  if (bad.liveLoadId === null) {
    changeState(store, bad.fileId, bad.state, 'superseded', { ...cause, reason });
    done.superseded.push(bad.fileId);
    return;
  }
  // Rejected was only its reprocess: the rows of the load before are in staging and stay there.
  restoreLive(store, bad);
  store.run('delete from detail where file_id = ?', bad.fileId);
  changeState(store, bad.fileId, bad.state, 'loaded', { ...cause, reason: `${reason}; load ${bad.liveLoadId} stays` });
}

/** Snapshot feeds: "an older one becomes `superseded` and touches nothing". */
export function closeOlderSnapshots(store: Store, by: FileEntry, feed: number, cause: Cause, done: Consequences): void {
  const rows = store.all(
    `select e.*, f.name as feed from entry e join feed f using (feed_id) where feed_id = ? and state in ('discovered', 'landing', 'landed', 'loading') and state in ('discovered', 'landed')
     and owner is null and (coalesce(mtime_us, -1), path, file_id) < (?, ?, ?) order by mtime_us desc, path desc, file_id desc limit ?`,
    feed,
    by.file.mtimeUs ?? -1,
    by.file.path,
    by.fileId,
    SNAPSHOTS_AT_ONCE,
  );
  for (const old of rows.map(toEntry)) {
    store.run(
      'update entry set finished_at = ?, wait_for = null, retry_at = null, before = null, rows_read = 0, rows_loaded = 0, rows_quarantined = 0 where file_id = ?',
      cause.at,
      old.fileId,
    );
    changeState(store, old.fileId, old.state, 'superseded', {
      ...cause,
      reason: `older than the snapshot that is loaded (file ${by.fileId})`,
    });
    done.superseded.push(old.fileId);
    done.closed.push(old.fileId);
  }
}
