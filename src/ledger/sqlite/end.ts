import { TallymanError } from '../../core/errors.js';
import type { EndOfFile, EndResult, Queue } from '../../core/ledger/queue.js';
import type { FileEntry } from '../../core/entry.js';
import { NO_ROWS } from '../../core/report.js';
import { changeState, isOpen, mustFindRow, wrongState, type Cause } from './change.js';
import { closeOlderSnapshots, supersedeEarlierBad, supersedeReplaced, type Consequences } from './consequences.js';
import { originalCounts } from './facts.js';
import { RECEIPT_STATUSES, recordReceipt } from './receipt-rows.js';
import { fromIsoOrNull, int, sha, toEntry } from './entry-rows.js';
import type { Store } from './store/store.js';

/** How versions end. */
export function ends(store: Store): Pick<Queue, 'end'> {
  return {
    end: (fileId, end, actor, reason) =>
      store.write(() => endFile(store, fileId, end, { actor, reason, at: store.now() })),
  };
}

function endFile(store: Store, fileId: number, end: EndOfFile, cause: Cause): EndResult {
  const row = mustFindRow(store, fileId);
  const entry = toEntry(row);
  const feed = int(row, 'feed_id');
  if (!isOpen(entry.state)) throw wrongState(entry, `it cannot end as ${end.state}`);
  if (end.state === 'loaded' && entry.state !== 'loading')
    throw wrongState(entry, 'only a file that is being loaded can be loaded');
  if (end.state === 'duplicate') checkOriginal(store, entry, end.duplicateOf ?? null);
  const consequences: Consequences = { superseded: [], closed: [], reopened: [] };
  writeEnd(store, entry, end, cause);
  const status = RECEIPT_STATUSES.find((known) => known === end.state);
  if (typeof end.loadId === 'number' && status !== undefined) {
    recordReceipt(store, entry, feed, {
      loadKey: loadKeyOf(entry, end),
      loadId: end.loadId,
      status,
      generation: end.generation ?? entry.generation,
      rows: end.rows ?? NO_ROWS,
    });
  }
  changeState(store, fileId, entry.state, end.state, cause);
  planAction(store, fileId, end, cause);
  const ended = toEntry(mustFindRow(store, fileId));
  const by = { fileId, loadKey: ended.loadKey, path: ended.file.path, sha256: ended.sha256 };
  supersedeReplaced(store, by, end.replaced ?? [], cause, consequences);
  if (end.state === 'loaded') {
    store.run('update feed set last_loaded = ? where feed_id = ?', fileId, feed);
    supersedeEarlierBad(store, ended, feed, cause, consequences);
    if (end.olderSnapshots === true) closeOlderSnapshots(store, ended, feed, cause, consequences);
  }
  return { entry: ended, ...consequences };
}

function checkOriginal(store: Store, entry: FileEntry, original: number | null): void {
  if (original !== null && !originalCounts(store, original))
    throw wrongState(entry, `file ${original} is not loaded any more, so it is no duplicate of it: decide again`);
}

function loadKeyOf(entry: FileEntry, end: EndOfFile): string {
  const key = end.loadKey ?? entry.loadKey;
  if (key === null)
    throw new TallymanError('WRONG_STATE', `File ${entry.fileId} was never claimed and cannot have a receipt.`);
  return key;
}

function writeEnd(store: Store, entry: FileEntry, end: EndOfFile, cause: Cause): void {
  const rows = end.rows ?? NO_ROWS;
  const loaded = end.state === 'loaded';
  const landedPath = end.landedPath === undefined ? entry.landedPath : end.landedPath;
  store.run(
    `update entry set sha256 = ?, load_id = ?, load_key = ?, duplicate_of = ?, generation = ?, error = ?, finished_at = ?, landed_path = ?,
       rows_read = ?, rows_loaded = ?, rows_quarantined = ?, rows_skipped = ?, rows_declared = ?, rows_delta = ?,
       retry_at = null, wait_for = null, owner = null, before = null where file_id = ?`,
    sha(end.sha256 ?? entry.sha256),
    end.loadId ?? null,
    end.loadKey ?? entry.loadKey,
    end.duplicateOf ?? null,
    end.generation ?? entry.generation,
    end.error === undefined || end.error === null ? null : JSON.stringify(end.error),
    fromIsoOrNull(end.committedAt ?? null) ?? cause.at,
    landedPath,
    rows.read,
    rows.loaded,
    rows.quarantined,
    rows.skipped,
    rows.declared,
    rows.delta,
    entry.fileId,
  );
  if (loaded) {
    if (typeof end.loadId !== 'number')
      throw new TallymanError('WRONG_STATE', `File ${entry.fileId} cannot be loaded without a load_id.`);
    // What was said for this load is done: the next one is decided afresh.
    store.run(
      `update entry set live_load_id = ?, live_read = ?, replaces = '[]', released = 0, death_chunk = -1, death_count = 0 where file_id = ?`,
      end.loadId,
      rows.read,
      entry.fileId,
    );
  }
  if (end.seconds !== undefined)
    store.run(
      'update entry set land_s = ?, load_s = ? where file_id = ?',
      end.seconds.land,
      end.seconds.load,
      entry.fileId,
    );
  writeDetail(store, entry.fileId, end);
}

/** Kept beside the entry: nearly all files have neither errors nor drift. */
function writeDetail(store: Store, fileId: number, end: EndOfFile): void {
  const [errors, drift] = [end.errors ?? [], end.drift ?? []];
  store.run('delete from detail where file_id = ?', fileId);
  if (errors.length + drift.length > 0)
    store.run('insert into detail values (?, ?, ?)', fileId, JSON.stringify(errors), JSON.stringify(drift));
}

function planAction(store: Store, fileId: number, { action }: EndOfFile, cause: Cause): void {
  if (action === undefined || action === null) return;
  store.run(
    'insert into action (file_id, kind, argument, companions, at, retry_at) values (?, ?, ?, ?, ?, ?)',
    fileId,
    action.kind,
    action.argument,
    JSON.stringify(action.companions),
    cause.at,
    cause.at,
  );
}
