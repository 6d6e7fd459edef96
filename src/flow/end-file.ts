import { backoff } from '../base/backoff.js';
import type { FileEntry } from '../core/entry.js';
import type { TallymanError } from '../core/errors.js';
import type { DriftNote } from '../core/format.js';
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
  const early = fromTheFuture(entry);
  for (const { message } of early)
    parts.log.warn({ feed: entry.feed, file_id: entry.fileId, code: 'DRIFT' }, `${entry.file.path}: ${message}`);
  const drift = [...(ended.drift ?? []), ...early];
  const { closed } = await parts.ledger.end(entry.fileId, { ...ended, ...landed, drift }, parts.actor, reason);
  await parts.reported(entry.fileId);
  for (const fileId of closed) await parts.reported(fileId);
  return { kind: 'done' };
}

/** Nothing is wrong with the file; a clock that is wrong would be noticed by nobody. */
function fromTheFuture({ arrivedUs, file }: FileEntry): readonly DriftNote[] {
  if (arrivedUs === null || file.mtimeUs === null) return [];
  const [mtime, arrived] = [file.mtimeUs, arrivedUs].map((us) =>
    new Date(Math.min(us / 1_000, LAST_DATE)).toISOString(),
  );
  return [
    {
      kind: 'mtime',
      column: '',
      message: `its mtime ${mtime ?? ''} lay in the future when it came: it counts as changed at ${arrived ?? ''}`,
    },
  ];
}

/** The last moment that a Date holds, milliseconds: a file may bear any time. */
const LAST_DATE = 8.64e15;

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
    { feed: entry.feed, file_id: entry.fileId, code: 'FILE_VANISHED' },
    `${entry.file.path}: ${reason}; it stays ${entry.before}`,
  );
  return { kind: 'done' };
}
