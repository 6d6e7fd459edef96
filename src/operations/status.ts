import { messageOf } from '../core/errors.js';
import type { Config } from '../config/config.js';
import type { FeedTroubles } from '../core/feed/trouble.js';
import type { FeedSummary, Reading } from '../core/ledger/reading.js';
import type { Requests } from '../core/ledger/requests.js';
import type { Surroundings } from '../core/ledger/surroundings.js';
import type { FeedSpec } from '../core/feed/feed.js';
import type { Source } from '../core/source.js';
import { findUnmatched, type Unmatched } from '../flow/unmatched.js';
import type { Holder } from '../core/ledger/workers.js';
import type { Receipts } from '../core/receipts.js';
import { NO_ROWS, type FileReport } from '../core/report.js';
import { OPEN_STATES } from '../core/states.js';
import { notedTroubles } from '../flow/feed-troubles.js';

interface StatusParts {
  readonly config: Pick<Config, 'feeds'>;
  source(feed: FeedSpec): Source;
  holder(): Holder | null;
  ledger(): Pick<Reading, 'feedSummaries'> & Pick<Requests, 'openRequests'> & Pick<Surroundings, 'getMeta'>;
  receipts(): Promise<Pick<Receipts, 'openQuarantine'>>;
}

/** What the tally is of. Omitted: from local midnight on. ISO 8601. */
export interface StatusWindow {
  readonly since?: string;
  readonly until?: string;
}

export interface StatusDocument {
  readonly items: readonly FeedStatus[];
  /** Files in local folders that no pattern wants; remote sources are not asked here. */
  readonly unmatched: Unmatched;
  /** Why open_quarantine is not known; null = it is. */
  readonly database_error: { readonly code: string; readonly message: string } | null;
  /** The process that works on the feeds (`run`, with or without --once); null = none does. */
  readonly daemon: Holder | null;
  /** What the tally (`today`) is of. `until` null = up to now. */
  readonly window: { readonly since: string; readonly until: string | null };
  /** Files that wait for their turn or are being loaded, of all feeds. */
  readonly queue: number;
  /** Since when the one waits that has waited longest; null = none waits. */
  readonly waiting_since: string | null;
  /** Of operators, not carried out yet. */
  readonly open_requests: number;
  /** Sums of all feeds. */
  readonly total: {
    readonly files: number;
    readonly rows: {
      readonly read: number;
      readonly loaded: number;
      readonly quarantined: number;
      readonly skipped: number;
    };
    readonly open_quarantine: number | null;
  };
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
  /** Files that wait for their turn or are being loaded, and since when the first of them. */
  readonly queue: number;
  readonly waiting_since: string | null;
}

/** For listing local folders. Milliseconds. */
const LOOK_MS = 10_000;
const NOT_LOOKED: Unmatched = { count: 0, more: true, by_feed: {}, items: [] };

/**
 * Each feed of the config and of the ledger: its last file, what ended since local midnight (or within the window),
 * what is open; and who works on them.
 */
export async function status(parts: StatusParts, now: Date, window: StatusWindow = {}): Promise<StatusDocument> {
  const since = window.since ?? new Date(now.getFullYear(), now.getMonth(), now.getDate()).toISOString();
  const ledger = parts.ledger();
  const found = await ledger.feedSummaries(since, window.until);
  const summaries = new Map(found.map((summary) => [summary.feed, summary]));
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
    const hereUnmatched = here.some(({ name }) => name === feed) ? (unmatched.by_feed[feed] ?? 0) : null;
    const troubles = await notedTroubles(ledger, feed);
    items.push({
      ...feedStatus(feed, summary ?? null, open),
      configured: configured.has(feed),
      troubles,
      unmatched: hereUnmatched,
    });
  }
  return {
    items,
    unmatched,
    database_error: databaseError,
    daemon: parts.holder(),
    window: { since, until: window.until ?? null },
    queue: sum(items.map(({ queue }) => queue)),
    waiting_since: items.flatMap(({ waiting_since: at }) => (at === null ? [] : [at])).sort()[0] ?? null,
    open_requests: (await ledger.openRequests()).length,
    total: totalOf(items),
  };
}

const feedStatus = (
  feed: string,
  summary: FeedSummary | null,
  open: number | null,
): Omit<FeedStatus, 'configured' | 'troubles' | 'unmatched'> => ({
  feed,
  last_file: summary?.lastFile ?? null,
  today: summary?.today ?? { files: {}, rows: NO_ROWS },
  open_quarantine: open,
  states: summary?.states ?? {},
  queue: sum(OPEN_STATES.map((state) => summary?.states[state] ?? 0)),
  waiting_since: summary?.waitingSince ?? null,
});

function totalOf(items: readonly FeedStatus[]): StatusDocument['total'] {
  const rows = (key: 'read' | 'loaded' | 'quarantined' | 'skipped'): number =>
    sum(items.map(({ today }) => today.rows[key]));
  const open = items.map((item) => item.open_quarantine);
  return {
    files: sum(items.flatMap(({ today }) => Object.values(today.files))),
    rows: { read: rows('read'), loaded: rows('loaded'), quarantined: rows('quarantined'), skipped: rows('skipped') },
    open_quarantine: open.includes(null) ? null : sum(open.map((one) => one ?? 0)),
  };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
