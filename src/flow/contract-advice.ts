import { changedContract } from '../config/changed-contract.js';
import type { FeedSpec } from '../core/feed/feed.js';
import type { DriftNote } from '../core/format.js';
import type { ReportedError } from '../core/report.js';

/** A file that was rejected for its columns: the advice ends with the contract that would take it. */
export function withChangedContract(error: ReportedError, feed: FeedSpec, drift: readonly DriftNote[]): ReportedError {
  if (error.code !== 'UNKNOWN_COLUMNS' && error.code !== 'MISSING_COLUMNS') return error;
  const contract = changedContract(feed, drift);
  return contract === null ? error : { ...error, fix: `${error.fix} The contract as this file has it:\n${contract}` };
}
