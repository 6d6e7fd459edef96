import type { ReceiptRef } from '../../core/receipts.js';
import type { RowCounts } from '../../core/report.js';
import { sha, text, intOrNull } from './entry-rows.js';
import type { Store } from './store/store.js';

export const RECEIPT_STATUSES: readonly ReceiptRef['status'][] = [
  'loaded',
  'rejected',
  'superseded',
  'cleared',
  'ignored',
];

/**
 * What is kept of a receipt: enough to know what is live, and to show a load again that outlived a failed reprocess.
 */
export interface ReceiptNote {
  readonly loadKey: string;
  readonly loadId: number;
  readonly status: ReceiptRef['status'];
  readonly generation: number;
  readonly rows: RowCounts;
}

export function writeReceipt(
  store: Store,
  note: ReceiptNote & {
    readonly fileId: number | null;
    readonly feed: number;
    readonly sha256: string | null;
    readonly size: number;
  },
): void {
  const { rows } = note;
  store.run(
    'insert or replace into receipt values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
    note.loadKey,
    note.loadId,
    note.fileId,
    note.feed,
    note.status,
    sha(note.sha256),
    note.size,
    note.generation,
    rows.read,
    rows.loaded,
    rows.quarantined,
    rows.skipped,
    rows.declared,
  );
}

/**
 * Nearly always one. After a restore of the database its sequence gives the same load_ids again: lost ones are left
 * out.
 */
export function receiptsOf(
  store: Store,
  loadId: number,
  statuses: readonly ReceiptRef['status'][],
): readonly { readonly loadKey: string; readonly fileId: number | null }[] {
  return store
    .all(
      'select load_key, file_id from receipt where load_id = ? and status in (select value from json_each(?))',
      loadId,
      JSON.stringify(statuses),
    )
    .map((row) => ({ loadKey: text(row, 'load_key'), fileId: intOrNull(row, 'file_id') }));
}

export function setStatus(store: Store, loadKey: string, status: ReceiptRef['status'] | 'lost'): void {
  store.run('update receipt set status = ? where load_key = ?', status, loadKey);
}

/** Shows the live load's counts again in place of those of a reprocess that came to nothing. */
export function restoreLive(store: Store, fileId: number): void {
  store.run(
    `update entry set load_id = live_load_id, error = null, rows_delta = 0,
       (load_key, generation, rows_read, rows_loaded, rows_quarantined, rows_skipped, rows_declared) =
       (select load_key, generation, rows_read, rows_loaded, rows_quarantined, rows_skipped, rows_declared from receipt
        where load_id = entry.live_load_id and file_id = entry.file_id and status = 'loaded')
     where file_id = ?`,
    fileId,
  );
}
