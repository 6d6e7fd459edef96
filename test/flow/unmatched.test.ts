import { utimes } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { FeedSpec } from '../../src/core/feed/feed.js';
import type { SourceSpec } from '../../src/core/feed/source.js';
import { IGNORE_DEFAULTS } from '../../src/config/resolve/ignore-defaults.js';
import { findUnmatched, type Unmatched } from '../../src/flow/unmatched.js';
import { local } from '../../src/sources/local/index.js';
import { feedOf } from '../load/support.js';
import { localHarness, plainSpec, type LocalHarness } from '../sources/local/local-harness.js';

let drop: LocalHarness;
beforeAll(async () => {
  drop = await localHarness();
  for (const name of ['a.csv', 'a.cvs', 'b #1%.txt', 'x.tmp', 'test_1.csv', 'a.csv.done', 'in/c.csv', 'in/d.json'])
    await drop.put(name, 'id\n1\n');
});
afterAll(async () => {
  await drop.close();
});

const feed = (name: string, source: Partial<SourceSpec>): FeedSpec => ({
  ...feedOf({ name }),
  source: { ...plainSpec, ignoreAnyCase: IGNORE_DEFAULTS, options: { dir: drop.dir }, ...source },
});
const find = async (...feeds: readonly FeedSpec[]): Promise<Unmatched> =>
  await findUnmatched(
    feeds,
    feeds,
    { source: ({ source }) => local.open(source, { dir: String(source.options['dir']) }) },
    AbortSignal.timeout(10_000),
    new Date(),
  );

test('files that no pattern wants are counted and named, with their age and the nearest pattern', async () => {
  const changed = new Date(Date.now() - 7_200_000);
  await utimes(drop.at('a.cvs'), changed, changed);
  const found = await find(
    feed('orders', { patterns: ['*.csv', '!test_*', '*.xml'], ready: { kind: 'marker', template: '{name}.done' } }),
  );
  expect(found).toMatchObject({ count: 2, more: false, by_feed: { orders: 2 } });
  expect(found.items.map(({ path }) => path)).toEqual(['a.cvs', 'b #1%.txt']);
  expect(found.items[0]).toMatchObject({ feed: 'orders', size: 5, nearest_pattern: '*.csv' });
  expect(found.items[0]?.age_seconds).toBeGreaterThanOrEqual(7_200);
});

test('what another feed wants is not unmatched, whichever folder it looks at; one file is told once', async () => {
  const found = await find(
    feed('orders', { recursive: true }),
    feed('texts', { patterns: ['*.txt', '*.cvs'] }),
    feed('json', { patterns: ['*.json'], options: { dir: `${drop.dir}/in` } }),
  );
  expect(found).toMatchObject({ count: 1, items: [{ path: 'a.csv.done' }] });
});
