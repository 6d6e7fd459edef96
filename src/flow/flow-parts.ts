import type { FeedSpec } from '../core/feed/feed.js';
import type { FormatType } from '../core/format.js';
import type { Arrivals } from '../core/ledger/arrivals.js';
import type { Queue } from '../core/ledger/queue.js';
import type { Reading } from '../core/ledger/reading.js';
import type { ReceiptBook } from '../core/ledger/receipt-book.js';
import type { Surroundings } from '../core/ledger/surroundings.js';
import type { FileEntry } from '../core/entry.js';
import type { DatabaseSpec } from '../core/database.js';
import type { FoundContent, LoadJob, LoadResult } from '../core/load.js';
import type { Place } from '../core/ledger/place.js';
import type { Source } from '../core/source.js';
import type { Receipts } from '../core/receipts.js';
import type { Landing } from './landing.js';
import type { SameTrouble } from './same-trouble.js';
import type { Log } from '../core/log.js';

/** What the straight line needs beside the entry. */
export interface FlowParts {
  /** Every feed of the config, also those that do not run now. */
  readonly configured: readonly FeedSpec[];
  readonly ledger: Surroundings & Arrivals & Queue & ReceiptBook & Reading;
  readonly receipts: Receipts;
  readonly formats: readonly FormatType[];
  readonly database: DatabaseSpec;
  readonly dataDir: string;
  readonly place: Place;
  readonly log: Log;
  readonly actor: string;
  /** Who works: its name stands in every claim. */
  readonly worker: string;
  /** What the database refused, of which nobody knows yet whose fault it is. */
  readonly sameTrouble: SameTrouble;
  /** Brings remote files to local disk. */
  readonly landing: Landing;
  /** The source that holds the entry's bytes. */
  source(entry: FileEntry): Source;
  /** Runs the load in a worker thread, which asks before COMMIT whether the decision to load still stands. */
  load(job: LoadJob, onContent: (found: FoundContent) => Promise<boolean>): Promise<LoadResult>;
  /** The path is to be looked at again: it changed or went. */
  lookAgain(entry: FileEntry): void;
  /** The entry ended, or an attempt at it failed: tell people. */
  reported(fileId: number): Promise<void>;
}
