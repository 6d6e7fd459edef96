import type { Ledger } from '../../src/core/ledger/index.js';
import { acquireClaimLock, lockWorkers } from '../../src/ledger/sqlite/lock.js';
import { openLedger } from '../../src/ledger/sqlite/sqlite-ledger.js';
import { ledgerSuite } from '../contract/ledger-suite/index.js';
import { temporaryDir } from './support.js';

ledgerSuite('SQLite', (options = {}) => {
  const dir = temporaryDir();
  const opened: Ledger[] = [];
  const open = (): Ledger => {
    const ledger = openLedger(dir, options);
    opened.push(ledger);
    return ledger;
  };
  return Promise.resolve({
    ledger: open(),
    workers: lockWorkers(dir),
    begin: (worker) => {
      const lock = acquireClaimLock(dir, worker);
      return Promise.resolve(() => {
        lock.release();
        return Promise.resolve();
      });
    },
    reopen: () => Promise.resolve(open()),
    close: async () => {
      for (const ledger of opened) await ledger.close();
    },
  });
});
