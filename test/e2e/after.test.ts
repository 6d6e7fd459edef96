import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tallyman, workspace, type Workspace } from '../support/cli.js';
import { createDatabase, type TestDatabase } from '../support/postgres.js';
import { column, csv, put, reportOf, states, type Round } from './support.js';

/** docs/spec/after.md and `source.ready`, local folders. */
let db: TestDatabase;
let ws: Workspace;
let first: Round;
let second: Round;
let third: Round;

const drop = (feed: string, ...parts: readonly string[]): string => path.join(ws.dir, 'drop', feed, ...parts);

beforeAll(async () => {
  db = await createDatabase();
  const columns = [
    { name: 'id', type: 'integer' },
    { name: 'v', type: 'text' },
  ];
  ws = workspace(db.url, {
    del: { columns, after: { loaded: 'delete', rejected: { move: 'bad' }, duplicate: 'delete' } },
    mov: {
      columns,
      after: { loaded: { move: 'done/%Y/%m' } },
      source: { ready: { marker: '{name}.done' }, recursive: true },
    },
    mark: { columns, source: { ready: { marker: '{stem}.ok' } } },
    stuck: { columns, after: { loaded: { move: 'away' } } },
    success: { columns, source: { ready: '_SUCCESS' } },
  });
  put(ws, 'del', 'a.csv', csv('1,a'));
  put(ws, 'del', 'bad.csv', csv('x,a', 'y,b'));
  put(ws, 'mov', 'm.csv', csv('1,a'));
  put(ws, 'mov', 'm.csv.done', '');
  mkdirSync(drop('mov', 'in'));
  put(ws, 'mov', 'in/m.csv', csv('2,b'));
  put(ws, 'mov', 'in/m.csv.done', '');
  put(ws, 'mov', 'waits.csv', csv('3,c'));
  put(ws, 'mark', 'k.csv', csv('1,a'));
  put(ws, 'mark', 'k.ok', '');
  put(ws, 'success', 's.csv', csv('1,a'));
  first = await ws.once('--settle-timeout', '1s');
  put(ws, 'del', 'dup.csv', csv('5,e'));
  put(ws, 'del', 'orig.csv', csv('6,f'));
  // The same name again, with other content: the target name is taken.
  put(ws, 'mov', 'm.csv', csv('9,again'));
  put(ws, 'mov', 'm.csv.done', 'x');
  put(ws, 'mark', 'k.csv', csv('1,a', '2,more'));
  put(ws, 'success', '_SUCCESS', '');
  second = await ws.once('--settle-timeout', '1s');
  put(ws, 'mark', 'k.ok', 'again');
  third = await ws.once('--settle-timeout', '1s');
}, 120_000);

afterAll(async () => {
  await db.drop();
  ws.remove();
});

