import type { Config } from '../config/config.js';
import type { TargetSpec } from '../core/feed/target.js';
import type { ReceiptBook } from '../core/ledger/receipt-book.js';
import type { Surroundings } from '../core/ledger/surroundings.js';
import type { ReceiptRef, Receipts } from '../core/receipts.js';

type Known = Pick<ReceiptBook, 'byLoadId' | 'byLoadKey' | 'knownLoads' | 'newestLoad'> &
  Pick<Surroundings, 'instanceId'>;
type Written = Pick<Receipts, 'after' | 'byIds' | 'databaseId' | 'liveCounts'>;

interface VerifyParts {
  readonly config: Pick<Config, 'feeds'>;
  ledger(): Known & Pick<Surroundings, 'feeds'>;
  receipts(): Promise<Written>;
}

export interface VerifyDocument {
  /** Nothing but `emptied` was found. */
  readonly ok: boolean;
  readonly differences: readonly Difference[];
}

/**
 * One thing on which ledger, receipts and tables do not agree. `emptied` is information: somebody took all rows of a
 * load away on purpose.
 */
export interface Difference {
  readonly kind:
    | 'rows-missing'
    | 'rows-extra'
    | 'table-missing'
    | 'receipt-missing'
    | 'ledger-missing'
    | 'state-differs'
    | 'emptied';
  readonly feed: string;
  readonly file_id: number | null;
  readonly load_id: number | null;
  readonly path: string | null;
  readonly message: string;
}

const PAGE = 1_000;

/** Everything on which ledger, receipts and staging tables do not agree. */
export async function verify(parts: VerifyParts): Promise<VerifyDocument> {
  const ledger = parts.ledger();
  const receipts = await parts.receipts();
  // Those that have gone from the config too: their rows are still in the tables.
  const feeds = new Set([...parts.config.feeds, ...(await ledger.feeds())].map((feed) => feed.name));
  const targets = new Map(parts.config.feeds.map((feed) => [feed.name, feed.target]));
  const found: Difference[] = [];
  for await (const difference of ledgerAgainstReceipts(ledger, receipts)) found.push(difference);
  for (const feed of feeds)
    for await (const difference of receiptsAgainstTables(ledger, receipts, feed, targets.get(feed)))
      found.push(difference);
  return { ok: found.every(({ kind }) => kind === 'emptied'), differences: found };
}

/** Every load that the ledger knows must have its receipt, in the same state, and every own receipt its entry. */
async function* ledgerAgainstReceipts(ledger: Known, receipts: Written): AsyncIterable<Difference> {
  if ((await receipts.databaseId()) === null) {
    if ((await ledger.newestLoad()) !== null)
      yield {
        kind: 'receipt-missing',
        feed: '',
        file_id: null,
        load_id: null,
        path: null,
        message: 'the database has no control schema, but the ledger knows loads',
      };
    return;
  }
  for (let after = 0; ;) {
    const page = await ledger.knownLoads(after, PAGE);
    const found = new Map(
      (await receipts.byIds(page.map((load) => load.loadId))).map((receipt) => [receipt.loadKey, receipt]),
    );
    for (const load of page) {
      const receipt = found.get(load.loadKey);
      const where = {
        feed: receipt?.feed ?? '',
        file_id: load.fileId,
        load_id: load.loadId,
        path: receipt?.path ?? null,
      };
      if (receipt === undefined)
        yield {
          ...where,
          kind: 'receipt-missing',
          message: `the ledger has load ${load.loadId} of file ${load.fileId}; the database has no such receipt`,
        };
      else if (receipt.status !== load.status)
        yield {
          ...where,
          kind: 'state-differs',
          message: `load ${load.loadId} of ${receipt.path} is ${load.status} in the ledger and ${receipt.status} in the database`,
        };
    }
    const last = page.at(-1);
    if (last === undefined) break;
    after = last.loadId;
  }
  for (let after = 0; ;) {
    const page = await receipts.after(after, PAGE);
    for (const receipt of page) {
      if (receipt.instanceId !== ledger.instanceId || (await ledger.byLoadKey(receipt.loadKey)) !== null) continue;
      yield {
        kind: 'ledger-missing',
        feed: receipt.feed,
        file_id: null,
        load_id: receipt.loadId,
        path: receipt.path,
        message: `the database has load ${receipt.loadId} of ${receipt.path}, which the ledger does not know; the next run takes it in`,
      };
    }
    const last = page.at(-1);
    if (last === undefined) return;
    after = last.loadId;
  }
}

/** Every live load must have as many rows in its table as its receipt says, and one that was replaced none. */
async function* receiptsAgainstTables(
  ledger: Known,
  receipts: Written,
  feed: string,
  spec: TargetSpec | undefined,
): AsyncIterable<Difference> {
  if ((await receipts.databaseId()) === null) return;
  for (const { receipt, target, present } of await receipts.liveCounts(feed, spec)) {
    const kind = tableDifference(receipt, present);
    if (kind === null) continue;
    const message =
      present === null
        ? `load ${receipt.loadId} of ${receipt.path}: table ${target} is not there; if it was renamed or moved, ` +
          `its old name belongs under target.formerly`
        : receipt.status === 'superseded'
          ? `load ${receipt.loadId} of ${receipt.path} was replaced, and ${present} of its rows are still there`
          : `load ${receipt.loadId} of ${receipt.path}: ${receipt.rows.loaded} rows were loaded into ${target}, ` +
            `${present} are there${kind === 'emptied' ? ' (all of them were taken away)' : ''}`;
    yield {
      kind,
      feed,
      file_id: (await ledger.byLoadId(receipt.loadId))?.fileId ?? null,
      load_id: receipt.loadId,
      path: receipt.path,
      message,
    };
  }
}

function tableDifference(receipt: ReceiptRef, present: number | null): Difference['kind'] | null {
  if (receipt.status === 'superseded') return 'rows-extra';
  if (present === receipt.rows.loaded) return null;
  if (present === null) return receipt.rows.loaded === 0 ? null : 'table-missing';
  if (present === 0) return 'emptied';
  return present < receipt.rows.loaded ? 'rows-missing' : 'rows-extra';
}
