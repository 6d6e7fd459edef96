import { TallymanError } from '../core/errors.js';
import type { FeedSpec } from '../core/feed/feed.js';
import type { FileEntry } from '../core/entry.js';
import type { ReceiptBook } from '../core/ledger/receipt-book.js';
import { DAEMON } from '../core/ledger/workers.js';
import type { Surroundings } from '../core/ledger/surroundings.js';
import type { Receipts } from '../core/receipts.js';
import { forgetProgress, readProgress } from '../load/progress.js';
import { carryOver, RECEIPTS_SEEN, registerFeeds, renamedFeeds } from './renamed-feeds.js';
import { standsAs } from '../core/entry.js';
import { isSamePlace } from '../core/ledger/place.js';
import type { ReceiptRef } from '../core/receipts.js';
import type { FlowParts } from './flow-parts.js';
import { adopt } from './settle-result.js';

/** Deaths of the process in the same chunk of a file after which it is parked (docs/spec/states.md#attempts). */
const DEATHS_MAX = 3;
/** Receipts read a page. */
const PAGE = 1_000;
/**
 * load_ids come from a sequence, and a smaller one can commit after a larger one: this many are looked at again at
 * every start.
 */
const OVERLAP = 1_000;
/** Meta key of the ledger: which server process answered when all loads were compared last (Receipts.serverMark). */
const SERVER = 'database_server';

/**
 * Brings ledger and database together before any work is done, at start and after the database was away
 * (docs/architecture.md#recovery): the right database? what was under way when a process died? which feeds have a new
 * name? which receipts does the ledger lack? which loads does the database no longer know? Throws DATABASE_UNREACHABLE,
 * DATABASE_CHANGED and CONFIG_INVALID.
 */
export async function reconcileStores(parts: FlowParts, feeds: ReadonlyMap<string, FeedSpec>): Promise<void> {
  await settleNames(parts);
  // A `load` command sees to its own file only: what the daemon beside it has in hand is alive.
  for (const entry of await parts.ledger.interrupted(parts.worker)) await recoverOne(parts, feeds, entry);
  if (parts.worker === DAEMON) await takeOver(parts, feeds);
  await takeReceipts(parts);
  await lostReceipts(parts);
}

/** What names are settled with: less than the straight line needs, so that commands have it too. */
interface NameParts {
  readonly ledger: Surroundings & Pick<ReceiptBook, 'newestLoad' | 'knownLoads'>;
  readonly receipts: Receipts;
}

/** The right database, and every feed under its name of today. Comes before anything is written under a feed's name. */
export async function settleNames(parts: NameParts & Pick<FlowParts, 'configured'>): Promise<void> {
  const { ledger, receipts, configured } = parts;
  await sameDatabase(parts);
  await carryOver(renamedFeeds(configured, await ledger.feeds()), ledger, receipts);
  await registerFeeds(configured, ledger);
}

/**
 * Another database, or an empty one, while the ledger remembers loads: stop and explain, or every file would be loaded
 * again there.
 */
async function sameDatabase({ ledger, receipts }: NameParts): Promise<void> {
  const remembered = await ledger.getMeta('database_id');
  if (remembered !== null) {
    const found = await receipts.databaseId();
    if (found !== remembered && (await ledger.newestLoad()) !== null) {
      throw new TallymanError(
        'DATABASE_CHANGED',
        found === null
          ? 'the database has no tallyman control schema, but the ledger remembers loads into it: it was dropped, restored to an earlier time, or the URL names another database'
          : `the ledger belongs to database ${remembered}, and this one is ${found}`,
      );
    }
  }
  const { databaseId } = await receipts.prepare();
  if (databaseId !== remembered) await ledger.setMeta('database_id', databaseId);
}

/**
 * Files of `load` commands that died, or gave up before an outcome, are the daemon's from now on. Returns their feeds.
 */
export async function takeOver(parts: FlowParts, feeds: ReadonlyMap<string, FeedSpec>): Promise<readonly string[]> {
  const taken: string[] = [];
  for await (const entry of parts.ledger.expired()) {
    try {
      if (entry.lease !== null) await recoverOne(parts, feeds, entry);
      if (entry.owner !== null) await parts.ledger.takeOver(entry.fileId, entry.owner);
      taken.push(entry.feed);
    } catch (error) {
      // Somebody gave the command again while its outcome was looked for: the file is in that one's hands.
      if (TallymanError.of(error).code !== 'WRONG_STATE') throw error;
    }
  }
  return taken;
}

