import type { DatabaseSpec } from '../core/database.js';
import type { TallymanError } from '../core/errors.js';
import type { Events } from '../core/events.js';
import type { FeedSpec } from '../core/feed/feed.js';
import type { FormatType } from '../core/format.js';
import type { Ledger } from '../core/ledger/index.js';
import type { Place } from '../core/ledger/place.js';
import type { FoundContent, LoadJob, LoadResult } from '../core/load.js';
import type { Log } from '../core/log.js';
import type { Receipts } from '../core/receipts.js';
import type { Source } from '../core/source.js';
import type { Landing } from '../flow/landing.js';

export interface EngineParts {
  readonly feeds: readonly FeedSpec[];
  /** Every feed of the config, also those that do not run now. */
  readonly configured: readonly FeedSpec[];
  readonly ledger: Ledger;
  readonly receipts: Receipts;
  readonly formats: readonly FormatType[];
  readonly database: DatabaseSpec;
  readonly dataDir: string;
  readonly place: Place;
  readonly concurrency: number;
  readonly log: Log;
  /** Stands in the history: `daemon`, `run`, `load`. */
  readonly actor: string;
  /** Who works: the daemon, or one `load` command. */
  readonly worker: string;
  source(feed: FeedSpec): Source;
  readonly landing: Landing;
  /** Reads absolute local paths, for files that `tallyman load` named. */
  readonly direct: Source;
  /** Files are there that the ledger does not know: soon there will be loads. */
  found(): void;
  load(job: LoadJob, onContent: (found: FoundContent) => Promise<boolean>): Promise<LoadResult>;
  readonly events: Pick<Events, 'tell'>;
}

/** How one engine differs from another of the same app. */
export interface EngineOptions {
  readonly feeds: readonly FeedSpec[];
  readonly actor: string;
  readonly once: boolean;
  /** Name of the claim lock of a `load` command; omitted = the daemon. */
  readonly worker?: string;
}

export interface OnceResult {
  /** Files that still change, lack their marker, or wait for another. */
  readonly waiting: number;
  /** Files that the listings did not take. */
  readonly notTaken: number;
  /** Sources, folders, the database or feeds that could not work. */
  readonly errors: readonly TallymanError[];
}

/** What a new config changes while the engine runs. */
export type Exchange = Pick<EngineParts, 'feeds' | 'configured' | 'receipts' | 'database'> & {
  /** Names of feeds whose config, or whose connection, is another one. */
  readonly changed: ReadonlySet<string>;
};
