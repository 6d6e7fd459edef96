import type { Config } from '../config/config.js';
import type { FeedSpec } from '../core/feed/feed.js';
import type { Source } from '../core/source.js';
import { findUnmatched } from '../flow/unmatched.js';

type Counts = Readonly<Record<string, number>>;

interface Parts {
  readonly config: Pick<Config, 'feeds'>;
  source(feed: FeedSpec): Source;
}

/** Counts are as old as this at most, however often they are asked for. Milliseconds. */
const FRESH_MS = 60_000;
/** For one look at all folders. Milliseconds. */
const LOOK_MS = 10_000;

/**
 * What lies in the local folders and no pattern wants, by feed. Remote sources are not listed for it: a scrape must not
 * cost requests there. What cannot be listed in time keeps its last count.
 */
export function unmatchedCounts(parts: () => Parts): () => Promise<Counts> {
  let counts: Counts = {};
  let lookedAt = -Infinity;
  let looking: Promise<void> | null = null;
  const look = async (): Promise<void> => {
    const app = parts();
    const here = app.config.feeds.filter(({ source }) => source.type === 'local');
    try {
      const found = await findUnmatched(app.config.feeds, here, app, AbortSignal.timeout(LOOK_MS), new Date());
      counts = Object.fromEntries(here.map(({ name }) => [name, found.by_feed[name] ?? 0]));
    } catch {
      // The watchers tell of a folder that cannot be listed.
    } finally {
      lookedAt = performance.now();
      looking = null;
    }
  };
  return async () => {
    if (performance.now() - lookedAt >= FRESH_MS) await (looking ??= look());
    return counts;
  };
}
