import type { FeedSpec } from '../core/feed/feed.js';
import type { EndOfFile } from '../core/ledger/queue.js';
import type { FileEntry } from '../core/entry.js';
import type { Ledger } from '../core/ledger/index.js';
import type { DatabaseSpec } from '../core/database.js';
import type { LoadJob, LoadResult } from '../core/load.js';
import type { Source } from '../core/source.js';
import type { Receipts } from '../core/receipts.js';
import { companionsOf } from '../sources/common/companion.js';
import { afterAction } from './after-action.js';
import { isNamed } from '../core/entry.js';
import type { Landing } from './landing.js';
import type { Log } from '../core/log.js';
import type { WorkOutcome } from './outcome.js';

/** What the straight line needs beside the entry. */
export interface ProcessParts {
  /** Every feed of the config, also those that do not run now. */
  readonly configured: readonly FeedSpec[];
  readonly ledger: Ledger;
  readonly receipts: Receipts;
  readonly database: DatabaseSpec;
  readonly dataDir: string;
  readonly log: Log;
  readonly actor: string;
  /** Claim lock of a `load` command; null = the daemon's. */
  readonly owner: string | null;
  /** Brings remote files to local disk. */
  readonly landing: Landing;
  /** The source that holds the entry's bytes. */
  source(entry: FileEntry): Source;
  /** Runs the load in a worker thread. */
  load(job: LoadJob): Promise<LoadResult>;
  /** The path is to be looked at again: it changed or went. */
  lookAgain(entry: FileEntry): void;
  /** The entry ended, or an attempt at it failed: tell people. */
  reported(fileId: number): Promise<void>;
}

/**
 * The after action that an outcome plans; none when one has run for this file before (reprocess), and none for a file
 * that a person named.
 */
export function plannedAction(
  feed: FeedSpec,
  entry: FileEntry,
  outcome: 'loaded' | 'rejected' | 'duplicate',
  committedAt: string | null,
): NonNullable<EndOfFile['action']> | null {
  if (!entry.afterAction || isNamed(entry)) return null;
  return afterAction(feed.after[outcome], companionsOf(feed.source, entry.file.path), committedAt);
}

/** The entry has its end: ledger first, then people. */
export async function end(
  parts: ProcessParts,
  entry: FileEntry,
  ended: EndOfFile,
  reason: string,
): Promise<WorkOutcome> {
  const seconds = { land: parts.landing.secondsOf(entry.fileId), load: ended.seconds?.load ?? 0 };
  const landed = entry.landedPath === null ? {} : { seconds, ...(parts.landing.keeps ? {} : { landedPath: null }) };
  const { closed } = await parts.ledger.end(entry.fileId, { ...ended, ...landed }, parts.actor, reason);
  await parts.reported(entry.fileId);
  for (const fileId of closed) await parts.reported(fileId);
  return { kind: 'done' };
}
