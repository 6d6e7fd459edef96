/** What the ledger remembers of its surroundings: the instance, the feeds it has met, small facts by name. */
export interface Surroundings {
  /** Made once for a data_dir (a file of its own, so that it outlives the ledger); stands in every receipt. */
  readonly instanceId: string;
  getMeta(key: string): Promise<string | null>;
  setMeta(key: string, value: string): Promise<void>;
  /** Feeds that the ledger has met, with what was last registered for them. */
  feeds(): Promise<readonly KnownFeed[]>;
  /** Remembers source and table of a feed (`formerly`). */
  registerFeed(feed: KnownFeed): Promise<void>;
  /**
   * `formerly`: entries of `from` carry over to `to`, which must have no entries yet (WRONG_STATE). No such feed = no
   * change.
   */
  renameFeed(from: string, to: string): Promise<void>;
}

export interface KnownFeed {
  readonly name: string;
  /** Where its files come from, in a form that equals itself as long as the source is the same. */
  readonly source: string;
  readonly target: string;
}
