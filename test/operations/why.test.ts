import { mkdtempSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { IGNORE_DEFAULTS } from '../../src/config/resolve/ignore-defaults.js';
import type { FeedSpec } from '../../src/core/feed/feed.js';
import type { SourceSpec } from '../../src/core/feed/source.js';
import { why, type WhyItem } from '../../src/operations/why.js';
import { local } from '../../src/sources/local/index.js';
import { feedOf } from '../load/support.js';
import { localHarness, plainSpec, type LocalHarness } from '../sources/local/local-harness.js';

let drop: LocalHarness;
beforeAll(async () => {
  drop = await localHarness();
  for (const name of ['a.csv', 'A.TMP', 'test_a.csv', 'a.txt', 'in/b.csv', 'b.csv.done'])
    await drop.put(name, 'id\n1\n');
});
afterAll(async () => {
  await drop.close();
});

const dataDir = mkdtempSync(path.join(os.tmpdir(), 'tallyman-why-'));

async function ask(
  name: string,
  change: Partial<SourceSpec> = {},
  feedName: string | null = null,
): Promise<readonly WhyItem[]> {
  const feed: FeedSpec = {
    ...feedOf({ name: 'orders' }),
    source: { ...plainSpec, options: { dir: drop.dir }, ignoreAnyCase: IGNORE_DEFAULTS, ...change },
  };
  const parts = {
    dataDir,
    config: { written: new Map() },
    feeds: () => [feed],
    ledger: () => {
      throw new Error('there is no ledger, and none is made');
    },
    source: ({ source }: FeedSpec) => local.open(source, { dir: drop.dir }),
  };
  const { items } = await why(parts, { path: name, feed: feedName, cwd: drop.dir }, new Date());
  return items;
}
const failing = (items: readonly WhyItem[]): unknown =>
  items.map(({ steps }) => steps.find(({ ok }) => !ok)?.step ?? 'none');

test('a file that would be loaded: every step says yes', async () => {
  const items = await ask('a.csv', { settleMs: 0 });
  expect(items).toMatchObject([{ feed: 'orders', path: 'a.csv', taken: true }]);
  expect(items[0]?.steps.map(({ step }) => step)).toEqual([
    'pattern',
    'ignore',
    'there',
    'settle',
    'ledger',
    'decision',
  ]);
  expect(await ask('a.csv', {}, 'orders')).toMatchObject([{ taken: true }]);
  expect(await ask(`file://${drop.dir}/a.csv`)).toMatchObject([{ taken: true }]);
});

test.each<[string, Partial<SourceSpec>, string, string]>([
  ['a.txt', {}, 'pattern', 'no pattern meets it: "*.csv"'],
  ['A.CSV', {}, 'pattern', 'ignore_case'],
  ['test_a.csv', { patterns: ['*.csv', '!test_*'] }, 'pattern', '"!test_*" takes it away'],
  ['A.TMP', { patterns: ['*'] }, 'ignore', 'the built-in ignores have "*.tmp"'],
  ['a.csv', { ignore: ['a*'] }, 'ignore', 'ignore has "a*"'],
  ['in/b.csv', {}, 'folder', 'recursive is false'],
  ['b.csv.done', { patterns: ['*'], ready: { kind: 'marker', template: '{name}.done' } }, 'marker', 'never data'],
  ['a.csv', { ready: { kind: 'marker', template: '{name}.done' } }, 'ready', 'a.csv.done'],
  ['none.csv', {}, 'there', 'no such file'],
])('%s under %j: %s says no', async (name, change, step, says) => {
  const items = await ask(name, change);
  expect(failing(items)).toEqual([step]);
  expect(items[0]?.taken).toBe(false);
  expect(items[0]?.verdict).toContain(says);
});

test("what the ignores give back is said; a path outside of every folder is nobody's", async () => {
  const items = await ask('A.TMP', { patterns: ['*'], ignore: ['!a.*'], ignoreCase: true });
  expect(items[0]?.steps.find(({ step }) => step === 'ignore')).toEqual({
    step: 'ignore',
    ok: true,
    says: '"!a.*" takes it back from the ignores',
  });
  expect(await ask('/elsewhere/a.csv')).toEqual([]);
});
