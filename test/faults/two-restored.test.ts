import {
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  closeSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, inject, test } from 'vitest';
import type { FileReport } from '../../src/core/report.js';
import { workspace, type Workspace } from '../support/cli.js';
import { connect, createDatabase, type TestDatabase } from '../support/postgres.js';
import {
  csvFile,
  deliver,
  deliverBefore,
  deliverMixed,
  feedBooks,
  MIXED_EXPECTED,
  MIXED_FEEDS,
  MIXED_TOP,
  prepareMixed,
} from './support/mixed.js';
import { audit, type Expected } from './support/oracle.js';
import { report } from './support/report.js';

/** A ledger or a database that is gone, or as it was yesterday: the other one of the two knows. */
const cleanups: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

async function mixed(): Promise<{ db: TestDatabase; ws: Workspace }> {
  const db = await createDatabase();
  const ws = workspace(db.url, MIXED_FEEDS, MIXED_TOP);
  cleanups.push(async () => {
    await db.drop();
    ws.remove();
  });
  await prepareMixed(db.client);
  deliverBefore(ws);
  expect((await ws.once()).code).toBe(0);
  return { db, ws };
}

const LEDGER = ['ledger.db', 'ledger.db-wal', 'ledger.db-shm'] as const;

/** Copies of the three files, as a backup of the night would have them. */
function saveLedger(ws: Workspace): () => void {
  const kept = path.join(ws.dir, 'yesterday');
  mkdirSync(kept);
  const saved = LEDGER.filter((name) => existsSync(path.join(ws.dir, 'data', name)));
  for (const name of saved) copyFileSync(path.join(ws.dir, 'data', name), path.join(kept, name));
  return () => {
    for (const name of LEDGER) rmSync(path.join(ws.dir, 'data', name), { force: true });
    for (const name of saved) copyFileSync(path.join(kept, name), path.join(ws.dir, 'data', name));
  };
}

async function balanced(
  ws: Workspace,
  client: TestDatabase['client'],
  expected: Expected,
  fault: string,
): Promise<void> {
  const { problems, ...counts } = await audit(ws, client, expected);
  report({
    section: 'Two of us',
    fault,
    tries: 1,
    files: counts.files,
    rows: counts.rows,
    lost: counts.lost,
    doubled: counts.doubled,
  });
  expect(problems).toEqual([]);
}

/**
 * States of single files may differ from those of an undisturbed run (a duplicate that is forgotten by design), rows
 * may not.
 */
const ROWS_ONLY: Expected = { feeds: MIXED_EXPECTED.feeds };

