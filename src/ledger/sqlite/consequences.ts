import { orderUs, type FileEntry } from '../../core/entry.js';
import {
  planBadSuperseded,
  planOlderSnapshot,
  planReopened,
  planSuperseded,
  replacedBy,
  type Replacing,
} from '../rules/consequences.js';
import { apply } from './apply.js';
import { findEntry, mustFind, type Cause } from './change.js';
import { receiptsOf, setStatus } from './receipt-rows.js';
import { int, iso, toEntry } from './entry-rows.js';
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
      if (old.state === 'rejected' && old.loadId === loadId) supersedeBad(store, old, replacedBy(by), cause, done);
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
  const plan = planSuperseded(old, loadId, by);
  if (plan === null) return;
  apply(store, plan.changes, cause);
  if (plan.ends) done.superseded.push(old.fileId);
  if (plan.reopens) reopenDuplicates(store, old, by, cause, done);
}

/**
 * Not those whose bytes are known to be gone (deleted, or another version stands under the path): they would only end
 * as vanished.
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
    const duplicate = mustFind(store, int(row, 'file_id'));
    apply(store, planReopened(duplicate, old, by), cause);
    done.reopened.push(duplicate.fileId);
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

export function supersedeBad(store: Store, bad: FileEntry, reason: string, cause: Cause, done: Consequences): void {
  const plan = planBadSuperseded(bad, reason);
  apply(store, plan.changes, cause);
  if (plan.ends) done.superseded.push(bad.fileId);
}

/** Snapshot feeds: "an older one becomes `superseded` and touches nothing". */
export function closeOlderSnapshots(store: Store, by: FileEntry, feed: number, cause: Cause, done: Consequences): void {
  const rows = store.all(
    `select e.*, f.name as feed from entry e join feed f using (feed_id) where feed_id = ? and state in ('discovered', 'landing', 'landed', 'loading') and state in ('discovered', 'landed')
     and owner is null and (coalesce(order_us, -1), path, file_id) < (?, ?, ?) order by order_us desc, path desc, file_id desc limit ?`,
    feed,
    orderUs(by) ?? -1,
    by.file.path,
    by.fileId,
    SNAPSHOTS_AT_ONCE,
  );
  for (const old of rows.map(toEntry)) {
    apply(store, planOlderSnapshot(old, by, iso(cause.at)), cause);
    done.superseded.push(old.fileId);
    done.closed.push(old.fileId);
  }
}
