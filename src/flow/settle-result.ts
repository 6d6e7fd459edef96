import { setTimeout as sleep } from 'node:timers/promises';
import type { FeedSpec } from '../core/feed/feed.js';
import { TallymanError } from '../core/errors.js';
import type { EndOfFile } from '../core/ledger/queue.js';
import type { FileEntry } from '../core/entry.js';
import type { LoadResult } from '../core/load.js';
import { isSamePlace } from '../core/ledger/place.js';
import type { ReceiptRef } from '../core/receipts.js';
import { backoff } from '../base/backoff.js';
import { dialectDrift } from './dialect-drift.js';
import { withChangedContract } from './contract-advice.js';
import { attemptFailed, endFile, gone } from './end-file.js';
import type { WorkOutcome } from './outcome.js';
import { plannedAction } from './planned-action.js';
import { rowsBeside } from './rows-beside.js';
import type { FlowParts } from './flow-parts.js';

/**
 * Looks for the receipt of a load whose COMMIT got no answer before the work pauses; each waits for the old backend by
 * itself.
 */
const RESOLVE_TRIES = 5;

const UNCOUNTED = { uncount: true, retryAt: null, error: null } as const;

/** What a load's result means for the ledger. `loaded` and `rejected` are in PostgreSQL already: the ledger follows. */
export async function settleResult(
  parts: FlowParts,
  entry: FileEntry,
  feed: FeedSpec,
  result: LoadResult,
  firstOfPath: boolean,
): Promise<WorkOutcome> {
  switch (result.outcome) {
    case 'loaded':
    case 'rejected': {
      parts.sameTrouble.passed();
      const loaded = result.outcome === 'loaded';
      const changed = loaded ? await dialectDrift(parts, feed, result.dialect, result.rows.read) : [];
      for (const { message } of changed)
        parts.log.warn({ feed: entry.feed, file_id: entry.fileId, code: 'DRIFT' }, `${entry.file.path}: ${message}`);
      const mayStandTwice = loaded && !firstOfPath && feed.order !== 'newest';
      const beside = mayStandTwice ? await rowsBeside(parts, entry, result.replaced) : [];
      const drift = [...result.drift, ...changed, ...beside];
      const ended: EndOfFile = {
        state: result.outcome,
        sha256: result.sha256,
        contentSha256: result.contentSha256 ?? null,
        loadId: result.loadId,
        rows: result.rows,
        errors: result.errors,
        error: loaded ? null : withChangedContract(result.error, feed, drift),
        drift,
        committedAt: result.committedAt,
        seconds: { land: 0, load: result.seconds },
        replaced: result.replaced,
        olderSnapshots: loaded && feed.order === 'newest',
        action: plannedAction(feed, entry, result.outcome, result.committedAt),
      };
      return await endFile(parts, entry, ended, loaded ? 'committed' : result.error.message);
    }
    case 'lost-race':
      return await lostRace(parts, entry, feed, result);
    case 'changed':
      await parts.ledger.unclaim(entry.fileId, UNCOUNTED, parts.actor, result.message);
      parts.lookAgain(entry);
      return { kind: 'aside' };
    case 'vanished':
      return await gone(parts, entry, result.message);
    case 'unreachable':
      if (result.reach === 'file') return await perhapsItsOwn(parts, entry, feed, TallymanError.from(result.error));
      await parts.ledger.unclaim(entry.fileId, UNCOUNTED, parts.actor, result.error.message);
      if (result.error.code === 'INTERRUPTED') return { kind: 'aside' };
      return {
        kind: result.reach === 'table' ? 'pause-feed' : 'pause-database',
        error: TallymanError.from(result.error),
      };
    case 'misfit':
      await parts.ledger.unclaim(entry.fileId, UNCOUNTED, parts.actor, result.error.message);
      return { kind: 'pause-feed', error: TallymanError.from(result.error) };
    case 'unknown':
      return await recoverUnknown(parts, entry, feed, TallymanError.from(result.error));
    case 'failed':
      return await attemptFailed(parts, entry, feed, TallymanError.from(result.error));
    case 'checked':
    case 'known-path':
    case 'known-content':
      throw new TallymanError('INTERNAL', `${result.outcome} is no end of a load`);
  }
}

/** Failures in the same way after which a file has its end while others pass. */
const SAME_WAY = 3;

/**
 * The database works and refused this load in a way that time may mend. As long as others fail the same way and none
 * gets through it is nobody's fault: the feed pauses, and another file tries first. Once means nothing either (somebody
 * cancelled the statement): it uses no attempt. A file that fails so again while others pass is alone with it.
 */
async function perhapsItsOwn(
  parts: FlowParts,
  entry: FileEntry,
  feed: FeedSpec,
  error: TallymanError,
): Promise<WorkOutcome> {
  const retryAt = new Date(Date.now() + feed.retry.backoffMs).toISOString();
  if (parts.sameTrouble.isAlone(entry.fileId, error.message)) {
    if (entry.error?.message.startsWith(error.message) !== true) {
      const first = { ...UNCOUNTED, retryAt, error: error.reported() };
      await parts.ledger.unclaim(entry.fileId, first, parts.actor, error.message);
      await parts.reported(entry.fileId);
      return { kind: 'retry' };
    }
    // The first one was not counted.
    const attempts = Math.min(SAME_WAY - 1, feed.retry.attempts);
    const own = new TallymanError('DATABASE_REFUSED', `${error.message}. Other loads do not fail in this way`, {
      fix:
        'Look at what hangs on the staging table (triggers, their libraries, policies that cancel); then ' +
        '`tallyman retry FILE_ID`.',
    });
    return await attemptFailed(parts, entry, { ...feed, retry: { ...feed.retry, attempts } }, own);
  }
  await parts.ledger.unclaim(entry.fileId, { ...UNCOUNTED, retryAt }, parts.actor, error.message);
  return { kind: 'pause-feed', error, later: true };
}

