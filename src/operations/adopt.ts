import { randomUUID } from 'node:crypto';
import type { FeedSpec } from '../core/feed/feed.js';
import type { Arrivals } from '../core/ledger/arrivals.js';
import type { ReceiptBook } from '../core/ledger/receipt-book.js';
import type { Surroundings } from '../core/ledger/surroundings.js';
import type { Source } from '../core/source.js';
import type { Receipts } from '../core/receipts.js';
import { globMatcher } from '../base/glob-matcher.js';
import type { Config } from '../config/config.js';
import { isBeside } from '../sources/common/companion.js';
import { besideDaemon } from '../flow/renamed-feeds.js';
import { settleNames } from '../flow/recover.js';

type AdoptLedger = Surroundings & Arrivals & Pick<ReceiptBook, 'newestLoad' | 'knownLoads'>;

interface AdoptParts {
  readonly config: Pick<Config, 'feeds' | 'host'>;
  readonly dataDir: string;
  /** Throws UNKNOWN_FEED. */
  feed(name: string): FeedSpec;
  ledger(): AdoptLedger;
  receipts(): Promise<Receipts>;
  source(feed: FeedSpec): Source;
}

interface AdoptInput {
  readonly feed: string;
  /** Only files changed before then, ISO 8601; null = all. */
  readonly before: string | null;
  /** Only paths that the glob meets; null = all. */
  readonly match: string | null;
  readonly actor: string;
}

interface AdoptDocument {
  readonly feed: string;
  readonly seen: number;
  readonly adopted: number;
}

/** Records the files present as `ignored`, in the ledger and as receipts, without reading them. */
export async function adopt(parts: AdoptParts, input: AdoptInput, signal: AbortSignal): Promise<AdoptDocument> {
  const feed = parts.feed(input.feed);
  const stores = { configured: parts.config.feeds, dataDir: parts.dataDir, ledger: parts.ledger() };
  const source = parts.source(feed);
  try {
    const receipts = await parts.receipts();
    await besideDaemon(stores, () => settleNames({ ...stores, receipts }));
    return {
      feed: feed.name,
      ...(await adoptListed({ ledger: stores.ledger, receipts, source, host: parts.config.host }, feed, input, signal)),
    };
  } finally {
    await source.close();
  }
}

async function adoptListed(
  parts: { readonly ledger: AdoptLedger; readonly receipts: Receipts; readonly source: Source; readonly host: string },
  feed: FeedSpec,
  input: AdoptInput,
  signal: AbortSignal,
): Promise<{ readonly seen: number; readonly adopted: number }> {
  const { ledger, receipts, source, host } = parts;
  const meets = globMatcher(input.match ?? undefined);
  const beforeUs = input.before === null ? Infinity : Date.parse(input.before) * 1_000;
  const target = `${feed.target.schema}.${feed.target.table}`;
  let seen = 0;
  let adopted = 0;
  for await (const page of source.list(signal)) {
    const data = page.files.filter((file) => !isBeside(feed.source, file.path));
    seen += data.length;
    const unknown = await ledger.unknown(
      feed.name,
      data.filter(
        (file) => meets(file.path) && (input.before === null || (file.mtimeUs !== null && file.mtimeUs < beforeUs)),
      ),
    );
    if (unknown.length === 0) continue;
    const files = unknown.map((file) => ({ file, uri: source.uri(file.path), loadKey: randomUUID() }));
    // The receipts first: a crash in between leaves files that are adopted again, not files that a rebuilt ledger would
    // load.
    const loadIds = await receipts.adopt(
      files.map(({ file, uri, loadKey }) => ({
        loadKey,
        feed: feed.name,
        path: file.path,
        fileUri: uri,
        size: file.size,
        mtimeUs: file.mtimeUs,
        version: file.version,
        target,
      })),
      { instanceId: ledger.instanceId, host },
    );
    adopted += await ledger.adopt(
      feed.name,
      files.map((one) => ({ ...one, loadId: loadIds.get(one.loadKey) ?? null })),
      input.actor,
      'ledger adopt',
    );
  }
  return { seen, adopted };
}
