import { takenAway } from '../base/expression/glob-list.js';
import { editDistance } from '../base/text/nearest.js';
import type { FeedSpec } from '../core/feed/feed.js';
import type { SourceSpec } from '../core/feed/source.js';
import type { Source } from '../core/source.js';
import { splitPath } from '../sources/common/extensions.js';
import { selectionOf } from '../sources/common/selection.js';

/** A file below a feed's folder that no feed's pattern wants. */
export interface UnmatchedFile {
  /** The feed in whose folder it stands. */
  readonly feed: string;
  readonly path: string;
  readonly uri: string;
  readonly size: number;
  /** Since it was last changed; null where the source has no time. */
  readonly age_seconds: number | null;
  /** The feed's pattern that its name comes nearest to. */
  readonly nearest_pattern: string;
}

export interface Unmatched {
  /** How many there are; of more than UNMATCHED_COUNTED a feed is not known how many more. */
  readonly count: number;
  readonly more: boolean;
  readonly by_feed: Readonly<Record<string, number>>;
  /** The first of them by name. */
  readonly items: readonly UnmatchedFile[];
}

/** Files that are named, and that are counted, of one feed. */
const NAMED = 20;
const UNMATCHED_COUNTED = 10_000;

/**
 * Lists what the feeds pass over: names that meet no pattern of any of them and no ignore, and are no marker. Feeds of
 * `looked` are listed; `all` may want what those leave. A source that cannot be listed is passed over: who works with
 * it says so.
 */
export async function findUnmatched(
  all: readonly FeedSpec[],
  looked: readonly FeedSpec[],
  parts: { source(feed: FeedSpec): Source },
  signal: AbortSignal,
  now: Date,
): Promise<Unmatched> {
  const wantedBy = wanters(all);
  const byFeed: Record<string, number> = {};
  const items: UnmatchedFile[] = [];
  const told = new Set<string>();
  let more = false;
  for (const feed of looked) {
    const source = parts.source({ ...feed, source: passedOver(feed.source) });
    let count = 0;
    const named: UnmatchedFile[] = [];
    try {
      for await (const page of source.list(signal)) {
        for (const file of page.files) {
          const uri = source.uri(file.path);
          // Two feeds over one folder see the same file.
          if (told.has(uri) || wantedBy(uri)) continue;
          if (told.size < UNMATCHED_COUNTED) told.add(uri);
          count++;
          if (named.length < NAMED) named.push(unmatchedFile(feed, file, uri, now));
        }
        if (count >= UNMATCHED_COUNTED) {
          more = true;
          break;
        }
      }
    } catch {
      signal.throwIfAborted();
    } finally {
      await source.close();
    }
    if (count > 0) byFeed[feed.name] = count;
    items.push(...named);
  }
  const count = Object.values(byFeed).reduce((sum, one) => sum + one, 0);
  return { count, more, by_feed: byFeed, items };
}

/** The same source, asked for what its patterns leave. What a pattern takes away on purpose is as ignored. */
function passedOver(spec: SourceSpec): SourceSpec {
  const away = spec.patterns.flatMap((glob) => takenAway(glob) ?? []);
  const wanted = spec.patterns.filter((glob) => takenAway(glob) === null);
  return {
    ...spec,
    named: [],
    patterns: ['*', ...wanted.map((glob) => `!${glob}`)],
    ignore: [...spec.ignore, ...away],
  };
}

/** Whether some feed's pattern takes the file of this uri. */
function wanters(feeds: readonly FeedSpec[]): (uri: string) => boolean {
  const sides = feeds.map(({ source }) => {
    const { dir } = source.options;
    return { dir: typeof dir === 'string' ? dir.replace(/\/$/, '') : null, takes: selectionOf(source).takes };
  });
  return (uri) => {
    const whole = decoded(new URL(uri).pathname);
    return sides.some(({ dir, takes }) => {
      if (dir === null) return takes(whole.replace(/^\//, ''));
      const root = dir.startsWith('/') ? `${dir}/` : `/${dir}/`;
      return whole.startsWith(root) && takes(whole.slice(root.length));
    });
  };
}

function decoded(pathname: string): string {
  try {
    return decodeURIComponent(pathname);
  } catch {
    // Bytes that are no UTF-8 stand in the path as they stand in the uri.
    return pathname;
  }
}

function unmatchedFile(
  feed: FeedSpec,
  file: { readonly path: string; readonly size: number; readonly mtimeUs: number | null },
  uri: string,
  now: Date,
): UnmatchedFile {
  const { name } = splitPath(file.path);
  const near = feed.source.patterns
    .filter((glob) => takenAway(glob) === null)
    .map((glob) => ({ glob, distance: editDistance(name.slice(0, 255), glob) }))
    .sort((a, b) => a.distance - b.distance);
  return {
    feed: feed.name,
    path: file.path,
    uri,
    size: file.size,
    age_seconds: file.mtimeUs === null ? null : Math.max(0, Math.round(now.getTime() / 1_000 - file.mtimeUs / 1e6)),
    nearest_pattern: near[0]?.glob ?? '',
  };
}
