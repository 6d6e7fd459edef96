import { ERRORS, TallymanError, type ErrorCode } from '../../core/errors.js';
import { arrivedUs, type FileEntry } from '../../core/entry.js';
import type { ReceiptBook } from '../../core/ledger/receipt-book.js';
import type { ReceiptRef } from '../../core/receipts.js';
import type { ReportedError } from '../../core/report.js';
import { isOpen, type FileState } from '../../core/states.js';
import { takeAgain } from '../rules/changes.js';
import { apply } from './apply.js';
import { changeState, mustFind, type Cause } from './change.js';
import { internFeed } from './feeds.js';
import { supersedeBad, supersedeReplaced } from './consequences.js';
import { rememberPacked } from './packed.js';
import { RECEIPT_STATUSES, restoreLive, setStatus, writeReceipt } from './receipt-rows.js';
import { ENTRY, fromIso, int, intOrNull, sha, text, toEntry } from './entry-rows.js';
import type { Row, Store } from './store/store.js';

/** Receipts taken in with one transaction. */
const AT_ONCE = 500;
const REASON = 'taken in from its receipt in the database';

/** PostgreSQL is the truth about what is loaded; here the ledger learns it. */
export function receipts(store: Store, instanceId: string): ReceiptBook {
  return {
    async takeReceipts(list, isHere) {
      const isOwn = (receipt: ReceiptRef): boolean => receipt.instanceId === instanceId || isHere?.(receipt) === true;
      let taken = 0;
      for (let from = 0; from < list.length; from += AT_ONCE) {
        taken += await store.write(
          () =>
            list.slice(from, from + AT_ONCE).filter((receipt) => takeReceipt(store, receipt, isOwn(receipt))).length,
        );
      }
      return taken;
    },
    byLoadId: (loadId) =>
      store.read(() =>
        entryOf(
          store,
          store.get(
            `select file_id from receipt where load_id = ? and status <> 'lost' and file_id is not null`,
            loadId,
          ),
        ),
      ),
    byLoadKey: (loadKey) =>
      store.read(
        () =>
          entryOf(
            store,
            store.get('select file_id from receipt where load_key = ? and file_id is not null', loadKey),
          ) ?? entryOf(store, store.get(`select file_id from entry where load_key = ? and state = 'loading'`, loadKey)),
      ),
    newestLoad: () =>
      store.read(() => {
        const row = store.get(
          `select load_key, load_id from receipt where file_id is not null and load_id is not null and status <> 'lost' order by load_id desc limit 1`,
        );
        return row === null ? null : { loadKey: text(row, 'load_key'), loadId: int(row, 'load_id') };
      }),
    knownLoads: (after, limit) =>
      store.read(() =>
        store
          .all(
            `select * from receipt where load_id > ? and file_id is not null and status <> 'lost' order by load_id limit ?`,
            after,
            limit,
          )
          .map((row) => ({
            loadKey: text(row, 'load_key'),
            loadId: int(row, 'load_id'),
            fileId: int(row, 'file_id'),
            status: statusOf(row),
          })),
      ),
    receiptLost: (loadKey, to, actor) =>
      store.write(() => {
        receiptLost(store, loadKey, to, actor);
      }),
  };
}

function entryOf(store: Store, row: Row | null): FileEntry | null {
  return row === null ? null : mustFind(store, int(row, 'file_id'));
}

/** True when it was new to the ledger. */
function takeReceipt(store: Store, receipt: ReceiptRef, own: boolean): boolean {
  const known = store.get('select * from receipt where load_key = ?', receipt.loadKey);
  // Lost, and here again: the database was another one for a while. It is taken in anew.
  // Taken in for its content alone, and of a path of ours: by now it is known to be.
  const foundOut = own && known !== null && intOrNull(known, 'file_id') === null;
  if (known !== null && text(known, 'status') !== 'lost' && !foundOut) {
    bringUpToDate(store, known, receipt);
    return false;
  }
  const feed = internFeed(store, receipt.feed);
  rememberPacked(store, feed, receipt.sha256, receipt.contentSha256 ?? null);
  const by = { fileId: null, loadKey: receipt.loadKey, path: receipt.path, sha256: receipt.sha256 };
  if (!own) {
    writeReceipt(store, { ...receipt, feed, fileId: null });
    supersedeReplaced(store, by, receipt.replaces, causeOf(store), { superseded: [], closed: [], reopened: [] });
    return true;
  }
  // Committed, and the process died before the ledger heard of it: recovery ends that entry, with all that the report
  // shows.
  if (store.get(`select 1 from entry where load_key = ? and state = 'loading'`, receipt.loadKey) !== null) return false;
  const entry = sameFile(store, receipt, feed);
  const fileId = entry?.fileId ?? enter(store, receipt, feed);
  writeReceipt(store, { ...receipt, feed, fileId, sha256: null });
  if (entry === null || isNews(entry, receipt)) show(store, fileId, receipt, feed, entry?.state ?? null);
  supersedeReplaced(store, { ...by, fileId }, receipt.replaces, causeOf(store), {
    superseded: [],
    closed: [],
    reopened: [],
  });
  return true;
}

