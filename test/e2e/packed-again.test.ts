import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FileDetail } from '../../src/core/report.js';
import { zipOf } from '../decode/support.js';
import { workspace, type Workspace } from '../support/cli.js';
import { createDatabase, type TestDatabase } from '../support/postgres.js';
import { csv, ids, reportOf, states } from './support.js';

/** One content, delivered as it is, packed, and packed anew: `identity`. */
let db: TestDatabase;
const cleanups: (() => void)[] = [];
beforeAll(async () => {
  db = await createDatabase();
});
afterAll(async () => {
  for (const clean of cleanups) clean();
  await db.drop();
});

function feedIn(name: string, feed: Readonly<Record<string, unknown>> = {}): Workspace {
  const ws = workspace(db.url, {
    [name]: { ...feed, source: { pattern: '*.{csv,gz,zip}', ...(feed['source'] as object | undefined) } },
  });
  cleanups.push(() => ws.remove());
  return ws;
}

const TEXT = csv('1,a', '2,b');
const FORMS: Readonly<Record<string, string | Buffer>> = {
  'a.csv': TEXT,
  'b.csv.gz': gzipSync(TEXT, { level: 9 }),
  'c.csv.gz': gzipSync(TEXT, { level: 1 }),
  'd.zip': zipOf([{ name: 'x.csv', content: TEXT }]),
};
const sha = (bytes: string | Buffer): string => createHash('sha256').update(bytes).digest('hex');
const put = (ws: Workspace, ...names: readonly string[]): void => {
  for (const name of names) ws.put(name, FORMS[name]!);
};
const verified = async (ws: Workspace): Promise<void> => {
  expect(await ws.json('ledger', 'verify')).toEqual({ ok: true, differences: [] });
};

describe('the same content is one load', () => {
  test.each([
    ['plain first', ['a.csv', 'b.csv.gz', 'c.csv.gz', 'd.zip']],
    ['packed first', ['c.csv.gz', 'd.zip', 'a.csv', 'b.csv.gz']],
  ])('one after another, %s: told as a duplicate that was packed another way', async (_, names) => {
    const feed = `one_${names[0]![0]!}`;
    const ws = feedIn(feed);
    for (const [at, name] of names.entries()) {
      put(ws, name);
      const report = reportOf(await ws.once(), feed, name);
      expect(report.state).toBe(at === 0 ? 'loaded' : 'duplicate');
      expect([report.sha256, report.content_sha256]).toEqual([sha(FORMS[name]!), sha(TEXT)]);
      if (at === 0) continue;
      const detail = (await ws.json('files', 'show', String(report.file_id))) as FileDetail;
      expect(detail.content_sha256).toBe(sha(TEXT));
      expect(detail.history.at(-1)?.reason).toMatch(/^same content as .*, delivered packed another way$/);
    }
    expect(await ids(db, feed)).toEqual(['1', '2']);
    await verified(ws);
    const { rows } = await db.client.query(
      `select file_sha256, content_sha256, status from tallyman.loads where feed = $1`,
      [feed],
    );
    expect(rows).toEqual([{ file_sha256: sha(FORMS[names[0]!]!), content_sha256: sha(TEXT), status: 'loaded' }]);
  });

  test('all of them at once, in one transaction or in several threads', async () => {
    const ws = feedIn('at_once');
    put(ws, ...Object.keys(FORMS));
    const round = await ws.once();
    expect(round.reports.map(({ state }) => state).sort()).toEqual(['duplicate', 'duplicate', 'duplicate', 'loaded']);
    expect(await ids(db, 'at_once')).toEqual(['1', '2']);
    await verified(ws);
  });

  test('under the same path: packed anew is no further version, whatever on_changed says', async () => {
    for (const on_changed of ['load', 'replace']) {
      const feed = `path_${on_changed}`;
      const ws = feedIn(feed, { on_changed });
      ws.put('a.csv.gz', FORMS['b.csv.gz']!);
      await ws.once();
      ws.put('a.csv.gz', FORMS['c.csv.gz']!);
      expect(states(await ws.once())).toEqual(['a.csv.gz:duplicate']);
      ws.put('a.csv.gz', gzipSync(csv('3,c')));
      expect(states(await ws.once())).toEqual(['a.csv.gz:loaded']);
      expect(await ids(db, feed)).toEqual(on_changed === 'load' ? ['1', '2', '3'] : ['3']);
      await verified(ws);
    }
  });

  test('when data_dir was lost the receipts tell it', async () => {
    const [ws, next] = [feedIn('lost_dir'), feedIn('lost_dir')];
    put(ws, 'b.csv.gz');
    await ws.once();
    put(next, 'a.csv', 'c.csv.gz');
    expect(states(await next.once())).toEqual(['a.csv:duplicate', 'c.csv.gz:duplicate']);
    expect(await ids(db, 'lost_dir')).toEqual(['1', '2']);
  });
});

