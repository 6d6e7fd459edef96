import type { SeenFile } from './file.js';
import type { DriftNote } from './format.js';
import type { ReceiptRef } from './load.js';
import type {
  ActionEntry,
  ErrorGroup,
  FileDetail,
  FileReport,
  HistoryEntry,
  ReportedError,
  RowCounts,
} from './report.js';
import type { EndState, FileState } from './states.js';

/**
 * The work queue and the operator's memory: every version ever seen and what became of it. It never forgets by itself.
 *
 * Asynchronous although SQLite is not: writes of one turn of the event loop share a transaction (one fsync), and a
 * shared ledger in another store can stand behind the same contract. Every method that changes something is durable
 * when its promise resolves; when it is rejected with DISK_FULL or LEDGER_UNUSABLE the change may or may not be there
 * (as after a crash): read the entry again. WRONG_STATE = nothing changed. UNKNOWN_FILE where an ID does not exist.
 * Times are ISO 8601 UTC. Nothing outside ledger/ knows SQL of the ledger.
 */
export interface Ledger {
  /** Made once for a data_dir (a file of its own, so that it outlives the ledger); stands in every receipt. */
  readonly instanceId: string;

  // --- memory of the surroundings
  getMeta(key: string): Promise<string | null>;
  setMeta(key: string, value: string): Promise<void>;
  /** Feeds that the ledger has met, with what was last registered for them. */
  feeds(): Promise<readonly KnownFeed[]>;
  /** Remembers source and table of a feed (SPEC 3, `formerly`). */
  registerFeed(feed: KnownFeed): Promise<void>;
  /**
   * `formerly`: entries of `from` carry over to `to`, which must have no entries yet (WRONG_STATE). No such feed = no
   * change.
   */
  renameFeed(from: string, to: string): Promise<void>;

  // --- arrival
  /**
   * Of a page of a listing, those that are not known as they stand: no entry, or other size or version than the path's
   * newest entry, or that entry is vanished, cleared, or its bytes were moved or deleted by us.
   */
  unknown(feed: string, files: readonly SeenFile[]): Promise<readonly SeenFile[]>;
  /**
   * A version that has settled and is ready enters as `discovered`. Given back as it is: the newest entry when it
   * stands as it was seen, or is in `landing` or `loading` (look again after its end). A newest entry that waits unread
   * in `discovered` takes on the new look (same file_id): its bytes are gone and nothing was decided. One that an
   * operator has taken again goes back to its earlier end, and the new version enters beside it.
   */
  discover(arrival: Arrival, actor: string): Promise<FileEntry>;
  /**
   * The version stands, under its name or where an after action put it, under a new token with the same bytes: no
   * entry, no report.
   */
  touch(fileId: number, file: SeenFile): Promise<void>;
  /**
   * The same after the fact (Decision `touched`): entry `fileId` goes without a trace and `into` takes on its look.
   * WRONG_STATE when it was ever claimed.
   */
  absorb(fileId: number, into: number): Promise<void>;
  /**
   * `ledger adopt`: files enter as `ignored` without being read; those that are known as they stand are passed over.
   * Gives how many entered.
   */
  adopt(feed: string, files: readonly Adopted[], actor: string, reason: string): Promise<number>;

  // --- queries for the decision table and the queue
  entry(fileId: number): Promise<FileEntry | null>;
  /**
   * Everything that intake/admit.ts has to know about the rest of the ledger, bounded whatever the ledger's size.
   * `sha256`: when it is not in the entry yet.
   */
  facts(fileId: number, options: { readonly snapshot: boolean; readonly sha256?: string | null }): Promise<AdmitFacts>;
  /** Entries of the path, newest first, at most `limit`. */
  versions(feed: string, path: string, limit: number): Promise<readonly FileEntry[]>;
  /**
   * Entries in `discovered` or `landed` that may have their turn: backoff run out (unless `ignoreBackoff`), not waiting
   * for another file's end, not owned by a `load` command. Oldest first; `newestFirst` (snapshot feeds): by mtime, then
   * path, newest first. `longestMs`: no backoff lasts longer, so one that ends later was written before the clock was
   * set back, and has run out too.
   */
  waiting(
    feed: string,
    limit: number,
    options: { readonly ignoreBackoff: boolean; readonly newestFirst?: boolean; readonly longestMs?: number },
  ): Promise<readonly FileEntry[]>;
  /** Entries in `landing`, `landed` or `loading`, those of other live processes too (see `owner`). */
  interrupted(): Promise<readonly FileEntry[]>;
  /** Open entries that belong to `load` commands; dead ones are told by lock.ts, isClaimHeld(owner). */
  owned(): Promise<readonly FileEntry[]>;