/**
 * Another receipt holds this content: the same path adopts it, another path follows on_duplicate. Never `failed`
 * (docs/spec/postgresql.md#loads).
 */
async function lostRace(
  parts: FlowParts,
  entry: FileEntry,
  feed: FeedSpec,
  { winner, sha256, contentSha256 = null }: Extract<LoadResult, { outcome: 'lost-race' }>,
): Promise<WorkOutcome> {
  const repacked = winner.sha256 === sha256 ? '' : ', delivered packed another way';
  const isOurs = winner.instanceId === parts.ledger.instanceId || isSamePlace(parts.place, winner);
  const samePath = winner.path === entry.file.path;
  if (samePath && isOurs) {
    const holder = await parts.ledger.byLoadKey(winner.loadKey);
    if ((holder === null && repacked === '') || holder?.fileId === entry.fileId)
      return await adopt(parts, entry, feed, winner, 'another tallyman loaded this very file');
    const duplicateOf = holder?.fileId ?? null;
    const name = duplicateOf === null ? `load ${winner.loadId}` : `file ${duplicateOf}`;
    return await endFile(
      parts,
      entry,
      { state: 'duplicate', duplicateOf, sha256, contentSha256 },
      `same content as ${name}, loaded under this path${repacked}`,
    );
  }
  const duplicateOf = (await parts.ledger.byLoadId(winner.loadId))?.fileId ?? null;
  const reason = `same content as ${samePath ? winner.fileUri : winner.path} (load ${winner.loadId})${repacked}`;
  // Two live loads of one feed, path and content cannot be, wherever they come from.
  switch (samePath && feed.onDuplicate === 'load' ? 'skip' : feed.onDuplicate) {
    case 'skip':
      return await endFile(
        parts,
        entry,
        {
          state: 'duplicate',
          duplicateOf,
          sha256,
          contentSha256,
          action: plannedAction(feed, entry, 'duplicate', null),
        },
        reason,
      );
    case 'hold':
      return await endFile(parts, entry, { state: 'held', sha256, contentSha256 }, reason);
    case 'load':
      // Decide again, now that the other load is known: it will be allowed beside it.
      await parts.ledger.takeReceipts([winner], (receipt) => isSamePlace(parts.place, receipt));
      await parts.ledger.setContent(entry.fileId, sha256, contentSha256);
      await parts.ledger.unclaim(entry.fileId, UNCOUNTED, parts.actor, reason);
      return { kind: 'done' };
  }
}

/** The receipt is the database's word: the entry takes its counts. */
export async function adopt(
  parts: FlowParts,
  entry: FileEntry,
  feed: FeedSpec,
  receipt: ReceiptRef,
  reason: string,
): Promise<WorkOutcome> {
  const { status } = receipt;
  const error =
    status === 'rejected'
      ? new TallymanError('LOAD_FAILED', `rejected (${receipt.errorCode ?? 'see the quarantine'})`).reported()
      : null;
  const ended: EndOfFile = {
    state: status,
    sha256: receipt.sha256,
    contentSha256: receipt.contentSha256 ?? null,
    loadId: receipt.loadId,
    loadKey: receipt.loadKey,
    generation: receipt.generation,
    rows: receipt.rows,
    error,
    committedAt: receipt.committedAt,
    replaced: receipt.replaces,
    olderSnapshots: status === 'loaded' && feed.order === 'newest',
    action:
      status === 'loaded' || status === 'rejected' ? plannedAction(feed, entry, status, receipt.committedAt) : null,
  };
  return await endFile(parts, entry, ended, reason);
}

/** COMMIT was sent and no answer came: the receipt decides (docs/architecture.md#recovery). */
export async function recoverUnknown(
  parts: FlowParts,
  entry: FileEntry,
  feed: FeedSpec,
  cause: TallymanError,
): Promise<WorkOutcome> {
  if (entry.loadKey === null) throw new TallymanError('INTERNAL', `file ${entry.fileId} is loading without a load_key`);
  for (let tries = 1; ; tries++) {
    try {
      const receipt = await parts.receipts.resolve(entry.loadKey);
      if (receipt !== null)
        return await adopt(parts, entry, feed, receipt, 'the receipt was found after the connection was lost');
      await parts.ledger.unclaim(
        entry.fileId,
        UNCOUNTED,
        parts.actor,
        `no receipt: the load was rolled back (${cause.message})`,
      );
      return { kind: 'pause-database', error: cause };
    } catch (error) {
      const known = TallymanError.of(error);
      if (known.blame !== 'pause') throw known;
      // The entry stays `loading` with its load_key: processFile asks again when the pause is over, recover.ts at the
      // next start.
      if (tries >= RESOLVE_TRIES) return { kind: 'pause-database', error: known };
      await sleep(backoff(tries, { baseMs: 500, maxMs: 5_000 }));
    }
  }
}
