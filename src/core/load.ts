import type { SaidBeside } from './beside.js';
import type { DatabaseSpec, Reach } from './database.js';
import type { FeedSpec } from './feed/feed.js';
import type { DriftNote, FileDialect } from './format.js';
import type { ReceiptRef } from './receipts.js';
import type { ErrorGroup, ReportedError, RowCounts } from './report.js';

/** One attempt to put one version into staging. Plain data. */
export interface LoadJob {
  /** Made and written to the ledger before BEGIN; what recovery looks up. */
  readonly loadKey: string;
  readonly instanceId: string;
  /** What this host is called: with feed and path it names a local file. */
  readonly host: string;
  readonly fileId: number;
  readonly feed: FeedSpec;
  readonly database: DatabaseSpec;
  /** Where private temporary files may be put (spilled unique hashes, progress file). */
  readonly workDir: string;
  readonly file: {
    readonly path: string;
    readonly uri: string;
    /**
     * Absolute path of the bytes: in place, or the landed copy. Node Buffer path as latin1 hex is avoided:
     * `localPathHex` when the name is not UTF-8.
     */
    readonly localPath: string;
    /** Hex of the path's bytes when they are not UTF-8; then localPath is for messages only. */
    readonly localPathHex: string | null;
    readonly size: number;
    readonly mtimeUs: number | null;
    readonly version: string;
    /** In place: the descriptor's version token is compared before and after. Landed copies do not change. */
    readonly inPlace: boolean;
    /**
     * When known beforehand (landed, or hashed for the decision table): must agree with the bytes that the load
     * consumed.
     */
    readonly sha256: string | null;
  };
  /** Text of the manifest file under ready: { manifest }, for control. */
  readonly manifest: string | null;
  /** What else stands beside the file, for control; omitted = nothing. */
  readonly beside?: SaidBeside;
  readonly generation: number;
  readonly duplicateAllowed: boolean;
  readonly replaces: ReplaceRule;
  /** What was known of the decoded bytes when it was decided to load; omitted = nothing. */
  readonly content?: {
    /** sha256 of the decoded bytes, from an earlier reading. */
    readonly sha256: string | null;
    /** The feed has had packed files: what a plain one turns out to hold may have come in one of them. */
    readonly mixed: boolean;
  };
}

/** What a file turned out to hold, told before COMMIT. */
export interface FoundContent {
  readonly fileId: number;
  readonly sha256: string;
  readonly contentSha256: string;
}

/** Which live loads this one takes the place of; read from `loads` under the locks. */
export interface ReplaceRule {
  /** Named loads (reprocess, load --replaces). */
  readonly loadIds: readonly number[];
  /** All live loads of this feed and path (on_changed: replace, a grown file). */
  readonly path: boolean;
  /** All live loads of this feed (mode: replace_all). */
  readonly feed: boolean;
  /**
   * The ledger knows of no live load of the path. One that another data_dir made is reported as `known-path` then, and
   * the version is decided on anew. Omitted = false.
   */
  readonly firstOfPath?: boolean;
  /** Rejections of later versions of the path: they stay what they are. Omitted = there are none. */
  readonly keep?: readonly number[];
  // Loads with status `cleared` of the same feed and (path or content), and the path's earlier rejections, are always
  // replaced.
}

/** How a load ended. Only `loaded` and `rejected` left a receipt. */
export type LoadResult =
  | (LoadOutcome & {
      readonly outcome: 'loaded';
      readonly loadId: number;
      readonly committedAt: string;
      readonly replaced: readonly number[];
    })
  | (LoadOutcome & {
      readonly outcome: 'rejected';
      readonly loadId: number | null;
      readonly committedAt: string | null;
      readonly replaced: readonly number[];
      readonly error: ReportedError;
    })
  /** `load --dry-run`. */
  | (LoadOutcome & { readonly outcome: 'checked'; readonly error: ReportedError | null })
  /** Another live receipt holds this content: same path = adopt it, other path = on_duplicate. */
  | {
      readonly outcome: 'lost-race';
      readonly winner: ReceiptRef;
      readonly sha256: string;
      readonly contentSha256?: string | null;
    }
  /** What the file holds is known from another delivery: rolled back, decide again. */
  | ({ readonly outcome: 'known-content' } & FoundContent)
  /** Live loads of the path of which the decision knew nothing: nothing was loaded, decide again. */
  | { readonly outcome: 'known-path'; readonly loadIds: readonly number[] }
  /** The file changed or went while it was read: back to settling, no attempt used. */
  | { readonly outcome: 'changed'; readonly message: string }
  | { readonly outcome: 'vanished'; readonly message: string }
  /** Trouble outside the file: work pauses as far as it reaches. No attempt is used unless it is the file's own. */
  | { readonly outcome: 'unreachable'; readonly error: ReportedError; readonly reach?: Reach }
  /** The contract does not fit the table: the feed stops, its files stay `discovered`. */
  | { readonly outcome: 'misfit'; readonly error: ReportedError }
  /** COMMIT was sent and no answer came: recovery decides. */
  | { readonly outcome: 'unknown'; readonly error: ReportedError }
  /** Failed for another reason; an attempt was used. */
  | { readonly outcome: 'failed'; readonly error: ReportedError };

export interface LoadOutcome {
  readonly sha256: string | null;
  /** Of the decoded bytes; omitted or null = not known, or the feed does not ask (identity: bytes). */
  readonly contentSha256?: string | null;
  readonly rows: RowCounts;
  readonly errors: readonly ErrorGroup[];
  readonly drift: readonly DriftNote[];
  readonly dialect: FileDialect;
  readonly seconds: number;
}

/** Progress of a running load, posted a few times a second at most. */
export interface LoadProgress {
  readonly fileId: number;
  readonly path: string;
  /** Delivered bytes read so far, of how many. */
  readonly bytes: number;
  readonly totalBytes: number;
  readonly rows: number;
  readonly bad: number;
  /** Number of the chunk being worked on; the poison rule compares it between deaths. */
  readonly chunk: number;
}
