import type { QuarantineGroup, QuarantineRow, QuarantineWindow } from './quarantine.js';
import type { RowCounts } from './report.js';
import type { TargetSpec } from './feed/target.js';

/** A receipt as `tallyman.loads` holds it, as far as the ledger needs it. */
export interface ReceiptRef {
  readonly loadId: number;
  readonly loadKey: string;
  readonly instanceId: string;
  readonly feed: string;
  readonly path: string;
  readonly fileUri: string;
  /** Of whoever loaded it. */
  readonly host: string;
  readonly sha256: string | null;
  /** sha256 of the decoded bytes: sha256 itself where the file was not packed; null or omitted = not known. */
  readonly contentSha256?: string | null;
  readonly size: number;
  readonly mtimeUs: number | null;
  readonly version: string | null;
  readonly generation: number;
  readonly status: 'loaded' | 'rejected' | 'superseded' | 'cleared' | 'ignored';
  readonly duplicateAllowed: boolean;
  readonly rows: RowCounts;
  readonly errorCode: string | null;
  readonly committedAt: string;
  /** load_ids that it superseded. */
  readonly replaces: readonly number[];
}

/** A file that gets a receipt without being loaded. */
export interface IgnoredFile {
  readonly loadKey: string;
  readonly feed: string;
  readonly path: string;
  readonly fileUri: string;
  readonly size: number;
  readonly mtimeUs: number | null;
  readonly version: string;
  readonly target: string;
}

/**
 * What the program asks of PostgreSQL outside a load: receipts, quarantine, counts. Implemented in postgres/. Throws
 * DATABASE_UNREACHABLE, DATABASE_LOGIN, DATABASE_RIGHTS.
 */
export interface Receipts {
  /** Creates and migrates the control schema; returns the database's own id from tallyman.meta. */
  prepare(): Promise<{ readonly databaseId: string }>;
  /** The id without creating anything; null when the control schema is not there. */
  databaseId(): Promise<string | null>;
  /**
   * Tells one server process from another (after a failover, a restart, a restore); null on a standby, which may lack
   * commits that are still on their way.
   */
  serverMark(): Promise<string | null>;
  /**
   * Outcome of a load whose end is unknown: waits for the old backend (lock on load_key, after 30 s
   * pg_terminate_backend), then looks in a new statement. null = it was rolled back.
   */
  resolve(loadKey: string): Promise<ReceiptRef | null>;
  /** Receipts with load_id > after, ascending, at most `limit`. */
  after(loadId: number, limit: number): Promise<readonly ReceiptRef[]>;
  /** Which of these load_keys have a receipt. */
  present(loadKeys: readonly string[]): Promise<ReadonlySet<string>>;
  byIds(loadIds: readonly number[]): Promise<readonly ReceiptRef[]>;
  /** status `cleared`; rows stay. Returns how many receipts changed. */
  clear(loadIds: readonly number[]): Promise<number>;
  /**
   * status `ignored` receipts for files that are recorded without being read. Returns the load_id of each load_key that
   * was new.
   */
  adopt(
    files: readonly IgnoredFile[],
    by: { readonly instanceId: string; readonly host: string },
  ): Promise<ReadonlyMap<string, number>>;
  /**
   * The rows of a live or cleared load leave its table, its receipt becomes `cleared`, its open quarantine `discarded`,
   * and `file` gets an `ignored` receipt, all in one transaction. Returns that receipt's load_id. May be repeated.
   * Throws WRONG_STATE when the load is neither, or its table is not there.
   */
  unload(
    loadId: number,
    file: IgnoredFile,
    by: { readonly instanceId: string; readonly host: string; readonly note: string },
  ): Promise<number>;
  /**
   * `formerly` (docs/spec/configuration.md#renaming-a-feed): receipts of this instance under feed `from` stand under
   * `to` from now on, and so do those of `loadKeys`, which another instance wrote. Throws CONFIG_INVALID when the same
   * content is live under both. May be repeated.
   */
  renameFeed(
    from: string,
    to: string,
    own: { readonly instanceId: string; readonly loadKeys: readonly string[] },
  ): Promise<void>;
  /**
   * Rows in staging for each live load of the feed, with what the receipt says; null = its table is gone. Receipts that
   * name a table of `target.formerly` are looked for in the feed's own. Loads that were replaced come along when rows
   * of theirs are still there.
   */
  liveCounts(
    feed: string,
    target?: TargetSpec,
  ): Promise<readonly { readonly receipt: ReceiptRef; readonly target: string; readonly present: number | null }[]>;

  /** Open quarantine grouped by feed, file, column and reason. */
  quarantineGroups(feed: string | null, window?: QuarantineWindow): Promise<readonly QuarantineGroup[]>;
  /** Rows of one load, ascending by row, streamed in pages. */
  quarantineRows(loadId: number): AsyncIterable<readonly QuarantineRow[]>;
  openQuarantine(feed: string): Promise<number>;
  /** How the load's file was read (FileDialect, as the receipt has it); null = there is no such receipt. */
  dialect(loadId: number): Promise<Readonly<Record<string, unknown>> | null>;
  /** The same of several loads; those without a receipt are left out. */
  dialects(loadIds: readonly number[]): Promise<ReadonlyMap<number, Readonly<Record<string, unknown>>>>;

  close(): Promise<void>;
}