/**
 * False when the entry knows better: it has a later receipt, or an operator has taken it again since it was ignored.
 */
function isNews(entry: FileEntry, receipt: ReceiptRef): boolean {
  if (entry.loadId !== null && entry.loadId > receipt.loadId) return false;
  return receipt.status !== 'ignored' || (entry.before === null && entry.state !== 'ignored');
}

/**
 * A ledger restored from a copy knows the load, but not what became of it since; one whose database was restored knows
 * too much.
 */
function bringUpToDate(store: Store, known: Row, receipt: ReceiptRef): void {
  const status = statusOf(known);
  if (status === receipt.status && intOrNull(known, 'load_id') === receipt.loadId) return;
  store.run(
    'update receipt set status = ?, load_id = ? where load_key = ?',
    receipt.status,
    receipt.loadId,
    receipt.loadKey,
  );
  const fileId = intOrNull(known, 'file_id');
  if (fileId === null) return;
  const entry = mustFind(store, fileId);
  if (entry.loadKey === receipt.loadKey && entry.loadId === null)
    store.run('update entry set load_id = ? where file_id = ?', receipt.loadId, fileId);
  if (
    receipt.status === 'loaded' &&
    entry.liveLoadId === null &&
    (entry.state === 'superseded' || entry.state === 'cleared')
  ) {
    // The database was restored to the time before: what replaced it, or the clearing, never was.
    store.run(
      'update entry set live_load_id = ?, live_read = ? where file_id = ?',
      receipt.loadId,
      receipt.rows.read,
      fileId,
    );
    restoreLive(store, fileId);
    changeState(store, fileId, entry.state, 'loaded', causeOf(store));
    return;
  }
  if (entry.loadId === receipt.loadId && entry.state === 'rejected' && receipt.status === 'superseded') {
    const cause = causeOf(store);
    supersedeBad(store, entry, cause.reason, cause, { superseded: [], closed: [], reopened: [] });
    return;
  }
  if (entry.loadId === receipt.loadId && entry.state === 'superseded' && receipt.status === 'rejected') {
    // The database was restored to the time before: what superseded the rejection never was.
    changeState(store, fileId, 'superseded', 'rejected', causeOf(store));
    return;
  }
  if (entry.liveLoadId !== receipt.loadId || (receipt.status !== 'superseded' && receipt.status !== 'cleared')) return;
  store.run('update entry set live_load_id = null, live_read = null where file_id = ?', fileId);
  if (entry.state !== 'loaded') return;
  const unloaded = receipt.status === 'cleared' && isUnloading(store, fileId);
  changeState(store, fileId, 'loaded', unloaded ? 'ignored' : receipt.status, causeOf(store));
}

/** The process died between the database, where the rows are gone, and the ledger. */
const isUnloading = (store: Store, fileId: number): boolean =>
  store.get(`select 1 from request where file_id = ? and kind = 'unload' and closed_at is null`, fileId) !== null;

/**
 * Entry that the receipt belongs to: generations of one file share it, and one that waits unread for what was loaded
 * already takes it over.
 */
function sameFile(store: Store, receipt: ReceiptRef, feed: number): FileEntry | null {
  if (receipt.version === null) return null;
  const row = store.get(
    `${ENTRY} where feed_id = ? and path = ? and size = ? and version = ? and state <> 'loading' order by file_id desc limit 1`,
    feed,
    receipt.path,
    receipt.size,
    receipt.version,
  );
  if (row === null) return null;
  const entry = toEntry(row);
  return entry.sha256 === null || receipt.sha256 === null || entry.sha256 === receipt.sha256 ? entry : null;
}