describe('what a person decides holds for every packing', () => {
  test('reprocess takes the place of its own load; --replaces that of another packing', async () => {
    const ws = feedIn('again');
    put(ws, 'b.csv.gz');
    await ws.once();
    expect((await ws.run('reprocess', '1', '--reason', 'r', '--wait')).code).toBe(0);
    put(ws, 'a.csv');
    expect(states(await ws.once())).toContain('a.csv:duplicate');
    const file = ws.put('own.csv', TEXT);
    const named = await ws.run('load', '--feed', 'again', file, '--replaces', '1');
    expect([named.code, named.stderr]).toEqual([0, '']);
    expect(await ids(db, 'again')).toEqual(['1', '2']);
    await verified(ws);
  });

  test('unloaded: no packing of it comes back by itself', async () => {
    const ws = feedIn('unloaded');
    put(ws, 'b.csv.gz');
    await ws.once();
    expect((await ws.run('unload', '1', '--reason', 'r')).code).toBe(0);
    put(ws, 'a.csv', 'c.csv.gz');
    expect(states(await ws.once())).toEqual(['a.csv:duplicate', 'c.csv.gz:duplicate']);
    expect(await ids(db, 'unloaded')).toEqual([]);
  });

  test('cleared: the next packing replaces the rows that stayed', async () => {
    const ws = feedIn('cleared');
    const first = ws.put('b.csv.gz', FORMS['b.csv.gz']!);
    await ws.once();
    // Left there, it would be taken again itself.
    rmSync(first);
    expect((await ws.run('ledger', 'clear', '1', '--reason', 'r')).code).toBe(0);
    put(ws, 'a.csv');
    expect(reportOf(await ws.once(), 'cleared', 'a.csv')).toMatchObject({ state: 'loaded', generation: 2 });
    expect(await ids(db, 'cleared')).toEqual(['1', '2']);
    await verified(ws);
  });

  test('on_duplicate: load loads each of them, hold keeps each for a person', async () => {
    const [load, hold] = [feedIn('each', { on_duplicate: 'load' }), feedIn('kept', { on_duplicate: 'hold' })];
    for (const ws of [load, hold]) {
      put(ws, 'b.csv.gz');
      await ws.once();
      put(ws, 'a.csv', 'c.csv.gz');
    }
    expect(states(await load.once())).toEqual(['a.csv:loaded', 'c.csv.gz:loaded']);
    expect(states(await hold.once())).toEqual(['a.csv:held', 'c.csv.gz:held']);
    expect(await ids(db, 'each')).toEqual(['1', '1', '1', '2', '2', '2']);
    await verified(load);
  });
});

test('identity: bytes tells files apart by what was delivered, and computes nothing else', async () => {
  const ws = feedIn('by_bytes', { identity: 'bytes' });
  put(ws, 'a.csv', 'b.csv.gz', 'c.csv.gz');
  const round = await ws.once();
  expect(states(round)).toEqual(['a.csv:loaded', 'b.csv.gz:loaded', 'c.csv.gz:loaded']);
  expect(round.reports.map(({ content_sha256 }) => content_sha256)).toEqual([null, null, null]);
});

test('a snapshot feed knows its live snapshot in another packing', async () => {
  const ws = feedIn('snap', { target: { mode: 'replace_all' } });
  put(ws, 'a.csv');
  await ws.once();
  put(ws, 'b.csv.gz');
  expect(states(await ws.once())).toEqual(['b.csv.gz:duplicate']);
  expect(await ids(db, 'snap')).toEqual(['1', '2']);
});

test('a load by the version before, whose receipt says nothing of content, counts all the same', async () => {
  const ws = feedIn('older');
  put(ws, 'a.csv');
  await ws.once();
  await db.client.query(`update tallyman.loads set content_sha256 = null where feed = 'older'`);
  const next = feedIn('older');
  put(next, 'b.csv.gz');
  expect(states(await next.once())).toEqual(['b.csv.gz:duplicate']);
  expect(await ids(db, 'older')).toEqual(['1', '2']);
});

test('the ledger keeps the version that the program before knows', async () => {
  const ws = feedIn('ledger_version');
  put(ws, 'b.csv.gz');
  await ws.once();
  const ledger = new Database(path.join(ws.dir, 'data', 'ledger.db'), { readonly: true });
  expect(ledger.pragma('user_version', { simple: true })).toBe(2);
  ledger.close();
});
