import { rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FileReport } from '../../src/core/report.js';
import { start, workspace, type Ended, type Workspace } from '../support/cli.js';
import { connect, createDatabase, type TestDatabase } from '../support/postgres.js';
import { column, csv, ids, put, reportOf, until, type Listed } from './support.js';

/** docs/spec/commands.md: unload, release --replace, load --replaces. */
let db: TestDatabase;
let ws: Workspace;
const columns = [
  { name: 'id', type: 'integer' },
  { name: 'v', type: 'text' },
];
const FEEDS = ['u', 'k', 'd', 'l', 'r', 'rk'];

beforeAll(async () => {
  db = await createDatabase();
  ws = workspace(
    db.url,
    Object.fromEntries(FEEDS.map((name) => [name, { columns, ...(name.startsWith('r') && { on_changed: 'hold' }) }])),
  );
});
afterAll(async () => {
  await db.drop();
  ws.remove();
});

async function load(feed: string, name: string, content: string): Promise<FileReport> {
  put(ws, feed, name, content);
  return reportOf(await ws.once(), feed, name);
}
const stateOf = async (id: number): Promise<string> =>
  ((await ws.json('files', 'show', String(id))) as FileReport).state;
const receipts = (feed: string): Promise<readonly (string | null)[]> =>
  column(db, 'select status from tallyman.loads where feed = $1 order by load_id', feed);
const refused = (ended: Ended): { code: number | null; text: string } => ({ code: ended.code, text: ended.stderr });
const balanced = async (): Promise<void> =>
  expect(await ws.json('ledger', 'verify')).toEqual({ ok: true, differences: [] });

/** Kills a command while it waits for the table, and lets the table go. */
async function killedAtTheTable(feed: string, args: readonly string[]): Promise<void> {
  const other = await connect(db.url);
  try {
    await other.query(`begin; lock table staging.${feed} in share mode`);
    const { child, ended } = start([...args, '-c', ws.config], { cwd: ws.dir });
    await until(
      async () =>
        (await column(db, `select 1 from pg_locks l where not granted and relation = 'staging.${feed}'::regclass`))
          .length > 0,
      'the command to wait for the table',
    );
    child.kill('SIGKILL');
    await ended;
  } finally {
    await other.query('rollback');
    await other.end();
  }
}

describe('unload', () => {
  test(
    'takes the rows out; the receipt is cleared, the file ignored and not taken again, the ledger lost or not',
    { timeout: 120_000 },
    async () => {
      const keep = await load('u', 'keep.csv', csv('9,z'));
      const { file_id: id, load_id: loadId } = await load('u', 'a.csv', csv('1,a', 'x,b', '2,c'));
      const dry = await ws.run('unload', String(id), '--reason', 'wrong month', '--dry-run');
      expect(dry.stdout).toContain('would unload 2 rows');
      expect(await ids(db, 'u')).toEqual(['1', '2', '9']);
      expect(await ws.json('unload', `load:${loadId}`, '--reason', 'wrong month')).toMatchObject({
        file_id: id,
        rows: 2,
        state: 'ignored',
        done: true,
      });
      expect(await ids(db, 'u')).toEqual(['9']);
      expect(await receipts('u')).toEqual(['loaded', 'cleared', 'ignored']);
      expect(await column(db, `select status || note from tallyman.quarantine`)).toEqual([
        'discardedunload: wrong month',
      ]);
      await balanced();
      expect((await ws.once()).reports).toEqual([]);
      rmSync(path.join(ws.dir, 'data'), { recursive: true });
      expect((await ws.once()).reports).toEqual([]);
      expect(await ids(db, 'u')).toEqual(['9']);
      // A person may take it again.
      const { items } = (await ws.json('files', '--feed', 'u', '--match', 'a.csv')) as Listed;
      expect(items).toMatchObject([{ state: 'ignored' }]);
      await ws.run('reprocess', String(items[0]!.file_id));
      await ws.once();
      expect(await ids(db, 'u')).toEqual(['1', '2', '9']);
      expect(keep.state).toBe('loaded');
    },
  );

  test('is refused by name for what has no rows there, and without a reason', async () => {
    const { file_id: id } = await load('d', 'a.csv', csv('1,a'));
    const twin = await load('d', 'twin.csv', csv('1,a'));
    expect(refused(await ws.run('unload', String(twin.file_id), '--reason', 'r'))).toMatchObject({
      code: 2,
      text: expect.stringContaining(`duplicate of file ${id}`) as string,
    });
    expect((await ws.run('unload', String(id))).code).toBe(2);
    await ws.run('unload', String(id), '--reason', 'r');
    expect(refused(await ws.run('unload', String(id), '--reason', 'r'))).toMatchObject({
      code: 2,
      text: expect.stringContaining('no rows in staging') as string,
    });
    expect(await stateOf(id)).toBe('ignored');
  });

  test('killed on the way, it is whole: the next run finishes it', { timeout: 180_000 }, async () => {
    const { file_id: id, load_id: loadId } = await load('k', 'a.csv', csv('1,a', '2,b'));
    await killedAtTheTable('k', ['unload', String(id), '--reason', 'r']);
    expect([await ids(db, 'k'), await receipts('k')]).toEqual([['1', '2'], ['loaded']]);
    await ws.once();
    expect([await ids(db, 'k'), await receipts('k'), await stateOf(id)]).toEqual([
      [],
      ['cleared', 'ignored'],
      'ignored',
    ]);
    expect((await ws.once()).reports).toEqual([]);
    // Killed behind COMMIT: PostgreSQL has it, the ledger not yet. Made here as the command makes it.
    const next = await load('k', 'b.csv', csv('3,c'));
    await killedAtTheTable('k', ['unload', String(next.file_id), '--reason', 'r']);
    await db.client.query(`delete from staging.k where _load_id = ${next.load_id}`);
    await db.client.query(`update tallyman.loads set status = 'cleared' where load_id = ${next.load_id}`);
    expect((await ws.once()).reports).toEqual([]);
    expect([await ids(db, 'k'), await stateOf(next.file_id)]).toEqual([[], 'ignored']);
    expect(loadId).not.toBe(next.load_id);
    await balanced();
  });

  test('killed at any moment, rows and receipt agree, and in the end it is done', { timeout: 180_000 }, async () => {
    for (let round = 0; round < 3; round++) {
      const { file_id: id } = await load('k', `random${round}.csv`, csv(`${100 + round},a`));
      const { child, ended } = start(['unload', String(id), '--reason', 'r', '-c', ws.config], { cwd: ws.dir });
      await sleep(250 + round * 250);
      child.kill('SIGKILL');
      await ended;
      const there = (await ids(db, 'k')).length;
      const live = (await receipts('k')).filter((status) => status === 'loaded').length;
      expect(there).toBe(live);
      await ws.once();
      if ((await stateOf(id)) === 'loaded') await ws.run('unload', String(id), '--reason', 'r');
      expect([await ids(db, 'k'), await stateOf(id)]).toEqual([[], 'ignored']);
    }
    await balanced();
  });
});

