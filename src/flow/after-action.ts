import type { AfterAction } from '../core/feed/after.js';
import type { EndOfFile } from '../core/ledger/queue.js';
import { expandTime } from '../base/time-letters.js';

/**
 * The after action to plan with an outcome: time letters are the commit time in UTC (SPEC 3.4), so that a retry a day
 * later moves to the same place.
 */
export function afterAction(
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
