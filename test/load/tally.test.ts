import { afterAll, beforeAll, expect, test } from 'vitest';
import { countGroupSql, countSql, pagesSql, tailCondition, type TallyScan } from '../../src/load/transaction/tally.js';
import { inspectTable, type TargetTable } from '../../src/postgres/staging/catalog.js';
import { connect } from '../support/postgres.js';
import { openBench, type Bench } from './support.js';
import type pg from 'pg';

/**
 * Two sessions that load into one table: each goes on at the page that it filled last, however far the other has made
 * the table grow meanwhile.
 */
let bench: Bench;
let ours: pg.Client;
let table: TargetTable;

beforeAll(async () => {
  bench = await openBench();
  await bench.query(
    'create schema staging; create table staging.t (_load_id bigint not null, _row bigint not null, name text storage plain)',
  );
  table = (await inspectTable(
    await bench.session.connection(bench.job(bench.put('a.csv', '')).database),
    'staging',
    't',
  ))!;
  ours = await connect(bench.db.url);
});
afterAll(async () => {
  await ours.end();
  await bench.close();
});

const pages = async (): Promise<readonly number[]> =>
  (await ours.query<{ pages: number[] }>(`SELECT ${pagesSql(table)} AS pages`)).rows[0]!.pages;
const insert = (client: pg.Client | Bench, load: number, rows: number, length: number): Promise<unknown> =>
  client.query(`insert into staging.t select ${load}, i, repeat('x', ${length}) from generate_series(1, ${rows}) i`);
const counted = async (scan: TallyScan): Promise<number> =>
  Number((await ours.query<{ rows: string }>(countSql(scan))).rows[0]!.rows);

test('the rows of a session that goes on far before the end of the table are found where its load before ended', async () => {
  await insert(ours, 1, 10, 60);
  const ended = await pages();
  // One row a page, and none fits on the page that the other session has begun.
  await insert(bench, 2, 2_000, 8_000);
  const before = await pages();
  await insert(ours, 3, 10, 60);
  const scan = { table, loadId: 3, pages: before, ended };
  expect(await counted(scan)).toBe(10);
  expect((await ours.query(countGroupSql(scan, [3, 4]))).rows).toEqual([{ load_id: '3', rows: '10' }]);
  expect((await ours.query(`select count(*)::int as n from staging.t where ${tailCondition(scan, 0)}`)).rows).toEqual([
    { n: 10 },
  ]);
  // Why: at the end of the table there are none of them.
  expect(await counted({ ...scan, ended: null })).toBe(0);
});

test('no row is counted twice where both ranges meet', async () => {
  const before = await pages();
  for (const ended of [before[0]! - 600, before[0]! - 400, before[0]! - 256, before[0]!, 0])
    expect(await counted({ table, loadId: 2, pages: before, ended: [ended] })).toBeLessThanOrEqual(2_000);
  expect(await counted({ table, loadId: 2, pages: [256], ended: [0] })).toBe(2_000);
  expect(await counted({ table, loadId: 2, pages: [500], ended: [300] })).toBe(
    await counted({ table, loadId: 2, pages: [300], ended: null }),
  );
});