  /** The entry of a `load` command is the daemon's from now on. */
  disown(fileId: number): Promise<void>;

  // --- the way of one version
  /** The hash is known before the claim. */
  setContent(fileId: number, sha256: string): Promise<void>;
  /**
   * discovered -> landing -> landed, and back to discovered. `landedPath` goes with `landed`; back to discovered
   * forgets it.
   */
  move(
    fileId: number,
    to: 'discovered' | 'landing' | 'landed',
    actor: string,
    reason: string,
    landedPath?: string,
  ): Promise<void>;
  /**
   * Decision `wait`: not given by waiting() until `forFileId` ends, goes back or changes. Two never wait for each
   * other: the later wait frees the earlier one.
   */
  wait(fileId: number, forFileId: number): Promise<void>;
  /**
   * -> `loading`; attempts + 1, load_key written, before any byte is parsed. Throws WRONG_STATE when the entry is not
   * `discovered` or `landed`, or when an entry with the same content (or the same size and no hash yet) is being loaded
   * in the feed: decide again.
   */
  claim(fileId: number, claim: Claim, actor: string): Promise<FileEntry>;
  /** loading -> discovered without an outcome: `uncount` gives the attempt back, `retryAt` is the backoff's end. */
  unclaim(
    fileId: number,
    options: { readonly uncount: boolean; readonly retryAt: string | null; readonly error: ReportedError | null },
    actor: string,
    reason: string,
  ): Promise<void>;
  /**
   * An open entry that an operator had taken again goes back to the end it had (its bytes are gone or different).
   * WRONG_STATE when it never had one.
   */
  giveBack(fileId: number, actor: string, reason: string): Promise<FileEntry>;
  /**
   * Ends a version, with everything that the report shows. In the same transaction: plans its after action; loads in
   * `replaced` become `superseded`; duplicates of other content that was replaced come back as `discovered`; earlier
   * rejected or failed versions of the path become `superseded`; `olderSnapshots`: open older entries of the feed too;
   * those that wait for it are released. `duplicate` throws WRONG_STATE when the original counts no more: decide again.
   */
  end(fileId: number, end: EndOfFile, actor: string, reason: string): Promise<EndResult>;
  /** Notes the chunk in which a load stood when its process died; gives how often it was this same chunk in a row. */
  died(fileId: number, chunk: number): Promise<number>;

  // --- operators' requests (SPEC 4): written by the CLI, acted on by the daemon or the next run
  /** Checks ledger/rules/request-rules.ts, then writes. An equal open request is given back instead of a second one. */
  request(request: NewRequest): Promise<number>;
  /** Oldest first, at most `limit` (1,000). */
  openRequests(limit?: number): Promise<readonly Request[]>;
  /** Carried out, or refused with the reason. */
  closeRequest(requestId: number, result: { readonly ok: boolean; readonly message: string }): Promise<void>;
  requestResult(requestId: number): Promise<{ readonly ok: boolean; readonly message: string } | null>;
  /**
   * Any state but `loading` -> any state but `loaded`, on an operator's word (ledger/rules/request-rules.ts, requestEffect,
   * gives `to` and `change`). To `discovered` from an end: pending after actions are dropped, backoff and deaths
   * forgotten, the end is remembered for giveBack. To `cleared`: the live load counts no more.
   */
  transition(fileId: number, to: FileState, change: EntryChange, actor: string, reason: string): Promise<FileEntry>;

  // --- receipts
  /**
   * Takes in receipts that the ledger lacks, in order of load_id: own ones become entries in the receipt's state, those
   * of other instances are knowledge of content only. A known load_key: only its status is brought up to date. An own
   * one whose entry is `loading` is left to recovery. Gives how many were new.
   */
  takeReceipts(receipts: readonly ReceiptRef[]): Promise<number>;
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

