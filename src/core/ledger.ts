import type { SeenFile } from './file.js';
import type { DriftNote } from './format.js';
import type { ReceiptRef } from './load.js';
import type { ActionEntry, ErrorGroup, FileDetail, FileReport, HistoryEntry, ReportedError, RowCounts } from './report.js';
import type { EndState, FileState } from './states.js';

/**
 * The work queue and the operator's memory: every version ever seen and what became of it. It never forgets by itself.
 *
 * Asynchronous although SQLite is not: writes of one turn of the event loop share a transaction (one fsync), and a shared ledger in another
 * store can stand behind the same contract. Every method that changes something is durable when its promise resolves. Times are ISO 8601 UTC.
 * Nothing outside ledger/ knows SQL of the ledger.
 */
export interface Ledger {
  /** Made once for a data_dir; stands in every receipt. */
  readonly instanceId: string;

  // --- memory of the surroundings
  getMeta(key: string): Promise<string | null>;
  setMeta(key: string, value: string): Promise<void>;

  // --- arrival
  /**
   * Of a page of a listing, those that are not known as they stand: no entry of the path, other size or version than the newest one, or the newest one
   * is `cleared` or `vanished` (taken again when it is there).
   */
  unknown(feed: string, files: readonly SeenFile[]): Promise<readonly SeenFile[]>;
  /**
   * A version that has settled and is ready enters as `discovered`. Gives the entry. When the path's newest entry is `discovered` and not claimed, it
   * takes the new look (size, version): what it stood for was never read. An equal newest entry that is open, or ended in a state that is not
   * taken again by itself, is given back as it is; an equal one that is `cleared` or `vanished` gives a new entry.
   */
  discover(feed: string, file: SeenFile, uri: string, arrival: Arrival, actor: string): Promise<FileEntry>;
  /** The newest version of the path stands under a new token with the same bytes: no entry, no report. */
  touch(fileId: number, file: SeenFile): Promise<void>;

  // --- queries for the decision table and the queue
  entry(fileId: number): Promise<FileEntry | null>;
  /** All entries of the path, newest first. */
  versions(feed: string, path: string): Promise<readonly FileEntry[]>;
  /** Entries of the feed with that size in a state that counts as seen or may become so (open, loaded, held, ignored, cleared). */
  withSize(feed: string, size: number): Promise<readonly FileEntry[]>;
  /** The same by content. */
  withContent(feed: string, sha256: string): Promise<readonly FileEntry[]>;
  /** Entries waiting for their turn, oldest first, at most `limit`, those whose backoff has not run out left out unless `ignoreBackoff`. */
  waiting(feed: string, limit: number, options: { readonly ignoreBackoff: boolean }): Promise<readonly FileEntry[]>;
  /** Entries that some process left in `landing`, `landed` or `loading`. */
  interrupted(): Promise<readonly FileEntry[]>;

  // --- the way of one version
  /** Size and hash are known before the claim. */
  setContent(fileId: number, sha256: string): Promise<void>;
  /** discovered -> landing -> landed, and back to discovered. */
  move(fileId: number, to: 'discovered' | 'landing' | 'landed', actor: string, reason: string): Promise<void>;
  /**
   * -> `loading`; attempts + 1, load_key written, before any byte is parsed. Throws WRONG_STATE when the entry is not open. `landedPath` when the
   * bytes were landed.
   */
  claim(fileId: number, claim: Claim, actor: string): Promise<FileEntry>;
  /** loading -> discovered without an outcome: `uncount` gives the attempt back, `retryAt` is the backoff's end. */
  unclaim(fileId: number, options: { readonly uncount: boolean; readonly retryAt: string | null; readonly error: ReportedError | null }, actor: string, reason: string): Promise<void>;
  /** Ends a version, with everything that the report shows. Also plans its after actions, in the same transaction. */
  end(fileId: number, end: EndOfFile, actor: string, reason: string): Promise<FileEntry>;
  /** Notes the chunk in which a load stands when its process died; gives how often it was this same chunk in a row. */
  died(fileId: number, chunk: number): Promise<number>;

  // --- operators' requests (SPEC 4): written by the CLI, acted on by the daemon or the next run
  request(request: NewRequest): Promise<number>;
  openRequests(): Promise<readonly Request[]>;
  /** Carried out, or refused with the reason. */
  closeRequest(requestId: number, result: { readonly ok: boolean; readonly message: string }): Promise<void>;
  requestResult(requestId: number): Promise<{ readonly ok: boolean; readonly message: string } | null>;
  /** Any state -> any state on an operator's word; attempts 0 where it is taken again. */
  transition(fileId: number, to: FileState, change: Partial<Pick<FileEntry, 'replaces' | 'generation' | 'duplicateAllowed' | 'released' | 'afterAction' | 'attempts'>>, actor: string, reason: string): Promise<void>;

