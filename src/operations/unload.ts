import type { Config } from '../config/config.js';
import { TallymanError } from '../core/errors.js';
import type { FileEntry } from '../core/entry.js';
import type { Queue } from '../core/ledger/queue.js';
import type { ReceiptBook } from '../core/ledger/receipt-book.js';
import type { Requests } from '../core/ledger/requests.js';
import type { Surroundings } from '../core/ledger/surroundings.js';
import type { Log } from '../core/log.js';
import type { Receipts } from '../core/receipts.js';
import type { FileState } from '../core/states.js';
import { carryOutOne } from '../flow/carry-out-requests.js';
import { settleNames } from '../flow/recover.js';
import { besideDaemon } from '../flow/renamed-feeds.js';
import { requestAllowed, stagedLoad } from '../ledger/rules/request-rules.js';
import { findFile, loadIdOf } from './find-file.js';

interface UnloadParts {
  readonly config: Pick<Config, 'feeds' | 'host'>;
  readonly dataDir: string;
  readonly log: Log;
  ledger(): Surroundings &
    Pick<Queue, 'entry' | 'versions'> &
    Requests &
    Pick<ReceiptBook, 'byLoadId' | 'newestLoad' | 'knownLoads' | 'takeReceipts'>;
  receipts(): Promise<Receipts>;
}

interface UnloadInput {
  /** As findFile takes it. */
  readonly id: string;
  readonly reason: string;
  readonly dryRun: boolean;
  readonly actor: string;
}

export interface UnloadDocument {
  readonly file_id: number;
  readonly load_id: number;
  readonly feed: string;
  readonly path: string;
  /** Rows that the load has in staging, as its receipt says. */
  readonly rows: number;
  /** Of the file afterwards; with dryRun as it is. */
  readonly state: FileState;
  /** False = nothing was changed (dryRun), or the file is being loaded and it is done when that has ended. */
  readonly done: boolean;
}

/**
 * Takes the rows of one load out of staging, now, in this process: the request stands in the ledger before, so that a
 * death on the way is made good by the daemon or the next run. Throws UNKNOWN_FILE, WRONG_STATE.
 */
export async function unload(parts: UnloadParts, input: UnloadInput): Promise<UnloadDocument> {
  const ledger = parts.ledger();
  const entry = await findFile(ledger, input.id);
  const loadId = loadOf(entry, input.id);
  const receipts = await parts.receipts();
  const stores = { configured: parts.config.feeds, dataDir: parts.dataDir, ledger };
  await besideDaemon(stores, () => settleNames({ ...stores, receipts }));
  const rows = (await receipts.byIds([loadId]))[0]?.rows.loaded ?? 0;
  const document = { file_id: entry.fileId, load_id: loadId, feed: entry.feed, path: entry.file.path, rows };
  if (input.dryRun) return { ...document, state: entry.state, done: false };
  const { reason, actor } = input;
  const request = { kind: 'unload', fileId: entry.fileId, actor, reason } as const;
  const requestId = await ledger.request(request);
  await carryOutOne(
    {
      ledger,
      receipts,
      host: parts.config.host,
      log: parts.log,
      isBusy: () => false,
      target: () => null,
      changed: () => undefined,
    },
    { ...request, requestId, createdAt: new Date().toISOString() },
  );
  const result = await ledger.requestResult(requestId);
  if (result?.ok === false) throw new TallymanError('WRONG_STATE', `${result.message}; nothing was changed`);
  const now = await ledger.entry(entry.fileId);
  return { ...document, state: now?.state ?? entry.state, done: result !== null };
}

/** The load that is meant; one that was named must be the one whose rows are there. */
function loadOf(entry: FileEntry, id: string): number {
  const refusal = requestAllowed('unload', entry);
  if (refusal !== null) throw refusal;
  const [staged, named] = [stagedLoad(entry), loadIdOf(id)];
  if (staged === null || (named !== null && named !== staged))
    throw new TallymanError(
      'WRONG_STATE',
      `load ${named ?? 0} of file ${entry.fileId} has no rows in staging${staged === null ? '' : `; those of the file are of load ${staged}`}`,
    );
  return staged;
}