describe('the ledger', () => {
  test('deleted: rebuilt from the receipts, nothing is loaded again, and work goes on', async () => {
    const { db, ws } = await mixed();
    deliverMixed(ws);
    expect((await ws.once()).code).toBe(1);
    for (const name of LEDGER) rmSync(path.join(ws.dir, 'data', name), { force: true });
    const again = await ws.once();
    expect(again.reports.filter(({ state }) => state === 'loaded')).toEqual([]);
    await balanced(ws, db.client, ROWS_ONLY, 'ledger deleted');
    const after = csvFile('after', 25);
    deliver(ws, 'checked', 'after.csv', after);
    expect((await ws.once()).reports.map(({ state }) => state)).toEqual(['loaded']);
  });

  test('as it was yesterday: what was loaded since is taken in from the receipts, what stands in the drop is not loaded again', async () => {
    const { db, ws } = await mixed();
    const restore = saveLedger(ws);
    deliverMixed(ws);
    expect((await ws.once()).code).toBe(1);
    const { rows: before } = await db.client.query<{ n: number }>('select count(*)::int n from tallyman.loads');
    restore();
    const again = await ws.once();
    expect(again.stderr).toBe('');
    expect(again.reports.filter(({ state }) => state === 'loaded')).toEqual([]);
    const { rows: since } = await db.client.query<{ n: number }>('select count(*)::int n from tallyman.loads');
    expect(since).toEqual(before);
    await balanced(ws, db.client, ROWS_ONLY, 'ledger restored from yesterday');
  });

  test('as it was in the middle of a load that has been committed since: it is not loaded again', async () => {
    const { db, ws } = await mixed();
    deliverMixed(ws);
    await ws.once();
    const restore = saveLedger(ws);
    const again = csvFile('v3', 70);
    deliver(ws, 'versions', 'v.csv', again);
    expect((await ws.once()).reports.map(({ state }) => state)).toContain('loaded');
    restore();
    expect((await ws.once()).reports.filter(({ state }) => state === 'loaded')).toEqual([]);
    await balanced(
      ws,
      db.client,
      {
        feeds: [...MIXED_EXPECTED.feeds.filter(({ feed }) => feed !== 'versions'), feedBooks('versions', [again.book])],
      },
      'ledger older than the version that replaced another',
    );
  });

  for (const [what, at] of [
    ['in the middle', 0.5],
    ['of its head', 0],
  ] as const) {
    test(`with a page overwritten ${what}: says what is damaged and what to do, touches nothing; moved away it is rebuilt`, async () => {
      const { db, ws } = await mixed();
      deliverMixed(ws);
      await ws.once();
      // Everything into the one file first, as after a clean end.
      const ledger = path.join(ws.dir, 'data', 'ledger.db');
      const pages = Math.floor(statSync(ledger).size / 4096);
      const fd = openSync(ledger, 'r+');
      const first = Math.floor(pages * at);
      for (let page = first; page < Math.max(first + 1, Math.floor(pages * (at + 0.3))); page++)
        writeSync(fd, Buffer.alloc(4096, 0xa5), 0, 4096, page * 4096);
      closeSync(fd);
      rmSync(`${ledger}-wal`, { force: true });
      rmSync(`${ledger}-shm`, { force: true });
      deliver(ws, 'checked', 'later.csv', csvFile('later', 5));
      const refused = await ws.run('run', '--once');
      expect(refused.code).toBe(1);
      expect(refused.stderr).toMatch(/The ledger .*ledger\.db is damaged/);
      expect(refused.stderr).toContain('Move ledger.db');
      const { rows } = await db.client.query<{ n: number }>(
        "select count(*)::int n from tallyman.loads where path = 'later.csv'",
      );
      expect(rows[0]?.n).toBe(0);
      renameSync(ledger, `${ledger}.damaged`);
      const again = await ws.once();
      expect(again.reports.filter(({ state }) => state === 'loaded').map((r: FileReport) => r.path)).toEqual([
        'later.csv',
      ]);
      const { problems } = await audit(ws, db.client, {
        feeds: MIXED_EXPECTED.feeds.filter(({ feed }) => feed !== 'checked'),
      });
      report({ section: 'Two of us', fault: `ledger damaged ${what}`, tries: 1, lost: 0, doubled: 0 });
      expect(problems).toEqual([]);
    });
  }
});

describe('the database', () => {
  test('as it was yesterday: what it no longer knows is loaded again where the bytes still are; the rest is failed, RECEIPT_LOST', async () => {
    const { db, ws } = await mixed();
    // Yesterday: a copy of the whole database, as a restored backup would be.
    const admin = await connect(inject('postgresUrl'));
    cleanups.push(async () => {
      await admin.query(`drop database if exists ${db.name}_now with (force)`);
      await admin.end();
    });
    await db.client.end();
    await admin.query(`create database ${db.name}_old template ${db.name} strategy file_copy`);
    deliverMixed(ws);
    const gone = csvFile('gone', 33);
    const goneFile = deliver(ws, 'checked', 'gone.csv', gone);
    expect((await ws.once()).code).toBe(1);
    rmSync(goneFile);
    await admin.query(`alter database ${db.name} rename to ${db.name}_now`);
    await admin.query(`alter database ${db.name}_old rename to ${db.name}`);
    const client = await connect(db.url);
    cleanups.push(() => client.end());
    const again = await ws.once();
    const states = new Map(again.reports.map((r) => [`${r.feed}/${r.path}`, r]));
    expect(states.get('checked/gone.csv')).toMatchObject({ state: 'failed', error: { code: 'RECEIPT_LOST' } });
    const reloaded = again.reports
      .filter(({ state }) => state === 'loaded')
      .map((r) => `${r.feed}/${r.path}`)
      .sort();
    expect(reloaded.filter((name) => !name.startsWith('plain/'))).toEqual([
      'checked/c.csv',
      'lines/l.jsonl',
      'packed/p.csv.gz',
      'versions/v.csv',
    ]);
    expect(reloaded.filter((name) => name.startsWith('plain/'))).toHaveLength(2);
    const once = await ws.once();
    expect(once.reports.filter(({ state }) => state === 'loaded')).toEqual([]);
    // The table of the feed whose only file was rejected was made since yesterday.
    await balanced(
      ws,
      client,
      { feeds: MIXED_EXPECTED.feeds.filter(({ feed }) => feed !== 'strict') },
      'database restored from yesterday',
    );
  });
});
