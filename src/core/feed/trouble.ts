/** Names of one kind that a listing did not take: how many, and the first of them. */
export interface NotTaken {
  readonly count: number;
  readonly items: readonly { readonly path: string; readonly reason: string }[];
}

/** What stands in the way of a feed, or was passed over by its last listing, for people who ask another process. */
export interface FeedTrouble {
  /**
   * `source`: it cannot be reached. `stopped`: the feed works no file until a person acts. `unlisted`: a folder that
   * could not be listed. `skipped`: a file that was not taken.
   */
  readonly kind: 'source' | 'stopped' | 'unlisted' | 'skipped';
  /** Of the folder or file. */
  readonly path: string | null;
  readonly code: string | null;
  readonly message: string;
  /** What to do. */
  readonly fix: string | null;
}

export interface FeedTroubles {
  /** Files that the last whole listing did not take; `items` names the first of them. */
  readonly skipped: number;
  /** Folders that it could not list. */
  readonly unlisted: number;
  readonly items: readonly FeedTrouble[];
}
