import { renameSync, rmSync, utimesSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { workspace, type Workspace } from '../support/cli.js';
import { createDatabase, type TestDatabase } from '../support/postgres.js';
import { column, csv, ids, put, reportOf, states, type Round } from './support.js';

/**
 * docs/spec/which-file-is-new.md#the-decision-table from outside: one feed a policy, all of them through the same
 * rounds.
 */
const FEEDS = ['plain', 'dup_load', 'dup_hold', 'replace', 'ch_hold', 'ch_skip'] as const;

let db: TestDatabase;
let ws: Workspace;
/** What each round gave, and what each table held after it. */
const rounds: Record<string, Round & { readonly tables: Readonly<Record<string, readonly (string | null)[]>> }> = {};

const everywhere = (name: string, content: string | Buffer): void => {
  for (const feed of FEEDS) put(ws, feed, name, content);
};

async function round(name: string): Promise<void> {
  const result = await ws.once();
  const tables: Record<string, readonly (string | null)[]> = {};
  for (const feed of FEEDS) tables[feed] = await ids(db, feed);
  rounds[name] = { ...result, tables };
}

beforeAll(async () => {
  db = await createDatabase();
  const columns = [
    { name: 'id', type: 'integer' },
    { name: 'v', type: 'text' },
  ];
  ws = workspace(db.url, {
    plain: { columns },
    dup_load: { columns, on_duplicate: 'load' },
    dup_hold: { columns, on_duplicate: 'hold' },
    replace: { columns, on_changed: 'replace' },
    ch_hold: { columns, on_changed: 'hold' },
    ch_skip: { columns, on_changed: 'skip' },
  });
  everywhere('a.csv', csv('1,a', '2,a'));
  await round('first');
  everywhere('b.csv', csv('1,a', '2,a'));
  everywhere('c.csv', csv('3,c'));
  await round('second');
  everywhere('a.csv', csv('4,changed', '5,changed', '6,changed'));
  await round('changed');
  everywhere('c.csv', csv('3,c', '7,grown'));
  await round('grown');
  for (const feed of FEEDS) {
    utimesSync(path.join(ws.dir, 'drop', feed, 'a.csv'), 1_700_000_000, 1_700_000_000);
    renameSync(path.join(ws.dir, 'drop', feed, 'c.csv'), path.join(ws.dir, 'drop', feed, 'renamed.csv'));
  }
  await round('touched');
  everywhere('a.csv', csv('1,a', '2,a'));
  await round('back');
  everywhere('a.csv', '');
  await round('emptied');
  for (const feed of FEEDS) rmSync(path.join(ws.dir, 'drop', feed, 'a.csv'));
  await round('gone');
  everywhere('a.csv', csv('4,changed', '5,changed', '6,changed'));
  await round('again');
}, 120_000);

afterAll(async () => {
  await db.drop();
  ws.remove();
});

describe('new path', () => {
  test('content not seen is loaded', () => {
    expect(states(rounds['first']!)).toEqual(FEEDS.map(() => 'a.csv:loaded'));
    expect(rounds['first']!.code).toBe(0);
  });
  test('content seen, on_duplicate: skip ends as duplicate of the original', () => {
    const b = reportOf(rounds['second']!, 'plain', 'b.csv');
    expect(b).toMatchObject({
      state: 'duplicate',
      duplicate_of: reportOf(rounds['first']!, 'plain', 'a.csv').file_id,
      load_id: null,
      error: null,
    });
    expect(b.rows).toEqual({ read: 0, loaded: 0, quarantined: 0, skipped: 0, declared: null, delta: 0 });
    expect(rounds['second']!.tables['plain']).toEqual(['1', '2', '3']);
  });
  test('content seen, on_duplicate: load is loaded beside the original', async () => {
    expect(reportOf(rounds['second']!, 'dup_load', 'b.csv')).toMatchObject({ state: 'loaded', duplicate_of: null });
    expect(rounds['second']!.tables['dup_load']).toEqual(['1', '1', '2', '2', '3']);
    expect(
      await column(db, `select duplicate_allowed from tallyman.loads where feed = 'dup_load' and path = 'b.csv'`),
    ).toContain('true');
  });
  test('content seen, on_duplicate: hold waits for a person, exit 3', () => {
    expect(reportOf(rounds['second']!, 'dup_hold', 'b.csv').state).toBe('held');
    expect(rounds['second']!.code).toBe(3);
    expect(rounds['second']!.summary.files).toMatchObject({ held: 1 });
  });
  test('a loaded file under another name is a duplicate', () => {
    expect(reportOf(rounds['touched']!, 'plain', 'renamed.csv')).toMatchObject({
      state: 'duplicate',
      duplicate_of: reportOf(rounds['grown']!, 'plain', 'c.csv').file_id,
    });
  });
});

describe('known path, content not seen', () => {
  test('on_changed: load adds a further version, the first one stays', () => {
    expect(reportOf(rounds['changed']!, 'plain', 'a.csv').state).toBe('loaded');
    expect(rounds['changed']!.tables['plain']).toEqual(['1', '2', '3', '4', '5', '6']);
  });
  test('on_changed: replace takes the earlier rows away in the same load and raises generation', () => {
    expect(reportOf(rounds['changed']!, 'replace', 'a.csv')).toMatchObject({ state: 'loaded', generation: 2 });
  });
  test('when other content replaces a load, its duplicates on other paths come back and are loaded', () => {
    expect(states(rounds['changed']!, 'replace')).toEqual(['a.csv:loaded', 'b.csv:loaded']);
    expect(rounds['changed']!.tables['replace']).toEqual(['1', '2', '3', '4', '5', '6']);
  });
  test('on_changed: hold holds it', () => {
    expect(reportOf(rounds['changed']!, 'ch_hold', 'a.csv').state).toBe('held');
    expect(rounds['changed']!.tables['ch_hold']).toEqual(['1', '2', '3']);
  });
  test('on_changed: skip ignores it', () => {
    expect(reportOf(rounds['changed']!, 'ch_skip', 'a.csv').state).toBe('ignored');
    expect(rounds['changed']!.tables['ch_skip']).toEqual(['1', '2', '3']);
  });
  test('a file that has grown replaces the load that it grew from', async () => {
    expect(reportOf(rounds['grown']!, 'plain', 'c.csv')).toMatchObject({
      state: 'loaded',
      generation: 2,
      rows: { read: 2, loaded: 2 },
    });
    expect(rounds['grown']!.tables['plain']).toEqual(['1', '2', '3', '4', '5', '6', '7']);
    expect(
      await column(db, `select status from tallyman.loads where feed = 'plain' and path = 'c.csv' order by load_id`),
    ).toEqual(['superseded', 'loaded']);
  });
  test('a replaced version is superseded in the ledger too', async () => {
    const shown = (await ws.json('files', 'show', String(reportOf(rounds['second']!, 'plain', 'c.csv').file_id))) as {
      state: string;
      history: { to: string }[];
    };
    expect(shown.state).toBe('superseded');
    expect(shown.history.map((h) => h.to)).toEqual(['discovered', 'loading', 'loaded', 'superseded']);
  });
  test('under replace an empty version of a loaded path is held', () => {
    expect(reportOf(rounds['emptied']!, 'replace', 'a.csv').state).toBe('held');
  });
});

describe('known path, content seen', () => {
  test('only touched: no entry, no report', () => {
    expect(rounds['touched']!.reports.filter((report) => report.path === 'a.csv')).toEqual([]);
  });
  test('content that is live as an older version of the same path ends as duplicate', () => {
    expect(reportOf(rounds['back']!, 'plain', 'a.csv')).toMatchObject({
      state: 'duplicate',
      duplicate_of: reportOf(rounds['first']!, 'plain', 'a.csv').file_id,
    });
    expect(rounds['back']!.tables['plain']).toEqual(rounds['touched']!.tables['plain']);
  });
  test('seen under another path: on_duplicate', () => {
    // replace: a.csv became 4,5,6 and b.csv holds 1,2 since.
    expect(reportOf(rounds['back']!, 'replace', 'a.csv').state).toBe('duplicate');
    expect(rounds['back']!.tables['replace']).toEqual(rounds['touched']!.tables['replace']);
  });
  test('a file that went away and came back with loaded content is not loaded again', () => {
    expect(rounds['gone']!.reports).toEqual([]);
    expect(rounds['again']!.tables['plain']).toEqual(rounds['gone']!.tables['plain']);
  });
});

describe('balance', () => {
  test('every committed load has delta 0, and the tally view says so', async () => {
    expect(await column(db, 'select distinct delta from tallyman.tally')).toEqual(['0']);
  });
  test('ledger verify finds nothing', async () => {
    expect(await ws.json('ledger', 'verify')).toEqual({ ok: true, differences: [] });
  });
});
