import type { Ledger } from '../../../src/core/ledger/index.js';
import type { Workers } from '../../../src/core/ledger/workers.js';

/** What a kind of store brings to be tested: an empty ledger of its own. */
export interface LedgerHarness {
  readonly ledger: Ledger;
  readonly workers: Workers;
  /** A `load` command of this name begins to live; the function that comes back ends it, as its death would. */
  readonly begin: (worker: string) => Promise<() => Promise<void>>;
  /** What is stored, opened once more, as the next process does. */
  readonly reopen: () => Promise<Ledger>;
  /** Closes all that was opened and leaves nothing behind. */
  readonly close: () => Promise<void>;
}

/** `now`: milliseconds since 1970, for tests that need another time than today's. */
export type OpenLedger = (options?: { readonly now?: () => number }) => Promise<LedgerHarness>;

/** What each part of the suite is given. What it opens is closed after the test. */
export interface SuiteParts {
  readonly open: OpenLedger;
  readonly newLedger: (options?: { readonly now?: () => number }) => Promise<Ledger>;
}