/** What some process left in the middle. A load whose COMMIT may have got through is decided by its receipt. */
async function recoverOne(parts: FlowParts, feeds: ReadonlyMap<string, FeedSpec>, entry: FileEntry): Promise<void> {
  const { ledger, receipts, log, actor } = parts;
  if (entry.state !== 'loading' || entry.loadKey === null)
    return await ledger.move(entry.fileId, 'discovered', actor, 'the process ended before it was loaded');
  const receipt = await receipts.resolve(entry.loadKey);
  const feed = feeds.get(entry.feed);
  if (receipt !== null) {
    if (feed === undefined) return;
    await adopt(parts, entry, feed, receipt, 'the process ended after COMMIT; the receipt was found');
    await parts.landing.leave(entry, true);
    return;
  }
  const chunk = readProgress(parts.dataDir, entry.fileId);
  // It tells of this death only: a process that dies before it parses again must not be counted at the old place. Gone
  // before it is counted, so that a crash in between counts one too few, never one too many.
  forgetProgress(parts.dataDir, entry.fileId);
  const deaths = chunk === null ? 0 : await ledger.died(entry.fileId, chunk);
  if (deaths >= DEATHS_MAX) {
    const error = new TallymanError(
      'POISON',
      `the process died ${deaths} times while it worked on chunk ${chunk} of ${entry.file.path}`,
    );
    await ledger.end(entry.fileId, { state: 'failed', error: error.reported() }, actor, error.message);
    log.error({ feed: entry.feed, file_id: entry.fileId, code: error.code, fix: error.fix }, error.message);
    await parts.reported(entry.fileId);
    await parts.landing.leave(entry, true);
  } else {
    await ledger.unclaim(
      entry.fileId,
      { uncount: true, retryAt: null, error: null, lease: entry.lease },
      actor,
      'the process ended in the middle; the load was rolled back',
    );
  }
}

/** Receipts that the ledger lacks: it was lost or restored, or another data_dir loads into the same tables. */
async function takeReceipts(parts: FlowParts): Promise<void> {
  await takeFrom(parts, Math.max(0, Number((await parts.ledger.getMeta(RECEIPTS_SEEN)) ?? '0') - OVERLAP));
}

async function takeFrom({ ledger, receipts, place }: FlowParts, from: number): Promise<void> {
  const isHere = (receipt: ReceiptRef): boolean => isSamePlace(place, receipt);
  let after = from;
  for (;;) {
    const page = await receipts.after(after, PAGE);
    const last = page.at(-1);
    if (last === undefined) return;
    await ledger.takeReceipts(page, isHere);
    after = last.loadId;
    await ledger.setMeta(RECEIPTS_SEEN, String(after));
  }
}

/**
 * True when another server process answers than the one with which all loads were compared last. A standby is not
 * asked: it may lack commits that are on their way.
 */
export async function isAnotherServer({ ledger, receipts }: FlowParts): Promise<boolean> {
  const mark = await receipts.serverMark();
  return mark !== null && mark !== (await ledger.getMeta(SERVER));
}

/** What reconcileStores does about the database, once more under a running daemon. Throws DATABASE_CHANGED. */
export async function compareAgain(parts: FlowParts): Promise<void> {
  await sameDatabase(parts);
  await takeReceipts(parts);
  await lostReceipts(parts);
}

/**
 * The database was restored to an earlier time, or a standby that lacked the latest commits took over: loads of which
 * it knows nothing any more are taken again, or `failed` when their bytes are gone. Loads made since then hide the lost
 * ones behind a newest that is there, so after a change of server all are compared.
 */
async function lostReceipts(parts: FlowParts): Promise<void> {
  const { ledger, receipts } = parts;
  const mark = await receipts.serverMark();
  const newest = await ledger.newestLoad();
  const isSame = mark === (await ledger.getMeta(SERVER));
  if (newest !== null && !(isSame && (await receipts.present([newest.loadKey])).has(newest.loadKey)))
    await compareLoads(parts);
  if (mark !== null && !isSame) await ledger.setMeta(SERVER, mark);
}

async function compareLoads(parts: FlowParts): Promise<void> {
  const { ledger, receipts, log } = parts;
  let lost = 0;
  for (let after = 0; ;) {
    const page = await ledger.knownLoads(after, PAGE);
    const last = page.at(-1);
    if (last === undefined) return;
    const present = await receipts.present(page.map((load) => load.loadKey));
    for (const { loadKey, loadId, fileId } of page) {
      if (present.has(loadKey)) continue;
      if (lost++ === 0) {
        log.warn(
          { load_id: loadId, code: 'RECEIPT_LOST' },
          'the database does not know loads that the ledger remembers: it was restored, or a standby took over that lacked them; they are taken again',
        );
        // What the lost loads had replaced is live again, and must be known to be before they are decided on anew: else
        // it would stand beside them.
        await takeFrom(parts, 0);
      }
      const entry = await ledger.entry(fileId);
      await ledger.receiptLost(
        loadKey,
        entry !== null && (await bytesThere(parts, entry)) ? 'discovered' : 'failed',
        parts.actor,
      );
      await parts.reported(fileId);
    }
    after = last.loadId;
  }
}

async function bytesThere(parts: FlowParts, entry: FileEntry): Promise<boolean> {
  try {
    const now = entry.deleted ? null : await parts.source(entry).stat(standsAs(entry).path);
    return now?.size === entry.file.size;
  } catch (error) {
    // A source that cannot be asked now must not turn its files into failed ones: the whole comparison waits.
    if (error instanceof TallymanError && error.blame === 'version') return false;
    throw error;
  }
}
