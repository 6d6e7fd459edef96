import type { FileEntry } from '../entry.js';
import type { ReceiptRef } from '../receipts.js';

/** What the ledger knows of the receipts in PostgreSQL, which are the truth about what is loaded. */
export interface ReceiptBook {
  /**
   * Takes in receipts that the ledger lacks, in order of load_id: own ones become entries in the receipt's state,
   * others are knowledge of content only. Own is what this instance wrote, and what `isHere` (place.ts) says of the
   * files that we see too. A known load_key: only its status is brought up to date, unless it turns out to be own. An
   * own one whose entry is `loading` is left to recovery. Returns how many were new.
   */
  takeReceipts(receipts: readonly ReceiptRef[], isHere?: (receipt: ReceiptRef) => boolean): Promise<number>;
  byLoadId(loadId: number): Promise<FileEntry | null>;
  byLoadKey(loadKey: string): Promise<FileEntry | null>;
  /** Own load with the highest load_id that has not been found lost. */
  newestLoad(): Promise<{ readonly loadKey: string; readonly loadId: number } | null>;
  /** Own receipts with load_id > after, ascending, those found lost left out. */
  knownLoads(after: number, limit: number): Promise<readonly KnownLoad[]>;
  /**
   * The database was restored and knows this load no more. Its entry, when the load was live, goes to `to` (failed:
   * RECEIPT_LOST).
   */
  receiptLost(loadKey: string, to: 'discovered' | 'failed', actor: string): Promise<void>;
}

export interface KnownLoad {
  readonly loadKey: string;
  readonly loadId: number;
  readonly fileId: number;
  readonly status: ReceiptRef['status'];
}