  // --- after actions
  dueActions(now: string, limit: number): Promise<readonly PlannedAction[]>;
  /** `movedTo`: where and how the file stands after a move; a done delete needs none. */
  actionDone(
    actionId: number,
    outcome: { readonly state: 'done' | 'dropped'; readonly detail: string; readonly movedTo: SeenFile | null },
  ): Promise<void>;
  actionFailed(actionId: number, detail: string, retryAt: string): Promise<void>;

  // --- reading, for people
  files(selector: FileSelector): Promise<readonly FileReport[]>;
  /** The same page by page, for lists that do not fit into memory. */
  filePages(selector: FileSelector): AsyncIterable<readonly FileReport[]>;
  detail(fileId: number): Promise<FileDetail | null>;
  /** `dayStart`: when the host's local day began. Feeds without entries are not listed. */
  feedSummaries(dayStart: string): Promise<readonly FeedSummary[]>;

  close(): Promise<void>;
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
  /** Of its next or last load: raised by reprocess and by replacing another load. */
  readonly generation: number;
  /** Receipt of its last outcome (loaded or rejected). */
  readonly loadId: number | null;
  /** Live (`loaded`) receipt. Stays through a reprocess until that one's own COMMIT, also when it is rejected. */
  readonly liveLoadId: number | null;
  /** Of its last claim. */
  readonly loadKey: string | null;
  readonly duplicateOf: number | null;
  /**
   * On an operator's word the next load replaces these load_ids (load --replaces). Its own live load needs no mention.
   */
  readonly replaces: readonly number[];
  /**
   * An operator said load (release, reprocess): hold and skip of the decision table do not apply until it is loaded.
   */
  readonly released: boolean;
  readonly duplicateAllowed: boolean;
  /** False when a second after action must not run (reprocess). */
  readonly afterAction: boolean;
  /** How the bytes stand now when an after action moved them; null = under `file`. */
  readonly movedTo: SeenFile | null;
  /** True when an after action deleted the bytes. */
  readonly deleted: boolean;
  readonly landedPath: string | null;
  /** Claim lock of the `load` command that it belongs to; null = the daemon's. */
  readonly owner: string | null;
  /** Version token of the ready marker at discovery; null = none. */
  readonly marker: string | null;
  /** Waits for this file's end. */
  readonly waitFor: number | null;
  /** The end it had before an operator took it again; null when it never had one. */
  readonly before: EndState | null;
  readonly rows: RowCounts;
  readonly error: ReportedError | null;
  readonly discoveredAt: string;
  readonly finishedAt: string | null;
  readonly retryAt: string | null;
  /** Chunk and count of deaths there (poison rule). */
  readonly deaths: { readonly chunk: number; readonly count: number };
}

export interface Arrival {
  readonly feed: string;
  readonly file: SeenFile;
  readonly uri: string;
  readonly settleSeconds: number;
  readonly marker?: string | null;
  /** Name of the claim lock of a `load` command. */
  readonly owner?: string | null;
  /** `load --replaces`. */
  readonly replaces?: readonly number[];
}

export interface Adopted {
  readonly file: SeenFile;
  readonly uri: string;
  /** Of the `ignored` receipt written beside it. */
  readonly loadKey: string;
  /** null = not told; the next start learns it from the receipt. */
  readonly loadId: number | null;
}

export interface KnownFeed {
  readonly name: string;
  /** Where its files come from, in a form that equals itself as long as the source is the same. */
  readonly source: string;
  readonly target: string;
}

/**
 * What the decision table (SPEC 3.1) asks of the ledger. "Other" = not the entry itself. Loads that the entry replaces
 * on an operator's word (`replaces`) are neither live versions nor originals here.
 */
