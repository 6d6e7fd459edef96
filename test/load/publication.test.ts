import { afterAll, beforeAll, expect, test } from 'vitest';
import { openReceipts } from '../../src/postgres/control/receipts.js';
import { feedOf, openBench, type Bench } from './support.js';

/** Under a publication PostgreSQL refuses to delete rows that nothing identifies, and it says so only when they go. */
let bench: Bench;
const into = (table: string) => feedOf({ name: table, target: { ...feedOf().target, table } });
const replacing = (loadId: number) => ({ replaces: { loadIds: [loadId], path: false, feed: false }, generation: 2 });

beforeAll(async () => {
  bench = await openBench();
  await bench.query(`create schema staging; create publication everything for all tables;
    create table staging.bare (_load_id bigint not null, _row bigint not null, id integer, name text);
    create table staging.parts (like staging.bare) partition by range (id);
    create table staging.parts_1 partition of staging.parts for values from (0) to (10)`);
});
afterAll(() => bench.close());

test('a table without replica identity is a misfit with the ALTER, and works when it was run', async () => {
  for (const [table, leaf] of [
    ['bare', 'bare'],
    ['parts', 'parts_1'],
  ] as const) {
    const result = await bench.take(`${table}.csv`, 'id,name\n1,a\n', into(table));
    const alter = `ALTER TABLE "staging"."${leaf}" REPLICA IDENTITY FULL;`;
    expect(result).toMatchObject({
      outcome: 'misfit',
      error: { code: 'CONTRACT_MISFIT', message: expect.stringContaining(alter) as unknown },
    });
    await bench.query(alter);
    const first = await bench.take(`${table}.csv`, 'id,name\n1,a\n', into(table));
    if (first.outcome !== 'loaded') throw new Error(JSON.stringify(first));
    expect(await bench.take(`${table}.csv`, 'id,name\n2,a\n', into(table), replacing(first.loadId))).toMatchObject({
      outcome: 'loaded',
      replaced: [first.loadId],
    });
  }
});

test('a table that is made here can be deleted from, and so can the control tables be changed', async () => {
  const first = await bench.take('new.csv', 'id,name\n1,a\nx,b\n', into('new'));
  if (first.outcome !== 'loaded') throw new Error(JSON.stringify(first));
  const second = await bench.take('new.csv', 'id,name\n2,a\nx,b\n', into('new'), replacing(first.loadId));
  if (second.outcome !== 'loaded') throw new Error(JSON.stringify(second));
  const receipts = openReceipts(bench.job(bench.put('any.csv', '')).database);
  expect(await receipts.clear([second.loadId])).toBe(1);
  await receipts.close();
  await bench.take('new.csv', 'id,name\n3,a\n', into('new'));
  expect(await bench.query('select id from staging.new')).toEqual([{ id: 3 }]);
});

test('a publication that comes later is noticed, one that publishes no deletes asks for nothing', async () => {
  await bench.query('drop publication everything; create table staging.later (like staging.bare)');
  await bench.query(`create publication inserts for table staging.later with (publish = 'insert')`);
  expect(await bench.take('l1.csv', 'id,name\n1,a\n', into('later'))).toMatchObject({ outcome: 'loaded' });
  await bench.query('drop publication inserts; create publication all_of_it for table staging.later');
  expect(await bench.take('l2.csv', 'id,name\n2,a\n', into('later'))).toMatchObject({ outcome: 'misfit' });
});