describe('after', () => {
  test('delete takes the file away once it is loaded', () => {
    expect(reportOf(first, 'del', 'a.csv').state).toBe('loaded');
    expect(existsSync(drop('del', 'a.csv'))).toBe(false);
  });
  test('a rejected file is moved relative to dir, which is not scanned', () => {
    expect(reportOf(first, 'del', 'bad.csv').state).toBe('rejected');
    expect(existsSync(drop('del', 'bad', 'bad.csv'))).toBe(true);
    expect(states(second, 'del')).not.toContain('bad/bad.csv:loaded');
  });
  test('time letters are the commit time in UTC, and the path below dir is kept', async () => {
    const [year, month] = (
      await column(
        db,
        `select to_char(committed_at at time zone 'UTC', 'YYYY MM') from tallyman.loads where feed = 'mov' and path = 'm.csv' order by load_id limit 1`,
      )
    )[0]!.split(' ');
    expect(readdirSync(drop('mov', 'done', year!, month!)).sort()).toContain('m.csv');
    expect(existsSync(drop('mov', 'done', year!, month!, 'in', 'm.csv'))).toBe(true);
  });
  test('the marker goes along', () => {
    expect(readdirSync(drop('mov')).sort()).toEqual(['done', 'in', 'waits.csv']);
    expect(readdirSync(drop('mov', 'in'))).toEqual([]);
  });
  test('an existing name gets -FILE_ID, nothing is overwritten', () => {
    const again = reportOf(second, 'mov', 'm.csv');
    expect(again.state).toBe('loaded');
    const months = drop('mov', 'done', readdirSync(drop('mov', 'done'))[0]!);
    const folder = path.join(months, readdirSync(months)[0]!);
    expect(readFileSync(path.join(folder, 'm.csv'), 'utf8')).toBe(csv('1,a'));
    expect(readFileSync(path.join(folder, `m-${again.file_id}.csv`), 'utf8')).toBe(csv('9,again'));
  });
  test('files show tells of the action, and the ledger keeps where the file is now', async () => {
    const shown = (await ws.json('files', 'show', String(reportOf(first, 'mov', 'm.csv').file_id))) as {
      actions: { action: string; state: string; detail: string }[];
    };
    expect(shown.actions).toHaveLength(1);
    expect(shown.actions[0]).toMatchObject({ state: 'done' });
    expect(shown.actions[0]!.detail).toMatch(/moved to done\/\d{4}\/\d\d\/m\.csv/);
  });
  test('a moved file can be reprocessed from where it is now, and no second action runs', async () => {
    const { file_id: id } = reportOf(first, 'mov', 'm.csv');
    expect((await ws.run('reprocess', String(id))).code).toBe(0);
    const round = await ws.once('--settle-timeout', '0s');
    expect(reportOf(round, 'mov', 'm.csv')).toMatchObject({ file_id: id, state: 'loaded', generation: 2 });
    const shown = (await ws.json('files', 'show', String(id))) as { actions: unknown[] };
    expect(shown.actions).toHaveLength(1);
    expect(await column(db, `select count(*) from staging.mov where id = 1`)).toEqual(['1']);
  });
  test('a deleted file cannot be reprocessed: SOURCE_GONE, exit 1, nothing changed', async () => {
    const { file_id: id } = reportOf(first, 'del', 'a.csv');
    const refused = await ws.run('reprocess', String(id), '--json');
    expect(refused.code).toBe(1);
    expect(JSON.parse(refused.stderr)).toMatchObject({ message_type: 'error', code: 'SOURCE_GONE' });
    expect(((await ws.json('files', 'show', String(id))) as { state: string }).state).toBe('loaded');
  });
  test('overlapping feeds with any after but leave are an error', async () => {
    const other = path.join(ws.dir, 'overlap.yaml');
    const source = { type: 'local', dir: 'drop/del', pattern: '*.csv' };
    writeFileSync(
      other,
      JSON.stringify({
        version: 1,
        data_dir: 'd2',
        database: { url: db.url },
        feeds: {
          a: { source, format: { type: 'csv' }, after: { loaded: 'delete' } },
          b: { source, format: { type: 'csv' } },
        },
      }),
    );
    const checked = await tallyman(['check', '-c', other]);
    expect(checked.code).toBe(78);
  });
});

describe('ready', () => {
  test('a file without its marker is waiting: no entry, no effect on the exit code', async () => {
    expect(second.code).toBe(0);
    expect(second.summary.files['waiting']).toBeGreaterThanOrEqual(1);
    const listed = (await ws.json('files', '--feed', 'mov', '--match', 'waits.csv')) as { items: unknown[] };
    expect(listed.items).toEqual([]);
  });
  test('{stem} is the name without extensions; the marker is never data', () => {
    expect(states(first, 'mark')).toEqual(['k.csv:loaded']);
  });
  test('for a changed path the marker must itself have changed since', () => {
    expect(states(second, 'mark')).toEqual([]);
    expect(states(third, 'mark')).toEqual(['k.csv:loaded']);
  });
  test('a fixed name releases the files of its folder', () => {
    expect(states(first, 'success')).toEqual([]);
    expect(states(second, 'success')).toEqual(['s.csv:loaded']);
  });
});

describe('an after action that cannot be done', () => {
  test('never changes the outcome, is told, and is tried again by the next run', async () => {
    put(ws, 'stuck', 'later.csv', csv('77,x'));
    // root may write anywhere: a file where the folder should be stops the move for everybody.
    writeFileSync(drop('stuck', 'away'), '');
    const round = await ws.once('--settle-timeout', '0s');
    const report = reportOf(round, 'stuck', 'later.csv');
    expect(report).toMatchObject({ state: 'loaded', error: null });
    expect(round.code).toBe(0);
    expect(round.stderr).toContain('later.csv');
    rmSync(drop('stuck', 'away'));
    expect((await ws.once('--settle-timeout', '0s')).reports).toEqual([]);
    expect(readdirSync(drop('stuck', 'away'))).toEqual(['later.csv']);
  });
});