export interface AdmitFacts {
  readonly entry: FileEntry;
  /** Entry's hash, or the one given; null = not known yet. */
  readonly sha256: string | null;
  /**
   * The path's newest other version when its bytes still stand there as far as the ledger knows. `seen` = its content
   * counts (SPEC 3.1, "Seen"), or it was rejected and is the very same look, only no longer young.
   */
  readonly present: { readonly entry: FileEntry; readonly seen: boolean } | null;
  /** The path's newest other version with a live load. */
  readonly live: FileEntry | null;
  /** Another version of the path with a live load of the same content. */
  readonly liveSamePath: number | null;
  /** A live load with records of the same content under another path; `fileId` null = of another instance. */
  readonly liveElsewhere: { readonly fileId: number | null; readonly loadId: number } | null;
  /** An ignored other entry of the same content. */
  readonly ignoredSame: number | null;
  /** Another entry of the same content that is being loaded, or is open and came earlier. */
  readonly inProgressSame: number | null;
  readonly heldSame: number | null;
  /** Another entry of the same size whose hash is not known yet is being loaded. */
  readonly loadingUnhashed: number | null;
  /** Something of the same size is in the feed that may be of the same content. */
  readonly sameSize: boolean;
  /**
   * Highest generation among loads that go with the entry's load whatever is decided: cleared ones of the same path or
   * content, and `replaces`. 0 = none.
   */
  readonly outgoingGeneration: number;
  /**
   * load_ids of the path's later versions that are rejected: the newest 1,000. An older version that is loaded behind
   * them leaves them to be looked at.
   */
  readonly laterRejected: readonly number[];
  /** Only for snapshot feeds. */
  readonly snapshot: {
    /** The feed's live load. May be the entry itself. */
    readonly live: FileEntry | null;
    /** That load read more than 0 records. */
    readonly liveHasRecords: boolean;
    /** Another entry of the feed is being loaded. */
    readonly loading: number | null;
    /** The newest other open entry by mtime, then path, if newer than the entry. */
    readonly newerOpen: number | null;
  } | null;
}

export interface Claim {
  readonly loadKey: string;
  /** When it was found out on the way. */
  readonly sha256?: string | null;
  /** From the decision. */
  readonly duplicateAllowed: boolean;
  readonly generation: number;
  /** Who works on it: claim lock of a `load` command; null = the daemon, which holds the lock on data_dir. */
  readonly owner: string | null;
}

export interface EndOfFile {
  readonly state: EndState;
  readonly sha256?: string | null;
  readonly loadId?: number | null;
  /** When another receipt than the claim's own is adopted (a lost race on the same path). */
  readonly loadKey?: string;
  readonly duplicateOf?: number | null;
  readonly generation?: number;
  readonly rows?: RowCounts;
  readonly errors?: readonly ErrorGroup[];
  readonly error?: ReportedError | null;
  readonly drift?: readonly DriftNote[];
  readonly committedAt?: string | null;
  readonly seconds?: { readonly land: number; readonly load: number };
  /** The landed copy as it is kept from now on (undefined: unchanged). */
  readonly landedPath?: string | null;
  /** load_ids that this load's transaction superseded. */
  readonly replaced?: readonly number[];
  /**
   * Snapshot feeds, with `loaded`: open entries of the feed that are older by mtime, then path, become `superseded`.
   */
  readonly olderSnapshots?: boolean;
  /** After action to plan, already expanded; null = none. Markers and manifests that go along are companions. */
  readonly action?: {
    readonly kind: 'delete' | 'move' | 'tag';
    readonly argument: string;
    readonly companions: readonly string[];
  } | null;
}

/** What an end did beside its own entry (IDs). */
export interface EndResult {
  readonly entry: FileEntry;
  readonly superseded: readonly number[];
  /** Of these, open older snapshots that have their end by this one. */
  readonly closed: readonly number[];
  /** Back as `discovered`. */
  readonly reopened: readonly number[];
}

/** Fields that a transition may set. `liveLoadId: null` = the load counts no more. */
export interface EntryChange {
  readonly replaces?: readonly number[];
  readonly released?: boolean;
  readonly generation?: number;
  readonly duplicateAllowed?: boolean;
  readonly afterAction?: boolean;
  readonly attempts?: number;
  readonly error?: ReportedError | null;
  readonly liveLoadId?: null;
}

export interface KnownLoad {
  readonly loadKey: string;
  readonly loadId: number;
  readonly fileId: number;
  readonly status: ReceiptRef['status'];
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
  /** finished_at >= finishedSince (the files that a run has handled). */
  readonly finishedSince?: string;
  /** Glob: without "/" it meets the file name, with "/" the path. */
  readonly match?: string;
  /** 0 = all. */
  readonly limit: number;
}

/** `tallyman status`, one feed. */
export interface FeedSummary {
  readonly feed: string;
  readonly lastFile: FileReport | null;
  /** Entries that ended since dayStart by state; rows of loads committed since. */
  readonly today: { readonly files: Readonly<Record<string, number>>; readonly rows: RowCounts };
  readonly states: Readonly<Record<string, number>>;
}

export type { ActionEntry, HistoryEntry };
