import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { FeedSpec } from '../../src/core/feed/feed.js';
import type { LoadJob, LoadResult } from '../../src/core/load.js';
import { csv } from '../../src/formats/csv/index.js';
import { loadGroup } from '../../src/load/load-group.js';
import { LoadSession } from '../../src/load/transaction/session.js';
import { connect } from '../../src/postgres/connect/connect.js';
import { ensureControlSchema } from '../../src/postgres/control/control-schema.js';
import { feedOf, openBench, type Bench } from './support.js';

/** Rows are told apart by their _load_id alone: no two loads into one table may have the same, whoever gave it. */
let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench.close());

const into = (table: string, target: Partial<FeedSpec['target']> = {}): FeedSpec =>
  feedOf({ name: table, target: { ...feedOf().target, table, ...target } });
const loadedId = (result: LoadResult): number => {
  if (result.outcome !== 'loaded') throw new Error(JSON.stringify(result));
  return result.loadId;
};
let names = 0;
const take = async (feed: FeedSpec, rows: number, change: Partial<LoadJob> = {}): Promise<number> => {
  const n = ++names;
  const lines = Array.from({ length: rows }, (_, i) => `${n * 1000 + i},x`);
  return loadedId(await bench.take(`f${n}.csv`, `id,name\n${lines.join('\n')}\n`, feed, change));
};
/** `_load_id:rows`, ascending. */
const present = async (table: string): Promise<readonly string[]> =>
  (
    await bench.query(
      `select _load_id || ':' || count(*) as is from staging.${table} group by _load_id order by _load_id`,
    )
  ).map((row) => String(row['is']));
const makeControl = async (schema: string): Promise<void> => {
  const control = await connect(bench.job(bench.put('any.csv', '')).database);
  await ensureControlSchema(control, schema);
  await control.close();
};
const under = (schema: string): Partial<LoadJob> => ({
  database: { ...bench.job(bench.put('any.csv', '')).database, controlSchema: schema },
});

test('a control schema that was dropped and made anew goes on behind what stands in the table', async () => {
  const ids = [await take(into('dropped'), 2), await take(into('dropped'), 1)];
  await bench.query('drop schema tallyman cascade');
  await makeControl('tallyman');
  const next = await take(into('dropped'), 3);
  expect(next).toBeGreaterThan(Math.max(...ids));
  expect(await present('dropped')).toEqual([`${ids[0]}:2`, `${ids[1]}:1`, `${next}:3`]);
});

test('a group of small files meets the table like a single one', async () => {
  await take(into('grouped'), 2);
  await bench.query('drop schema tallyman cascade');
  await makeControl('tallyman');
  const jobs = [1, 2].map((n) => bench.job(bench.put(`g${n}.csv`, `id,name\n${n},a\n`), into('grouped')));
  const hooks = { formats: [csv], decoders: [], onProgress: () => undefined, signal: new AbortController().signal };
  const results = await loadGroup(jobs, hooks, new LoadSession());
  const ids = results.map((result) => loadedId(result!));
  expect(new Set([...(await present('grouped')).map((one) => one.split(':')[0])]).size).toBe(3);
  expect(await present('grouped')).toEqual(expect.arrayContaining(ids.map((id) => `${id}:1`)));
});

test('a control schema that was restored to an earlier time goes on behind the newest rows of the table', async () => {
  const first = await take(into('restored'), 1);
  const lost = [await take(into('restored'), 2), await take(into('restored'), 2)];
  await bench.query(`delete from tallyman.loads where load_id = any($1::bigint[])`, [lost]);
  await bench.query(`select setval('tallyman.loads_load_id_seq', $1::bigint)`, [first]);
  expect(await take(into('restored'), 3)).toBeGreaterThan(Math.max(...lost));
});

test('a sequence that somebody set back goes on behind the receipts', async () => {
  const newest = await take(into('reset'), 1);
  await bench.query(`alter sequence tallyman.loads_load_id_seq restart`);
  expect(await take(into('reset'), 1)).toBeGreaterThan(newest);
});

test('a table that is made anew, or gets a partition with rows, is met again', async () => {
  const columns = '_load_id bigint not null, _row bigint not null, id integer, name text';
  await bench.query(`create table staging.parts (${columns}) partition by range (id);
    create table staging.parts_1 partition of staging.parts for values from (0) to (1000000)`);
  const first = await take(into('parts'), 1);
  await bench.query(`create table staging.parts_2 (${columns});
    insert into staging.parts_2 select ${first + 40}, i, 2000000 + i, repeat('x', 500) from generate_series(1, 1) i;
    insert into staging.parts_2 select 0, i, 2000000 + i, repeat('x', 500) from generate_series(2, 2000) i;
    alter table staging.parts attach partition staging.parts_2 for values from (2000000) to (3000000)`);
  expect(await take(into('parts'), 1)).toBeGreaterThan(first + 40);
  await bench.query(`drop table staging.parts; create table staging.parts (${columns});
    insert into staging.parts select ${first + 90}, 1, 1, 'x'`);
  expect(await take(into('parts'), 1)).toBeGreaterThan(first + 90);
});