  // --- receipts
  /** Takes in a receipt that the ledger lacks (a lost ledger, another instance). Same load_key = no change. */
  takeReceipt(receipt: ReceiptRef, own: boolean): Promise<void>;
  /** Entries with this load_id / load_key. */
  byLoadId(loadId: number): Promise<FileEntry | null>;
  newestLoad(): Promise<{ readonly loadKey: string; readonly loadId: number } | null>;

  // --- after actions
  dueActions(now: string, limit: number): Promise<readonly PlannedAction[]>;
  actionDone(actionId: number, outcome: { readonly state: 'done' | 'dropped'; readonly detail: string; readonly movedTo: SeenFile | null }): Promise<void>;
  actionFailed(actionId: number, detail: string, retryAt: string): Promise<void>;

  // --- reading, for people
  files(selector: FileSelector): Promise<readonly FileReport[]>;
  detail(fileId: number): Promise<FileDetail | null>;
  feedSummaries(dayStart: string): Promise<readonly FeedSummary[]>;

  close(): Promise<void>;
}

/** How a version arrived. */
export interface Arrival {
  readonly settleSeconds: number;
  /** Version token of the ready marker, so that a changed path can ask for a changed marker; null = none. */
  readonly marker: string | null;
  /** Marker and manifest files that after actions take along. */
  readonly companions: readonly string[];
}

/** One version in the ledger. */
export interface FileEntry {
  readonly fileId: number;
  readonly feed: string;
  readonly file: SeenFile;
  readonly uri: string;
  readonly sha256: string | null;
  readonly state: FileState;
  readonly attempts: number;
  readonly generation: number;
  readonly loadId: number | null;
  readonly loadKey: string | null;
  readonly duplicateOf: number | null;
  /** Fixed by an operator or the decision table for the next load: load_ids that it replaces. */
  readonly replaces: readonly number[];
  readonly replacesPath: boolean;
  readonly duplicateAllowed: boolean;
  /** False when a second after action must not run (reprocess). */
  readonly afterAction: boolean;
  /** Where the bytes are now, when an after action moved them (path within the source); null = under `file.path`. Empty string = deleted. */
  readonly movedTo: string | null;
  readonly landedPath: string | null;
  readonly marker: string | null;
  readonly companions: readonly string[];
  /** An operator released it: hold policies are passed over. */
  readonly released: boolean;
  readonly rows: RowCounts;
  readonly error: ReportedError | null;
  readonly discoveredAt: string;
  readonly finishedAt: string | null;
  readonly retryAt: string | null;
  /** Chunk and count of deaths there (poison rule). */
  readonly deaths: { readonly chunk: number; readonly count: number };
}

export interface Claim {
  readonly loadKey: string;
  /** Who holds it: pid and start time of the process. */
  readonly owner: string;
  readonly landedPath: string | null;
}

export interface EndOfFile {
  readonly state: EndState;
  readonly sha256?: string | null;
  readonly loadId?: number | null;
  readonly duplicateOf?: number | null;
  readonly generation?: number;
  readonly rows?: RowCounts;
  readonly errors?: readonly ErrorGroup[];
  readonly error?: ReportedError | null;
  readonly drift?: readonly DriftNote[];
  readonly committedAt?: string | null;
  readonly seconds?: { readonly land: number; readonly load: number };
  /** load_ids whose entries become `superseded` with this end. */
  readonly replaced?: readonly number[];
  /** After action to plan, already expanded; null = none. Markers and manifests that go along are companions. */
  readonly action?: { readonly kind: 'delete' | 'move' | 'tag'; readonly argument: string; readonly companions: readonly string[] } | null;
}

export type RequestKind = 'reprocess' | 'clear' | 'retry' | 'release' | 'ignore';

export interface NewRequest {
  readonly kind: RequestKind;
  readonly fileId: number;
  readonly actor: string;
  readonly reason: string;
}

export interface Request extends NewRequest {
  readonly requestId: number;
  readonly createdAt: string;
}

export interface PlannedAction {
  readonly actionId: number;
  readonly entry: FileEntry;
  readonly kind: 'delete' | 'move' | 'tag';
  readonly argument: string;
  readonly companions: readonly string[];
  readonly attempts: number;
}

export interface FileSelector {
  readonly ids?: readonly number[];
  readonly feed?: string;
  readonly states?: readonly FileState[];
  /** discovered_at >= since. */
  readonly since?: string;
  /** Glob on the path. */
  readonly match?: string;
  /** 0 = all. */
  readonly limit: number;
}

/** `tallyman status`, one feed. */
export interface FeedSummary {
  readonly feed: string;
  readonly lastFile: FileReport | null;
  readonly today: { readonly files: Readonly<Record<string, number>>; readonly rows: RowCounts };
  readonly states: Readonly<Record<string, number>>;
}

export type { ActionEntry, HistoryEntry };
