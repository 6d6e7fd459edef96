import { describe, expect, it } from 'vitest';
import type { FileReport } from '../../../src/core/report.js';
import { counts, discover, ended, loaded, look } from './support.js';
import type { SuiteParts } from './harness.js';

const paths = (reports: readonly FileReport[]): string[] => reports.map((report) => report.path);

export function readingSuite({ newLedger }: SuiteParts): void {
  describe('files', () => {
    it('newest first, at most as many as asked for; 0 = all', async () => {
      const ledger = await newLedger();
      for (const name of ['a', 'b', 'c']) await loaded(ledger, name);
      expect(paths(await ledger.files({ limit: 2 }))).toEqual(['c', 'b']);
      expect(paths(await ledger.files({ limit: 0 }))).toEqual(['c', 'b', 'a']);
    });

    it('by feed, by state, by ID', async () => {
      const ledger = await newLedger();
      const first = await loaded(ledger, 'a');
      await ended(ledger, look('b'), { state: 'rejected' });
      await ended(ledger, look('c'), { state: 'held' }, 'stock');
      expect(paths(await ledger.files({ limit: 0, feed: 'stock' }))).toEqual(['c']);
      expect(paths(await ledger.files({ limit: 0, feed: 'no such feed' }))).toEqual([]);
      expect(paths(await ledger.files({ limit: 0, states: ['rejected', 'held'] }))).toEqual(['c', 'b']);
      expect(paths(await ledger.files({ limit: 0, states: ['loaded', 'held'] }))).toEqual(['c', 'a']);
      expect(paths(await ledger.files({ limit: 0, ids: [first.fileId, 99] }))).toEqual(['a']);
    });

    it('since: by discovered_at; finishedSince: what a run has handled', async () => {
      let time = Date.parse('2026-11-20T06:00:00Z');
      const ledger = await newLedger({ now: () => time });
      await loaded(ledger, 'old');
      const waiting = await discover(ledger, look('waited'));
      time += 60_000;
      await ledger.end(waiting.fileId, { state: 'rejected' }, 'daemon', 'bad');
      await loaded(ledger, 'new');
      expect(paths(await ledger.files({ limit: 0, since: '2026-11-20T06:00:30Z' }))).toEqual(['new']);
      expect(paths(await ledger.files({ limit: 0, finishedSince: '2026-11-20T06:00:30Z' }))).toEqual(['new', 'waited']);
      expect(paths(await ledger.files({ limit: 0, since: '2027-01-01T00:00:00Z' }))).toEqual([]);
      expect(paths(await ledger.files({ limit: 0, until: '2026-11-20T06:00:30Z' }))).toEqual(['waited', 'old']);
      expect(paths(await ledger.files({ limit: 0, until: '2026-11-20T06:00:00Z' }))).toEqual([]);
    });

    it('match: without "/" the glob meets the file name, with "/" the path', async () => {
      const ledger = await newLedger();
      for (const name of ['2026/orders_1.csv', '2026/stock.csv', 'orders_2.csv', '.hidden.csv'])
        await loaded(ledger, name);
      expect(paths(await ledger.files({ limit: 0, match: 'orders_*.csv' }))).toEqual([
        'orders_2.csv',
        '2026/orders_1.csv',
      ]);
      expect(paths(await ledger.files({ limit: 0, match: '2026/*' }))).toEqual(['2026/stock.csv', '2026/orders_1.csv']);
      expect(paths(await ledger.files({ limit: 1, match: 'orders_*.csv' }))).toEqual(['orders_2.csv']);
      expect(paths(await ledger.files({ limit: 0, match: '*hidden*' }))).toEqual(['.hidden.csv']);
    });

    it('comes in pages, each file once', async () => {
      const ledger = await newLedger();
      const files = Array.from({ length: 1_234 }, (_, i) => look(`${i}.csv`));
      await Promise.all(files.map((file) => discover(ledger, file)));
      const pages: number[] = [];
      const seen = new Set<string>();
      for await (const page of ledger.filePages({ limit: 0 })) {
        pages.push(page.length);
        for (const report of page) seen.add(report.path);
      }
      expect(seen.size).toBe(1_234);
      expect(Math.max(...pages)).toBeLessThanOrEqual(500);
    });

    it('a report has exactly the fields that the spec names, in their order', async () => {
      const ledger = await newLedger();
      await loaded(ledger, 'a.csv');
      const [report] = await ledger.files({ limit: 1 });
      const fields =
        'message_type file_id feed uri path size mtime sha256 content_sha256 state attempts load_id duplicate_of generation rows lines_skipped rows_skipped errors error drift discovered_at finished_at seconds';
      expect(Object.keys(report!)).toEqual(fields.split(' '));
      expect(Object.keys(report!.rows)).toEqual(['read', 'loaded', 'quarantined', 'skipped', 'declared', 'delta']);
      expect(Object.keys(report!.seconds)).toEqual(['settle', 'land', 'load']);
    });

    it('mtime has milliseconds, or is null where the source tells none', async () => {
      const ledger = await newLedger();
      await discover(ledger, look('a', 1, 1_795_154_400_123_456));
      await discover(ledger, look('b', 1, null));
      expect((await ledger.files({ limit: 0 })).map((report) => report.mtime)).toEqual([
        null,
        '2026-11-20T06:00:00.123Z',
      ]);
    });

    it('a size past 2^32 is exact', async () => {
      const ledger = await newLedger();
      await discover(ledger, look('big', 107_374_182_400_001));
      expect((await ledger.files({ limit: 1 }))[0]?.size).toBe(107_374_182_400_001);
    });
  });

  describe('detail', () => {
    it('of an unknown file is null', async () => {
      expect(await (await newLedger()).detail(1)).toBeNull();
    });

    it('holds the whole history', async () => {
      const ledger = await newLedger();
      const entry = await loaded(ledger, 'a.csv');
      expect((await ledger.detail(entry.fileId))?.history.map(({ from, to }) => [from, to])).toEqual([
        [null, 'discovered'],
        ['discovered', 'loading'],
        ['loading', 'loaded'],
      ]);
    });
  });

  describe('feedSummaries', () => {
    it("count today's files by state and the rows of today's loads", async () => {
      let time = Date.parse('2026-11-19T23:00:00Z');
      const ledger = await newLedger({ now: () => time });
      await loaded(ledger, 'yesterday', { rows: 1_000 });
      time = Date.parse('2026-11-20T06:00:00Z');
      await loaded(ledger, 'one', { more: { rows: { ...counts(10), loaded: 8, quarantined: 2 } } });
      await loaded(ledger, 'two', { rows: 5 });
      await ended(ledger, look('bad'), {
        state: 'rejected',
        rows: { ...counts(3), loaded: 0, quarantined: 3, delta: null },
      });
      await discover(ledger, look('next'));
      const [summary] = await ledger.feedSummaries('2026-11-20T00:00:00Z');
      const [before] = await ledger.feedSummaries('2026-11-19T00:00:00Z', '2026-11-20T00:00:00Z');
      expect(before?.today).toMatchObject({ files: { loaded: 1 }, rows: { read: 1_000 } });
      expect(summary).toMatchObject({
        feed: 'orders',
        waitingSince: '2026-11-20T06:00:00.000Z',
        lastFile: { path: 'next' },
        today: {
          files: { loaded: 2, rejected: 1 },
          rows: { read: 15, loaded: 13, quarantined: 2, skipped: 0, delta: 0 },
        },
        states: { loaded: 3, rejected: 1, discovered: 1 },
      });
    });

    it('of a quiet day are zeros', async () => {
      const ledger = await newLedger();
      await loaded(ledger, 'a');
      const [summary] = await ledger.feedSummaries('2100-01-01T00:00:00Z');
      expect(summary?.today).toEqual({ files: {}, rows: counts(0) });
      expect(summary?.waitingSince).toBeNull();
    });

    it('a file that is taken again waits since then, not since it first came', async () => {
      let time = Date.parse('2026-11-20T06:00:00Z');
      const ledger = await newLedger({ now: () => time });
      const entry = await ended(ledger, look('a'), { state: 'rejected' });
      time += 3_600_000;
      await ledger.transition(entry.fileId, 'discovered', { attempts: 0 }, 'cli:ann', 'retry');
      const [summary] = await ledger.feedSummaries('2026-11-20T00:00:00Z');
      expect(summary?.waitingSince).toBe('2026-11-20T07:00:00.000Z');
    });
  });
}
