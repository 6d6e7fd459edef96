import path from 'node:path';
import type { Ledger } from '../../core/ledger/index.js';
import { messageOf, TallymanError } from '../../core/errors.js';
import { actions } from './actions.js';
import { arrivals } from './arrival.js';
import { ends } from './end.js';
import { surroundings } from './feeds.js';
import { instanceId } from './instance.js';
import { lockWorkers } from './lock.js';
import { openDataDir } from './store/data-dir.js';
import { openDatabase } from './store/open-database.js';
import { queue } from './queue.js';
import { reading } from './reading.js';
import { receipts } from './receipts.js';
import { requests } from './requests.js';
import { Store } from './store/store.js';
import { hasCode } from '../../base/errno.js';

export interface LedgerOptions {
  /** How long another process may hold the write lock before writes fail with LEDGER_UNUSABLE. Default 10 s. */
  readonly busyMs?: number;
  /** Milliseconds since 1970; for tests. */
  readonly now?: () => number;
}

/**
 * Opens the ledger of a data_dir (`ledger.db`, `instance-id`), creating and migrating it. Several processes may have it
 * open: the daemon and commands. Throws LEDGER_UNUSABLE when it is damaged, from a newer tallyman, or cannot be
 * written; DISK_FULL.
 */
export function openLedger(dataDir: string, options: LedgerOptions = {}): Ledger {
  const file = path.join(dataDir, 'ledger.db');
  const store = new Store(file, () => openDatabase(file), {
    busyMs: options.busyMs ?? 10_000,
    now: options.now ?? Date.now,
  });
  const id = openInstance(dataDir);
  store.connect();
  return {
    instanceId: id,
    ...surroundings(store),
    ...arrivals(store),
    ...queue(store, lockWorkers(dataDir)),
    ...ends(store),
    ...requests(store),
    ...receipts(store, id),
    ...actions(store),
    ...reading(store),
    close: () =>
      new Promise((resolve) => {
        store.close();
        resolve();
      }),
  };
}

function openInstance(dataDir: string): string {
  try {
    openDataDir(dataDir);
    return instanceId(dataDir);
  } catch (error) {
    if (error instanceof TallymanError) throw error;
    const full = hasCode(error, 'ENOSPC', 'EDQUOT');
    throw new TallymanError(
      full ? 'DISK_FULL' : 'LEDGER_UNUSABLE',
      `data_dir ${dataDir} cannot be used: ${messageOf(error)}.`,
      {
        cause: error,
        ...(full
          ? {}
          : { fix: 'Give the user that runs tallyman the right to write to data_dir, or set another data_dir.' }),
      },
    );
  }
}
