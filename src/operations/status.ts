import { messageOf } from '../core/errors.js';
import type { Config } from '../config/config.js';
import type { FeedTroubles } from '../core/feed/trouble.js';
import type { FeedSummary, Reading } from '../core/ledger/reading.js';
import type { Surroundings } from '../core/ledger/surroundings.js';
import type { FeedSpec } from '../core/feed/feed.js';
import type { Source } from '../core/source.js';
import { findUnmatched, type Unmatched } from '../flow/unmatched.js';
import type { Receipts } from '../core/receipts.js';
import { NO_ROWS, type FileReport } from '../core/report.js';
import { notedTroubles } from '../flow/feed-troubles.js';

interface StatusParts {
  readonly config: Pick<Config, 'feeds'>;
  source(feed: FeedSpec): Source;
  ledger(): Pick<Reading, 'feedSummaries'> & Pick<Surroundings, 'getMeta'>;
  receipts(): Promise<Pick<Receipts, 'openQuarantine'>>;
}

export interface StatusDocument {
  readonly items: readonly FeedStatus[];
  /** Files in local folders that no pattern wants; remote sources are not asked here. */
  readonly unmatched: Unmatched;
  /** Why open_quarantine is not known; null = it is. */
  readonly database_error: { readonly code: string; readonly message: string } | null;
}

export interface FeedStatus {
  readonly feed: string;
  /** False for a feed that only the ledger knows. */
  readonly configured: boolean;
  readonly last_file: FileReport | null;
  readonly today: FeedSummary['today'];
  readonly open_quarantine: number | null;
  readonly states: FeedSummary['states'];
  /** What stood in its way, and what it passed over, when it was last worked on. */
  readonly troubles: FeedTroubles;
  /** Files in its folder that no pattern wants; null = its source is not on this host. */
  readonly unmatched: number | null;
}

/** For listing local folders. Milliseconds. */
const LOOK_MS = 10_000;
const NOT_LOOKED: Unmatched = { count: 0, more: true, by_feed: {}, items: [] };

/** Each feed of the config and of the ledger: its last file, what ended since local midnight, what is open. */
export async function status(parts: StatusParts, now: Date): Promise<StatusDocument> {
  const dayStart = new Date(now.getFullYear(), now.getMonth(), now.getDate()).toISOString();
  const summaries = new Map((await parts.ledger().feedSummaries(dayStart)).map((summary) => [summary.feed, summary]));
  const configured = new Set(parts.config.feeds.map((feed) => feed.name));
  const { feeds } = parts.config;
  const here = feeds.filter(({ source }) => source.type === 'local');
  const unmatched = await findUnmatched(feeds, here, parts, AbortSignal.timeout(LOOK_MS), now).catch(() => NOT_LOOKED);
  const items: FeedStatus[] = [];
  let databaseError: StatusDocument['database_error'] = null;
  for (const feed of new Set([...configured, ...summaries.keys()])) {
    const summary = summaries.get(feed);
    let open: number | null = null;
    if (databaseError === null) {
      try {
        open = await (await parts.receipts()).openQuarantine(feed);
      } catch (error) {
        // The ledger's part stands without the database.
        databaseError = { code: 'DATABASE_UNREACHABLE', message: messageOf(error) };
      }
    }
    items.push({
      feed,
      configured: configured.has(feed),
      last_file: summary?.lastFile ?? null,
      today: summary?.today ?? { files: {}, rows: NO_ROWS },
      open_quarantine: open,
      states: summary?.states ?? {},
      troubles: await notedTroubles(parts.ledger(), feed),
      unmatched: here.some(({ name }) => name === feed) ? (unmatched.by_feed[feed] ?? 0) : null,
    });
  }
  return { items, unmatched, database_error: databaseError };
}
