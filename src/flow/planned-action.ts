import { isNamed, type FileEntry } from '../core/entry.js';
import type { AfterAction } from '../core/feed/after-action.js';
import type { FeedSpec } from '../core/feed/feed.js';
import type { EndOfFile } from '../core/ledger/queue.js';
import { expandTime } from '../base/time-letters.js';
import { companionsOf } from '../sources/common/companion.js';

/**
 * The after action that an outcome plans; none when one has run for this file before (reprocess), and none for a file
 * that a person named.
 */
export function plannedAction(
  feed: FeedSpec,
  entry: FileEntry,
  outcome: 'loaded' | 'rejected' | 'duplicate',
  committedAt: string | null,
): NonNullable<EndOfFile['action']> | null {
  if (!entry.afterAction || isNamed(entry)) return null;
  return afterAction(feed.after[outcome], companionsOf(feed.source, entry.file.path), committedAt);
}

/** Time letters are the commit time in UTC, so that a retry a day later moves to the same place. */
function afterAction(
  action: AfterAction,
  companions: readonly string[],
  committedAt: string | null,
): NonNullable<EndOfFile['action']> | null {
  switch (action.kind) {
    case 'leave':
      return null;
    case 'delete':
      return { kind: 'delete', argument: '', companions };
    case 'move':
      return {
        kind: 'move',
        argument: expandTime(action.to, committedAt === null ? new Date() : new Date(committedAt)),
        companions,
      };
    case 'tag':
      return { kind: 'tag', argument: JSON.stringify(action.tags), companions };
  }
}
