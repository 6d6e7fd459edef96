import type { ReceiptRef } from '../receipts.js';

/**
 * Where a path is, apart from its feed: a local file is named by host and full path, a remote one by its URI. Two
 * data_dirs that see the same place speak of the same file.
 */
export interface Place {
  /** What this host is called (`host:` in the config). */
  readonly host: string;
  /** The feed is in our config: of another one, the files are no concern of ours. */
  has(feed: string): boolean;
  /** URI that the feed gives to a path of its source; null = there is no such feed in the config. */
  uri(feed: string, path: string): string | null;
}

export const isLocalUri = (uri: string): boolean => uri.startsWith('file:');

/** True when the receipt's file is the one that we see under the same feed and path, whoever loaded it. */
export function isSamePlace(place: Place, receipt: Pick<ReceiptRef, 'feed' | 'path' | 'fileUri' | 'host'>): boolean {
  if (!place.has(receipt.feed) || place.uri(receipt.feed, receipt.path) !== receipt.fileUri) return false;
  return !isLocalUri(receipt.fileUri) || receipt.host === place.host;
}
