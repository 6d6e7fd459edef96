import { hexOf, sha } from './entry-rows.js';
import type { Store } from './store/store.js';

/**
 * Deliveries of one content that are looked through at most. Far more were never meant: each of them was packed anew.
 * What is live is also told by the unique index of the receipts.
 */
const MOST_DELIVERIES = 1_000;

/** Inside a write: what is packed in the files of these bytes. Nothing where they are the content themselves. */
export function rememberPacked(store: Store, feed: number, sha256: string | null, content: string | null): void {
  if (sha256 === null || content === null || sha256 === content) return;
  store.run('insert or replace into packed values (?, ?, ?)', feed, sha(sha256), sha(content));
}

/** What is packed in the files of these bytes, as far as it is known. */
export function packedIn(store: Store, feed: number, sha256: Buffer | null): string | null {
  if (sha256 === null) return null;
  const row = store.get('select content_sha256 from packed where feed_id = ? and sha256 = ?', feed, sha256);
  return row === null ? null : hexOf(row, 'content_sha256');
}

export const isMixed = (store: Store, feed: number): boolean =>
  store.get('select 1 from packed where feed_id = ? limit 1', feed) !== null;

/** Every delivery of the same content: these bytes first, then what is in them, then other packings of either. */
export function deliveriesOf(store: Store, feed: number, sha256: Buffer | null, content: Buffer | null): Buffer[] {
  const own = [sha256, content].filter((hash) => hash !== null);
  const found = new Map(own.map((hash) => [hash.toString('hex'), hash]));
  for (const hash of own) {
    const rows = store.all(
      'select sha256 from packed where feed_id = ? and content_sha256 = ? limit ?',
      feed,
      hash,
      MOST_DELIVERIES,
    );
    for (const row of rows) {
      const hex = hexOf(row, 'sha256');
      if (hex !== null) found.set(hex, Buffer.from(hex, 'hex'));
    }
  }
  return [...found.values()];
}
