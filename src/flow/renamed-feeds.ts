import { TallymanError } from '../core/errors.js';
import type { FeedSpec } from '../core/feed/feed.js';
import type { KnownFeed, Surroundings } from '../core/ledger/surroundings.js';
import type { ReceiptBook } from '../core/ledger/receipt-book.js';
import { acquireLock } from '../ledger/sqlite/lock.js';
import type { Receipts } from '../core/receipts.js';

/** Meta key of the ledger: load_id up to which receipts have been taken in. */
export const RECEIPTS_SEEN = 'receipts_seen';

/** A feed that goes on under a new name. */
export interface Renamed {
  readonly from: string;
  readonly to: string;
}

/**
 * `formerly` (docs/spec/configuration.md#renaming-a-feed): a new feed name over the source and table of a feed that has
 * gone is an error until it says `formerly: old_name` (ledger and receipts carry over) or `formerly: none`. Without
 * that rule a renamed feed would load its whole folder again. Returns what is to be renamed. Throws CONFIG_INVALID.
 *
 * `configured`: every feed of the config, not only those that run now.
 */
export function renamedFeeds(configured: readonly FeedSpec[], known: readonly KnownFeed[]): readonly Renamed[] {
  const names = new Set(configured.map((feed) => feed.name));
  // Those that were renamed before are not known any more; a feed that was only met by its name has no source yet.
  const gone = known.filter((feed) => !names.has(feed.name) && feed.source !== '');
  const renamed = configured.flatMap((feed) => renamedFrom(feed, known, gone));
  for (const { from, to } of renamed) {
    const twice = renamed.find((other) => other.from === from && other.to !== to);
    if (twice !== undefined)
      throw mistake(
        `feeds ${to} and ${twice.to} both say formerly: ${from}`,
        'Only one feed can go on from it; say formerly: none in the other.',
      );
  }
  return renamed;
}

function renamedFrom(feed: FeedSpec, known: readonly KnownFeed[], gone: readonly KnownFeed[]): readonly Renamed[] {
  const { name, formerly } = feed;
  if (formerly !== null && formerly !== 'none')
    return known.some((old) => old.name === formerly) ? [{ from: formerly, to: name }] : [];
  if (formerly === 'none' || known.some((old) => old.name === name && old.source !== '')) return [];
  const { source, target } = identity(feed);
  const targets = [target, ...(feed.target.formerly ?? []).map((one) => `${one.schema}.${one.table}`)];
  const before = gone.find((old) => old.source === source && targets.includes(old.target));
  if (before === undefined) return [];
  throw mistake(
    `feed ${name} reads the source and fills the table of feed ${before.name}, which is no longer in the config`,
    `Say formerly: ${before.name} in feed ${name} (its ledger and receipts carry over, nothing is loaded again), or formerly: none (everything there is new to it).`,
  );
}

/** In a form that equals itself as long as the place is the same: the pattern may change, it is no other source. */
function identity(feed: FeedSpec): KnownFeed {
  const options = Object.entries(feed.source.options).sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    name: feed.name,
    source: JSON.stringify([feed.source.type, options]),
    target: `${feed.target.schema}.${feed.target.table}`,
  };
}

/** Loads whose receipts are renamed with one call. */
const AT_ONCE = 5_000;

/**
 * Receipts first, then the ledger: a crash in between is repeated without harm. Not only those of this instance: the
 * ledger holds as its own also what another data_dir loaded from the same place.
 */
export async function carryOver(
  renamed: readonly Renamed[],
  ledger: Surroundings & Pick<ReceiptBook, 'knownLoads'>,
  receipts: Receipts,
): Promise<void> {
  for (const { from, to } of renamed) {
    for (let after: number | null = 0; after !== null;) {
      const loads = await ledger.knownLoads(after, AT_ONCE);
      const loadKeys = loads.map(({ loadKey }) => loadKey);
      await receipts.renameFeed(from, to, { instanceId: ledger.instanceId, loadKeys });
      after = loads.at(-1)?.loadId ?? null;
    }
    try {
      await ledger.renameFeed(from, to);
    } catch (error) {
      if (!(error instanceof TallymanError) || error.code !== 'WRONG_STATE') throw error;
      throw mistake(error.message, `Feed ${to} has files of its own: say formerly: none.`);
    }
  }
}

/** Remembers where each feed reads and writes, so that a new name over the same places is noticed. */
export async function registerFeeds(configured: readonly FeedSpec[], ledger: Surroundings): Promise<void> {
  const known = new Map((await ledger.feeds()).map((feed) => [feed.name, feed]));
  for (const feed of configured.map(identity)) {
    const before = known.get(feed.name);
    // Met by its name only, in receipts that others wrote: some of them are of files that we see from now on.
    if (before?.source === '') await ledger.setMeta(RECEIPTS_SEEN, '0');
    if (before?.source !== feed.source || before.target !== feed.target) await ledger.registerFeed(feed);
  }
}

/**
 * For commands that work beside a daemon: a name carries over only while none works under the old one, so `work`, which
 * does it, runs under the daemon's lock then. Throws ALREADY_RUNNING.
 */
export async function besideDaemon(
  parts: { readonly configured: readonly FeedSpec[]; readonly ledger: Surroundings; readonly dataDir: string },
  work: () => Promise<void>,
): Promise<void> {
  const lock =
    renamedFeeds(parts.configured, await parts.ledger.feeds()).length > 0 ? acquireLock(parts.dataDir) : null;
  try {
    await work();
  } finally {
    lock?.release();
  }
}

const mistake = (message: string, fix: string): TallymanError => new TallymanError('CONFIG_INVALID', message, { fix });
