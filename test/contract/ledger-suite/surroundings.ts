import { describe, expect, it } from 'vitest';
import { codeOf, loaded, look } from './support.js';
import type { SuiteParts } from './harness.js';

export function surroundingsSuite({ newLedger, open }: SuiteParts): void {
  describe('feeds and meta', () => {
    it('a value is kept over a restart', async () => {
      const { ledger: first, reopen } = await open();
      await first.setMeta('database_id', 'one');
      await first.setMeta('database_id', 'two');
      await first.close();
      expect(await (await reopen()).getMeta('database_id')).toBe('two');
    });

    it('the instance id is made once for a data_dir', async () => {
      const { ledger: first, reopen } = await open();
      await first.close();
      expect((await reopen()).instanceId).toBe(first.instanceId);
      expect((await newLedger()).instanceId).not.toBe(first.instanceId);
    });

    it('formerly: the entries of a feed carry over to its new name', async () => {
      const ledger = await newLedger();
      const file = look('a.csv');
      await loaded(ledger, 'a.csv', { file, feed: 'old' });
      await ledger.registerFeed({ name: 'new', source: 'dir', target: 'staging.t' });
      await ledger.renameFeed('old', 'new');
      expect(await ledger.unknown('new', [file])).toEqual([]);
      expect((await ledger.feeds()).map((feed) => feed.name)).toEqual(['new']);
    });

    it('formerly: a feed with files of its own takes none over', async () => {
      const ledger = await newLedger();
      await loaded(ledger, 'a.csv', { feed: 'old' });
      await loaded(ledger, 'b.csv', { feed: 'new' });
      expect(await codeOf(ledger.renameFeed('old', 'new'))).toBe('WRONG_STATE');
    });
  });
}
