import type { FeedSpec } from '../../core/feed/feed.js';

/** Delivered bytes up to which a file counts as small: its transaction, not its rows, takes the time. */
const SMALL_BYTES = 128 * 1024;

/** True for files that may share a transaction with others (load-group.ts) and of which many are under way at once. */
export const isSmallFile = (size: number, feed: FeedSpec): boolean => size <= SMALL_BYTES && !feed.serial;
