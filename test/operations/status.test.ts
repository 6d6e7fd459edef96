import { expect, test } from 'vitest';
import { TallymanError } from '../../src/core/errors.js';
import type { FeedSummary } from '../../src/core/ledger/reading.js';
import { NO_ROWS } from '../../src/core/report.js';
import { status } from '../../src/operations/status.js';
import { feedsOf } from './support.js';

const summary = (feed: string): FeedSummary => ({
  feed,
  lastFile: null,
  today: { files: { loaded: 2 }, rows: NO_ROWS },
  states: { loaded: 2, held: 1, discovered: 1 },
  waitingSince: feed === 'orders' ? '2026-11-20T03:00:00.000Z' : null,
});

const notListed = (): never => {
  throw new Error('its folder is not there');
};
const openRequests = (): Promise<never[]> => Promise.resolve([]);
const getMeta = (): Promise<null> => Promise.resolve(null);
const holder = (): null => null;

test('feeds of the config come first, then those that only the ledger knows; one without files stands with nothing', async () => {
  const { items, daemon, queue, waiting_since, total } = await status(
    {
      source: notListed,
      ...feedsOf('new', 'orders'),
      holder: () => ({ pid: 7, since: '2026-11-20T00:00:00.000Z', version: '0.1.0' }),
      ledger: () => ({
        openRequests,
        getMeta,
        feedSummaries: () => Promise.resolve([summary('gone'), summary('orders')]),
      }),
      receipts: () => Promise.resolve({ openQuarantine: (feed) => Promise.resolve(feed.length) }),
    },
    new Date(),
  );
  expect(items.map(({ feed, configured, open_quarantine }) => [feed, configured, open_quarantine])).toEqual([
    ['new', true, 3],
    ['orders', true, 6],
    ['gone', false, 4],
  ]);
  expect(items[0]).toMatchObject({ last_file: null, today: { files: {}, rows: NO_ROWS }, states: {} });
  expect(items[1]).toMatchObject({ today: { files: { loaded: 2 } }, states: { held: 1 } });
  expect(daemon).toEqual({ pid: 7, since: '2026-11-20T00:00:00.000Z', version: '0.1.0' });
  expect([queue, waiting_since, total.files, total.open_quarantine]).toEqual([2, '2026-11-20T03:00:00.000Z', 4, 13]);
});

test('today begins at local midnight', async () => {
  const asked: string[] = [];
  await status(
    {
      source: notListed,
      ...feedsOf(),
      holder,
      ledger: () => ({
        openRequests,
        getMeta,
        feedSummaries: (dayStart) => {
          asked.push(dayStart);
          return Promise.resolve([]);
        },
      }),
      receipts: () => Promise.reject(new Error('not asked')),
    },
    new Date(2026, 10, 20, 13, 5),
  );
  expect(asked).toEqual([new Date(2026, 10, 20).toISOString()]);
});

test('without the database the ledger part stands, and the database is asked once', async () => {
  let asked = 0;
  const { items, database_error } = await status(
    {
      source: notListed,
      ...feedsOf('a', 'b'),
      holder,
      ledger: () => ({ openRequests, getMeta, feedSummaries: () => Promise.resolve([summary('a'), summary('b')]) }),
      receipts: () => {
        asked++;
        return Promise.reject(new TallymanError('DATABASE_UNREACHABLE', 'no answer'));
      },
    },
    new Date(),
  );
  expect(database_error).toEqual({ code: 'DATABASE_UNREACHABLE', message: 'no answer' });
  expect(items.map((item) => item.open_quarantine)).toEqual([null, null]);
  expect(asked).toBe(1);
});
