import { afterEach, describe } from 'vitest';
import { arrivalsSuite } from './arrivals.js';
import { endSuite } from './end.js';
import { factsSuite } from './facts.js';
import { outboxSuite } from './outbox.js';
import { propertiesSuite } from './properties.js';
import { queueSuite } from './queue.js';
import { readingSuite } from './reading.js';
import { receiptBookSuite } from './receipt-book.js';
import { requestsSuite } from './requests.js';
import { surroundingsSuite } from './surroundings.js';
import type { LedgerHarness, OpenLedger, SuiteParts } from './harness.js';

/** What every store of a ledger must do, role by role. */
export function ledgerSuite(name: string, openLedger: OpenLedger): void {
  describe(name, () => {
    const opened: LedgerHarness[] = [];
    afterEach(async () => {
      for (const harness of opened.splice(0)) await harness.close();
    });
    const open: OpenLedger = async (options) => {
      const harness = await openLedger(options);
      opened.push(harness);
      return harness;
    };
    const parts: SuiteParts = { open, newLedger: async (options) => (await open(options)).ledger };
    describe('surroundings', () => {
      surroundingsSuite(parts);
    });
    describe('arrivals', () => {
      arrivalsSuite(parts);
    });
    describe('queue', () => {
      factsSuite(parts);
      queueSuite(parts);
      endSuite(parts);
    });
    describe('requests', () => {
      requestsSuite(parts);
    });
    describe('receipt book', () => {
      receiptBookSuite(parts);
    });
    describe('planned actions', () => {
      outboxSuite(parts);
    });
    describe('reading', () => {
      readingSuite(parts);
    });
    describe('all roles together', () => {
      propertiesSuite(parts);
    });
  });
}