test('load --replaces: of content that is loaded already it is refused by name; of the same file touched it is done', async () => {
  const five = await load('l', 'five.csv', csv('5,a'));
  const thirteen = await load('l', 'thirteen.csv', csv('13,a'));
  const copy = path.join(ws.dir, 'copy.csv');
  put(ws, 'l', '../../copy.csv', csv('13,a'));
  const answer = await ws.run('load', copy, '--feed', 'l', '--replaces', String(five.file_id));
  expect(answer.code).toBe(2);
  expect(answer.stderr).toContain(`loaded already as file ${thirteen.file_id}`);
  expect(answer.stderr).toContain(`tallyman unload load:${five.load_id}`);
  expect(await ids(db, 'l')).toEqual(['5', '13']);
  await ws.run('unload', `load:${five.load_id}`, '--reason', 'replaced');
  expect(await ids(db, 'l')).toEqual(['13']);
  // What has no rows any more cannot be replaced, either.
  const late = await ws.run('load', copy, '--feed', 'l', '--replaces', String(five.file_id));
  expect([late.code, await ids(db, 'l')]).toEqual([2, ['13']]);
});

describe('release --replace', () => {
  test('puts the held version in place of the loaded one; without it, the report says how many rows stand beside', async () => {
    const first = await load('r', 'a.csv', csv('1,a', '2,b'));
    const held = await load('r', 'a.csv', csv('7,x'));
    expect(held.state).toBe('held');
    expect((await ws.run('release', String(held.file_id), '--replace', '--reason', 'agreed')).code).toBe(0);
    expect(reportOf(await ws.once(), 'r', 'a.csv')).toMatchObject({ state: 'loaded', generation: 2, drift: [] });
    expect([await ids(db, 'r'), await stateOf(first.file_id)]).toEqual([['7'], 'superseded']);

    const further = await load('r', 'a.csv', csv('8,y'));
    await ws.run('release', String(further.file_id));
    const shown = await ws.run('run', '--once');
    expect(shown.stdout).toContain(`1 row of earlier versions of this path (file ${held.file_id}) stand beside these`);
    expect(await ids(db, 'r')).toEqual(['7', '8']);
    await balanced();
  });

  test('is refused where nothing is loaded under the path', async () => {
    const { file_id: id } = await load('r', 'only.csv', csv('50,a'));
    const held = await load('r', 'only.csv', csv('51,b'));
    await ws.run('unload', String(id), '--reason', 'r');
    expect(refused(await ws.run('release', String(held.file_id), '--replace'))).toMatchObject({
      code: 2,
      text: expect.stringContaining('nothing to replace') as string,
    });
    expect(await stateOf(held.file_id)).toBe('held');
  });

  test('killed in the load, it is whole: the old rows or the new ones, and in the end the new ones', async () => {
    await load('rk', 'a.csv', csv('1,a'));
    const held = await load('rk', 'a.csv', csv('2,b'));
    await ws.run('release', String(held.file_id), '--replace');
    await killedAtTheTable('rk', ['run', '--once']);
    expect(await ids(db, 'rk')).toEqual(['1']);
    await ws.once();
    expect(await ids(db, 'rk')).toEqual(['2']);
    await balanced();
  });
});
