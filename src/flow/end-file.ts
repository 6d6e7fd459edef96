import { backoff } from '../base/backoff.js';
import type { FileEntry } from '../core/entry.js';
import type { TallymanError } from '../core/errors.js';
import type { FeedSpec } from '../core/feed/feed.js';
import type { EndOfFile } from '../core/ledger/queue.js';
import type { WorkOutcome } from './outcome.js';
import type { FlowParts } from './flow-parts.js';

/** The entry has its end: ledger first, then people. */
export async function endFile(
  parts: FlowParts,
  entry: FileEntry,
  ended: EndOfFile,
  reason: string,
): Promise<WorkOutcome> {
  const seconds = { land: parts.landing.secondsOf(entry.fileId), load: ended.seconds?.load ?? 0 };
  const landed = entry.landedPath === null ? {} : { seconds, ...(parts.landing.keeps ? {} : { landedPath: null }) };
  const { closed } = await parts.ledger.end(entry.fileId, { ...ended, ...landed }, parts.actor, reason);
  await parts.reported(entry.fileId);
  for (const fileId of closed) await parts.reported(fileId);
  return { kind: 'done' };
}

/** An attempt was used: again after the backoff, or `failed` when it was the last. */
export async function attemptFailed(
  parts: FlowParts,
  entry: FileEntry,
  feed: FeedSpec,
  error: TallymanError,
): Promise<WorkOutcome> {
  if (entry.attempts >= feed.retry.attempts)
    return await endFile(parts, entry, { state: 'failed', error: error.reported() }, error.message);
  const retryAt = new Date(
    Date.now() + backoff(entry.attempts, { baseMs: feed.retry.backoffMs, maxMs: feed.retry.maxBackoffMs }),
  ).toISOString();
  await parts.ledger.unclaim(
    entry.fileId,
    { uncount: false, retryAt, error: error.reported() },
    parts.actor,
    error.message,
  );
  await parts.reported(entry.fileId);
  return { kind: 'retry' };
}

/** One that an operator had taken again goes back to the end it had: nothing of it was touched. */
export async function gone(parts: FlowParts, entry: FileEntry, reason: string): Promise<WorkOutcome> {
  if (entry.before === null) return await endFile(parts, entry, { state: 'vanished' }, reason);
  await parts.ledger.giveBack(entry.fileId, parts.actor, reason);
  parts.log.warn(
    { feed: entry.feed, file_id: entry.fileId },
    `${entry.file.path}: ${reason}; it stays ${entry.before}`,
  );
  return { kind: 'done' };
}
