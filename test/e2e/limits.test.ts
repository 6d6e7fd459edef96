import { afterAll, beforeAll, expect, test } from 'vitest';
import { workspace, type Workspace } from '../support/cli.js';
import { createDatabase, type TestDatabase } from '../support/postgres.js';
import { column, csv, put, reportOf, type Round } from './support.js';

/** docs/spec/limits.md. */
let db: TestDatabase;
let ws: Workspace;
let round: Round;

beforeAll(async () => {
  db = await createDatabase();
  const columns = [
    { name: 'id', type: 'integer' },
    { name: 'v', type: 'text' },
  ];
  await db.client.query('create schema staging');
  await db.client.query(
    'create table staging.pg (_load_id bigint not null, _row bigint not null, id integer check (id < 100), v text)',
  );
  ws = workspace(db.url, {
    ratio: { columns },
    count: { columns, limits: { bad_rows: 2, bad_ratio: 1 } },
    zero: { columns, limits: { bad_rows: 0 } },
    pg: { columns, limits: { database_rows: 1 } },
    kept: { columns, limits: { bad_ratio: 0.1 } },
  });
  put(ws, 'ratio', 'half.csv', csv('1,a', 'x,b'));
  put(ws, 'ratio', 'more.csv', csv('1,a', 'x,b', 'y,c'));
  put(ws, 'count', 'two.csv', csv('1,a', 'x,b', 'y,c'));
  put(ws, 'count', 'three.csv', csv('1,a', 'x,b', 'y,c', 'z,d', '2,e', '3,f'));
  put(ws, 'zero', 'one.csv', csv('1,a', 'x,b', '2,c'));
  put(ws, 'pg', 'one.csv', csv('1,a', '100,b', '2,c'));
  put(ws, 'pg', 'two.csv', csv('1,a', '100,b', '101,c', '3,d'));
  put(ws, 'kept', 'many.csv', csv(...Array.from({ length: 3_000 }, (_, i) => (i % 2 === 0 ? `${i},ok` : 'bad,row'))));
  round = await ws.once();
});

afterAll(async () => {
  await db.drop();
  ws.remove();
});

test('bad_ratio 0.5: 1 bad row of 2 loads', () => {
  expect(reportOf(round, 'ratio', 'half.csv')).toMatchObject({
    state: 'loaded',
    rows: { read: 2, loaded: 1, quarantined: 1 },
  });
});
test('bad_ratio 0.5: 2 bad rows of 3 is rejected, loaded 0, delta null, with code, message and fix', () => {
  const report = reportOf(round, 'ratio', 'more.csv');
  expect(report).toMatchObject({
    state: 'rejected',
    rows: { read: 3, loaded: 0, quarantined: 2, delta: null },
    error: { code: 'TOO_MANY_BAD_ROWS' },
  });
  expect(report.error!.message).not.toBe('');
  expect(report.error!.fix).not.toBe('');
});
test('bad_rows: 2 bad rows with a limit of 2 load, the third stops at once', () => {
  expect(reportOf(round, 'count', 'two.csv')).toMatchObject({ state: 'loaded', rows: { loaded: 1, quarantined: 2 } });
  expect(reportOf(round, 'count', 'three.csv')).toMatchObject({
    state: 'rejected',
    rows: { loaded: 0, quarantined: 3 },
  });
});
test('bad_rows 0 rejects at the first bad row', () => {
  expect(reportOf(round, 'zero', 'one.csv')).toMatchObject({ state: 'rejected', rows: { loaded: 0, quarantined: 1 } });
});
test('database_rows: rows that only PostgreSQL refused, 1 with a limit of 1 loads, 2 are rejected', () => {
  expect(reportOf(round, 'pg', 'one.csv')).toMatchObject({
    state: 'loaded',
    rows: { read: 3, loaded: 2, quarantined: 1 },
  });
  expect(reportOf(round, 'pg', 'one.csv').errors[0]).toMatchObject({
    class: 'database-error',
    first_row: 2,
    first_line: 3,
  });
  expect(reportOf(round, 'pg', 'two.csv')).toMatchObject({
    state: 'rejected',
    error: { code: 'TOO_MANY_DATABASE_ROWS' },
  });
});
test('a rejected file: nothing in staging, a receipt, and its first 1,000 bad rows', async () => {
  const report = reportOf(round, 'kept', 'many.csv');
  expect(report.state).toBe('rejected');
  expect(
    await column(
      db,
      `select to_regclass('staging.kept') is null or not exists (select 1 from staging.ratio r join tallyman.loads l on l.load_id = r._load_id where l.status = 'rejected')`,
    ),
  ).toEqual(['true']);
  expect(
    await column(
      db,
      `select status || ' ' || rows_loaded || ' ' || error_code from tallyman.loads where load_id = ${report.load_id}`,
    ),
  ).toEqual(['rejected 0 TOO_MANY_BAD_ROWS']);
  expect(await column(db, `select count(*) from tallyman.quarantine where load_id = ${report.load_id}`)).toEqual([
    '1000',
  ]);
});
test('exit 1 wins over 3', () => {
  expect(round.code).toBe(1);
  expect(round.summary.exit_code).toBe(1);
});
test('the summary counts rows of committed loads only', () => {
  expect(round.summary.rows).toEqual({ read: 8, loaded: 4, quarantined: 4, skipped: 0, delta: 0 });
});