function enter(store: Store, receipt: ReceiptRef, feed: number): number {
  const at = fromIso(receipt.committedAt);
  return store.run(
    `insert into entry (feed_id, path, uri, size, mtime_us, arrived_us, version, state, discovered_at, finished_at)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    feed,
    receipt.path,
    receipt.fileUri,
    receipt.size,
    receipt.mtimeUs,
    arrivedUs(receipt.mtimeUs, at),
    receipt.version ?? '',
    receipt.status,
    at,
    at,
  ).lastId;
}

/** The entry says what its newest receipt says; an older live load stays live beneath a rejected reprocess. */
function show(store: Store, fileId: number, receipt: ReceiptRef, feed: number, from: FileState | null): void {
  const { rows } = receipt;
  store.run(
    `update entry set sha256 = coalesce(?, sha256), plain = coalesce(?, plain), load_id = ?, load_key = ?, generation = ?, duplicate_allowed = ?, error = ?, finished_at = ?, attempts = max(attempts, 1),
       rows_read = ?, rows_loaded = ?, rows_quarantined = ?, rows_skipped = ?, rows_declared = ?, rows_delta = ?, retry_at = null, wait_for = null, owner = null, before = null
     where file_id = ?`,
    sha(receipt.sha256),
    receipt.sha256 !== null && receipt.contentSha256 === receipt.sha256 ? 1 : null,
    receipt.loadId,
    receipt.loadKey,
    receipt.generation,
    receipt.duplicateAllowed ? 1 : 0,
    receipt.errorCode === null ? null : JSON.stringify(errorOf(receipt.errorCode)),
    fromIso(receipt.committedAt),
    rows.read,
    rows.loaded,
    rows.quarantined,
    rows.skipped,
    rows.declared,
    receipt.status === 'rejected' ? null : rows.delta,
    fileId,
  );
  if (receipt.status === 'ignored') store.run('update entry set attempts = 0 where file_id = ?', fileId);
  if (receipt.status === 'loaded') {
    store.run('update entry set live_load_id = ?, live_read = ? where file_id = ?', receipt.loadId, rows.read, fileId);
    store.run('update feed set last_loaded = ? where feed_id = ?', fileId, feed);
  }
  changeState(store, fileId, from, receipt.status, causeOf(store));
}

function receiptLost(store: Store, loadKey: string, to: 'discovered' | 'failed', actor: string): void {
  const row = store.get('select * from receipt where load_key = ?', loadKey);
  if (row === null) return;
  setStatus(store, loadKey, 'lost');
  const fileId = intOrNull(row, 'file_id');
  const entry = fileId === null ? null : mustFind(store, fileId);
  const loadId = intOrNull(row, 'load_id');
  if (entry === null || loadId === null || entry.liveLoadId !== loadId) return;
  const cause: Cause = {
    actor,
    reason: 'the database does not know its load any more: it was restored to an earlier time',
    at: store.now(),
  };
  store.run('update entry set live_load_id = null, live_read = null where file_id = ?', entry.fileId);
  if (isOpen(entry.state)) return;
  if (to === 'discovered') {
    apply(store, takeAgain(entry), cause);
    store.run('update entry set attempts = 0 where file_id = ?', entry.fileId);
    return;
  }
  store.run('update entry set error = ? where file_id = ?', JSON.stringify(errorOf('RECEIPT_LOST')), entry.fileId);
  changeState(store, entry.fileId, entry.state, 'failed', cause);
}

const causeOf = (store: Store): Cause => ({ actor: 'rebuild', reason: REASON, at: store.now() });

/** A receipt holds only the code; the table says the rest. */
function errorOf(code: string): ReportedError {
  if (!isErrorCode(code)) return { code, message: 'The message was lost with the ledger.', fix: '' };
  return { code, message: ERRORS[code].meaning, fix: ERRORS[code].fix };
}

const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(ERRORS, code);

function statusOf(row: Row): ReceiptRef['status'] {
  const status = text(row, 'status');
  const found = RECEIPT_STATUSES.find((name) => name === status);
  if (found === undefined)
    throw new TallymanError('LEDGER_UNUSABLE', `The ledger holds a receipt whose status is "${status}".`);
  return found;
}
