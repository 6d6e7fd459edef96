import { randomUUID } from 'node:crypto';
import type { FeedSpec } from '../core/feed/feed.js';
import type { SeenFile } from '../core/file.js';
import type { Arrivals } from '../core/ledger/arrivals.js';
import type { ReceiptBook } from '../core/ledger/receipt-book.js';
import type { Surroundings } from '../core/ledger/surroundings.js';
import type { Source } from '../core/source.js';
import type { Receipts } from '../core/receipts.js';
import { isBeside } from '../sources/common/companion.js';
import { besideDaemon } from '../flow/renamed-feeds.js';
import { settleNames } from '../flow/recover.js';

/**
 * `ledger adopt`: records the files present that `wanted` picks as `ignored`, in the ledger and as receipts, without
 * reading them.
 */
export async function adoptPresent(
  parts: {
    readonly configured: readonly FeedSpec[];
    readonly dataDir: string;
    readonly ledger: Surroundings & Arrivals & Pick<ReceiptBook, 'newestLoad'>;
    readonly receipts: Receipts;
    readonly source: Source;
    readonly feed: FeedSpec;
    readonly actor: string;
    readonly wanted: (file: SeenFile) => boolean;
  },
  signal: AbortSignal,
): Promise<{ readonly seen: number; readonly adopted: number }> {
  const { ledger, receipts, source, feed } = parts;
  await besideDaemon(parts, () => settleNames(parts));
  const target = `${feed.target.schema}.${feed.target.table}`;
  let seen = 0;
  let adopted = 0;
  for await (const page of source.list(signal)) {
    const data = page.files.filter((file) => !isBeside(feed.source, file.path));
    seen += data.length;
    const unknown = await ledger.unknown(feed.name, data.filter(parts.wanted));
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
      ledger.instanceId,
    );
    adopted += await ledger.adopt(
      feed.name,
      files.map((one) => ({ ...one, loadId: loadIds.get(one.loadKey) ?? null })),
      parts.actor,
      'ledger adopt',
    );
  }
  return { seen, adopted };
}