test('a number far ahead is passed, one without room behind it is a misfit with the UPDATE', async () => {
  await bench.query('create table staging.far (_load_id bigint not null, _row bigint not null, id integer, name text)');
  await bench.query('insert into staging.far values (5000000, 1, 1, null)');
  expect(await take(into('far'), 1)).toBe(5_000_001);
  await bench.query('create table staging.full (like staging.far)');
  await bench.query('insert into staging.full values (9223372036854775807, 1, 1, null)');
  expect(await bench.take('full.csv', 'id,name\n1,a\n', into('full'))).toMatchObject({
    outcome: 'misfit',
    error: {
      code: 'CONTRACT_MISFIT',
      message: expect.stringContaining('UPDATE staging.full SET _load_id = 0 WHERE') as unknown,
    },
  });
});

test('two control schemas over one table, in turn and at once, never give the same number', async () => {
  await makeControl('second');
  const feed = into('shared');
  const ids: number[] = [];
  for (const schema of ['tallyman', 'second', 'second', 'tallyman', 'second', 'tallyman'])
    ids.push(await take(feed, 2, under(schema)));
  const sessions = ['tallyman', 'second', 'tallyman', 'second'].map((schema) => ({ schema, own: new LoadSession() }));
  const { loadFile } = await import('../../src/load/load-file.js');
  const hooks = { formats: [csv], decoders: [], onProgress: () => undefined, signal: new AbortController().signal };
  const results = await Promise.all(
    sessions
      .flatMap(({ schema, own }, s) =>
        [1, 2, 3].map((n) => ({
          own,
          job: bench.job(bench.put(`s${s}-${n}.csv`, `id,name\n${s}${n},a\n`), feed, under(schema)),
        })),
      )
      .reduce<Promise<LoadResult[]>[]>((all, { own, job }, i) => {
        const before = i % 3 === 0 ? Promise.resolve([]) : all.pop()!;
        return [...all, before.then(async (done) => [...done, await loadFile(job, hooks, own)])];
      }, []),
  );
  for (const result of results.flat()) ids.push(loadedId(result));
  for (const { own } of sessions) await own.close();
  expect(new Set(ids).size).toBe(18);
  expect((await present('shared')).map((one) => Number(one.split(':')[0]))).toEqual(ids.sort((a, b) => a - b));

  // And what one replaces is its own.
  const mine = await take(feed, 1, under('tallyman'));
  await take(feed, 1, { ...under('second') });
  await take(feed, 1, { ...under('tallyman'), replaces: { loadIds: [mine], path: false, feed: false } });
  expect((await present('shared')).length).toBe(20);
});

test('beside a control schema that may not be read the whole table is counted', async () => {
  await makeControl('secret');
  await bench.query(`create role loader login; grant usage on schema tallyman, staging to loader;
    grant select, insert, update on all tables in schema tallyman to loader; grant usage on all sequences in schema tallyman to loader`);
  const as = { database: { ...bench.job(bench.put('any.csv', '')).database, user: 'loader' } };
  await bench.query(
    `create table staging.unread (_load_id bigint not null, _row bigint not null, id integer, name text storage plain);
     grant select, insert, delete on staging.unread to loader`,
  );
  const first = await take(into('unread'), 1, as);
  // The other one gives the number that is next, far from the end of the table.
  await bench.query(`insert into staging.unread select ${first + 1}, i, i, 'x' from generate_series(1, 2) i;
    insert into staging.unread select ${first}, i, i, repeat('x', 7000) from generate_series(2, 400) i`);
  const job = bench.job(bench.put('unread.csv', 'id,name\n1,a\n'), into('unread'), as);
  expect(await bench.load(job)).toMatchObject({ outcome: 'failed', error: { code: 'TALLY_MISMATCH' } });
  await bench.query('drop schema secret cascade; drop owned by loader; drop role loader');
});

test('a load without rows that is replaced takes nothing along that bears its number', async () => {
  await bench.query('create table staging.old (_load_id bigint not null, _row bigint not null, id integer, name text)');
  await bench.query('insert into staging.old values (3, 1, 1, null)');
  await bench.query(
    `insert into tallyman.loads (load_id, load_key, instance_id, feed, path, file_uri, file_size, target, status, started_at, committed_at)
     values (3, $1::uuid, 'here', 'old', 'a.csv', 'file:///a.csv', 1, 'staging.old', 'cleared', now(), now())`,
    [randomUUID()],
  );
  const id = loadedId(await bench.take('a.csv', 'id,name\n7,a\n', into('old')));
  expect(await present('old')).toEqual(['3:1', `${id}:1`]);
});

test('a load whose number more rows bear than it brought is not replaced: some are not its own', async () => {
  const feed = into('strange');
  const two = [await take(feed, 2), await take(feed, 2)];
  await bench.query(`insert into staging.strange values ($1, 1, 9, 'not ours')`, [two[0]]);
  for (const loadIds of [two, two.slice(0, 1)]) {
    const replaces = { loadIds, path: false, feed: false };
    const result = await bench.take(`z${loadIds.length}.csv`, 'id,name\n8,z\n', feed, { replaces });
    expect(result).toMatchObject({ outcome: 'failed', error: { code: 'TALLY_MISMATCH' } });
    expect(JSON.stringify(result)).toContain(`load ${two[0]} is to be replaced and brought 2 rows`);
  }
  expect(await present('strange')).toEqual([`${two[0]}:3`, `${two[1]}:2`]);
});
