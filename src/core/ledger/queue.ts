import type { Lease } from './workers.js';
import type { FileEntry } from '../entry.js';
import type { DriftNote } from '../format.js';
import type { ErrorGroup, ReportedError, RowCounts } from '../report.js';
import type { EndState } from '../states.js';

/**
 * The way of one version from its arrival to its end: what may have its turn, what the decision table asks, claim and
 * end.
 */
export interface Queue {
  entry(fileId: number): Promise<FileEntry | null>;
  /**
   * Everything that intake/admit.ts has to know about the rest of the ledger, bounded whatever the ledger's size.
   * `sha256`: when it is not in the entry yet; `contentSha256`: of what is packed in it, when it was found out just
   * now. `byBytes`: what is packed in the files does not count.
   */
  facts(fileId: number, options: FactsAsked): Promise<AdmitFacts>;
  /** Entries of the path, newest first, at most `limit`. */
  versions(feed: string, path: string, limit: number): Promise<readonly FileEntry[]>;
  /**
   * Entries in `discovered` or `landed` that may have their turn: backoff run out (unless `ignoreBackoff`), not waiting
   * for another file's end, not reserved for a `load` command. Oldest first; `newestFirst` (snapshot feeds): by mtime,
   * then path, newest first. `longestMs`: no backoff lasts longer, so one that ends later was written before the clock
   * was set back, and has run out too.
   */
  waiting(
    feed: string,
    limit: number,
    options: { readonly ignoreBackoff: boolean; readonly newestFirst?: boolean; readonly longestMs?: number },
  ): Promise<readonly FileEntry[]>;
  /**
   * Entries in `landing`, `landed` or `loading` that this worker has in hand. Asked before it begins to work, they are
   * those that an earlier process of its name left in the middle.
   */
  interrupted(worker: string): Promise<readonly FileEntry[]>;
  /**
   * Open entries in the hands of other workers, or reserved for them, that do not live (Workers). Where a worker holds
   * a lock, only the lock tells: nothing is ever taken from one by the clock. Each is looked at anew when it is asked
   * for, because recovering the one before may take long enough for somebody to begin again under the same name.
   */
  expired(): AsyncIterable<FileEntry>;
  /** The entry of a worker that does not live is the daemon's from now on. No change while it is being worked on. */
  takeOver(fileId: number, worker: string): Promise<void>;
  /**
   * Everything that the worker has in hand stays its own for longer. Returns until when; null = as long as it lives,
   * there is nothing to renew. WRONG_STATE = it was given up for dead, and others may work on its entries: stop.
   */
  renew(worker: string): Promise<string | null>;
  /** The hash is known before the claim; `contentSha256`: and what is packed in the file. */
  setContent(fileId: number, sha256: string, contentSha256?: string | null): Promise<void>;
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
   * -> `loading` under a lease of the worker; attempts + 1, load_key written, before any byte is parsed. Throws
   * WRONG_STATE when the entry is not `discovered` or `landed`, when it is reserved for another worker, or when an
   * entry with the same content (or the same size and no hash yet) is being loaded in the feed: decide again.
   */
  claim(fileId: number, claim: Claim, actor: string): Promise<FileEntry>;
  /**
   * loading -> discovered without an outcome: `uncount` gives the attempt back, `retryAt` is the backoff's end. With
   * `lease`: WRONG_STATE when the entry is in other hands by now, or in the same ones for another attempt.
   */
  unclaim(
    fileId: number,
    options: {
      readonly uncount: boolean;
      readonly retryAt: string | null;
      readonly error: ReportedError | null;
      readonly lease?: Lease | null;
    },
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
  /** Notes the chunk in which a load stood when its process died; returns how often it was this same chunk in a row. */
  died(fileId: number, chunk: number): Promise<number>;
}

export interface FactsAsked {
  readonly snapshot: boolean;
  readonly sha256?: string | null;
  readonly contentSha256?: string | null;
  readonly byBytes?: boolean;
}

/**
 * What the decision table (docs/spec/which-file-is-new.md#the-decision-table) asks of the ledger. "Other" = not the
 * entry itself. Loads that the entry replaces on an operator's word (`replaces`) are neither live versions nor
 * originals here.
 */
export interface AdmitFacts {
  readonly entry: FileEntry;
  /** Entry's hash, or the one given; null = not known yet. */
  readonly sha256: string | null;
  /** Of what is packed in it, equal to sha256 where nothing is; null or omitted = not known. */
  readonly contentSha256?: string | null;
  /** The feed has files of which it is known what was packed in them. Omitted = no. */
  readonly mixed?: boolean;
  /**
   * Of the entries named below, those (0: a load of another instance) that are of the same content only when unpacked.
   * "The same content" = one of the hashes of the one, delivered or decoded, is one of the other's. Omitted = none.
   */
  readonly repacked?: readonly number[];
  /**
   * The path's newest other version when its bytes still stand there as far as the ledger knows. `seen` = its content
   * counts (docs/spec/which-file-is-new.md#seen), or it was rejected and nothing about it has changed but that its
   * token is no longer that of a young file (YOUNG in core/file.ts).
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
    /** That load is of the same content. Omitted = as far as sha256 tells. */
    readonly liveIsSame?: boolean;
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
  /** Who works on it. */
  readonly worker: string;
}

export interface EndOfFile {
  readonly state: EndState;
  readonly sha256?: string | null;
  /** Of the decoded bytes; equal to sha256 = nothing was packed. */
  readonly contentSha256?: string | null;
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
