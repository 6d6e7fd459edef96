import type { FileEntry } from '../entry.js';
import type { SeenFile } from '../file.js';

/** How versions enter: what of a listing is new, and its entry. */
export interface Arrivals {
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
   * Returns how many entered.
   */
  adopt(feed: string, files: readonly Adopted[], actor: string, reason: string): Promise<number>;
}

export interface Arrival {
  readonly feed: string;
  readonly file: SeenFile;
  readonly uri: string;
  readonly settleSeconds: number;
  readonly marker?: string | null;
  /** Reserved for this worker, a `load` command. */
  readonly owner?: string | null;
  /** `load --replaces`. */
  readonly replaces?: readonly number[];
}

export interface Adopted {
  readonly file: SeenFile;
  readonly uri: string;
  /** Of the `ignored` receipt written beside it. */
  readonly loadKey: string;
  /** null = unknown; the next start learns it from the receipt. */
  readonly loadId: number | null;
}
