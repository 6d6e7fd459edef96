import { rmSync, writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { FeedSpec } from '../../src/core/feed/feed.js';
import type { LoadJob, LoadResult } from '../../src/core/load.js';
import { csv } from '../../src/formats/csv/index.js';
import { loadGroup } from '../../src/load/load-group.js';
import { LoadPool } from '../../src/load/pool/load-pool.js';
import { startProxy, type TcpProxy } from '../support/tcp-proxy.js';
import { column, feedOf, openBench, type Bench } from './support.js';

let bench: Bench;
let proxy: TcpProxy | null = null;
let pool: LoadPool | null = null;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(async () => {
  await bench.close();
});
beforeEach(async () => {
  await bench.query('drop schema if exists staging cascade');
  await bench.query('truncate tallyman.loads, tallyman.quarantine');
});
afterEach(async () => {
  await proxy?.close();
  await pool?.close();
  proxy = null;
  pool = null;
});

const feed = feedOf();
const file = (n: number, body = `${n},a${n}\n${n + 100},b${n}\n`): LoadJob =>
  bench.job(bench.put(`f${n}.csv`, `id,name\n${body}`), feed);
const signal = new AbortController().signal;
const group = (jobs: readonly LoadJob[], use = signal): Promise<readonly (LoadResult | null)[]> =>
  loadGroup(jobs, { formats: [csv], decoders: [], onProgress: () => undefined, signal: use }, bench.session);
/** What the pool makes of it: what does not go together goes alone. */
async function all(jobs: readonly LoadJob[]): Promise<readonly LoadResult[]> {
  const together = await group(jobs);
  const results: LoadResult[] = [];
  for (const [i, job] of jobs.entries()) results.push(together[i] ?? (await bench.load(job)));
  return results;
}
const kinds = (results: readonly (LoadResult | null)[]): unknown[] => results.map((result) => result?.outcome ?? null);
const staged = (): Promise<Record<string, unknown>[]> =>
  bench.query(
    'select path, _row::int as row, id, name from staging.t join tallyman.loads using (load_id) order by path, _row'.replace(
      'using (load_id)',
      'on load_id = _load_id',
    ),
  );
const receipts = (): Promise<Record<string, unknown>[]> =>
  bench.query(
    `select path, status, rows_read::int as read, rows_loaded::int as loaded, rows_quarantined::int as bad from tallyman.loads order by path, load_id`,
  );
const transactions = async (): Promise<number> =>
  (await bench.query('select count(distinct xmin::text)::int as n from tallyman.loads'))[0]?.['n'] as number;

describe('small files of one feed in one transaction', () => {
  test('each has its load_id, its rows, its receipt and its tally', async () => {
    const jobs = [1, 2, 3].map((n) => file(n));
    const results = await group(jobs);
    expect(results).toMatchObject(
      jobs.map(() => ({ outcome: 'loaded', rows: { read: 2, loaded: 2, quarantined: 0, delta: 0 }, replaced: [] })),
    );
    expect(await transactions()).toBe(1);
    expect(await receipts()).toEqual(
      [1, 2, 3].map((n) => ({ path: `f${n}.csv`, status: 'loaded', read: 2, loaded: 2, bad: 0 })),
    );
    expect(await staged()).toEqual(
      [1, 2, 3].flatMap((n) => [
        { path: `f${n}.csv`, row: 1, id: n, name: `a${n}` },
        { path: `f${n}.csv`, row: 2, id: n + 100, name: `b${n}` },
      ]),
    );
  });

  test('bad rows stand in the quarantine under the load of their own file', async () => {
    expect(kinds(await group([file(1), file(2, '1,a\nx,b\ny,c\n3,d\n'), file(3, '5,e\n\n,\nz,z\n')]))).toEqual([
      'loaded',
      'loaded',
      'loaded',
    ]);
    const kept = await bench.query(
      `select path, row_number::int as row, convert_from(raw, 'UTF8') as raw from tallyman.quarantine join tallyman.loads using (load_id) order by path, row_number`,
    );
    expect(kept).toEqual([
      { path: 'f2.csv', row: 2, raw: 'x,b' },
      { path: 'f2.csv', row: 3, raw: 'y,c' },
      { path: 'f3.csv', row: 3, raw: 'z,z' },
    ]);
  });

  test('empty files and files of a header only are loads of no rows', async () => {
    expect(kinds(await group([bench.job(bench.put('none.csv', '')), file(1, ''), file(2)]))).toEqual([
      'loaded',
      'loaded',
      'loaded',
    ]);
    expect((await receipts()).map((one) => one['loaded'])).toEqual([0, 2, 0]);
  });

  test('a file that has to be rejected costs the others nothing', async () => {
    const jobs = [file(1), file(2, 'x,a\ny,b\n1,c\n'), file(3)];
    expect(kinds(await group(jobs))).toEqual(['loaded', null, 'loaded']);
    expect(await bench.load(jobs[1]!)).toMatchObject({ outcome: 'rejected', error: { code: 'TOO_MANY_BAD_ROWS' } });
    expect((await staged()).map((row) => row['path'])).toEqual(['f1.csv', 'f1.csv', 'f3.csv', 'f3.csv']);
  });

  test('one that is gone, one that changed, one without its header: alone, and each says why', async () => {
    const jobs = [file(1), file(2), file(3), bench.job(bench.put('f4.csv', 'id,surname\n1,a\n')), file(5)];
    rmSync(jobs[1]!.file.localPath);
    writeFileSync(jobs[2]!.file.localPath, 'id,name\n7,other\n');
    expect(kinds(await all(jobs))).toEqual(['loaded', 'vanished', 'changed', 'rejected', 'loaded']);
    expect((await receipts()).map((one) => [one['path'], one['status']])).toEqual([
      ['f1.csv', 'loaded'],
      ['f4.csv', 'rejected'],
      ['f5.csv', 'loaded'],
    ]);
  });

  test('the same content twice: one is loaded, the other lost the race', async () => {
    const jobs = [file(1), bench.job(bench.put('copy.csv', 'id,name\n1,a1\n101,b1\n')), file(2)];
    expect(kinds(await group(jobs))).toEqual(['loaded', null, 'loaded']);
    expect(kinds(await all([jobs[1]!]))).toEqual(['lost-race']);
    expect(await staged()).toHaveLength(4);
  });

  test('rows that only PostgreSQL refuses are found in their own file', async () => {
    await bench.query(
      'create schema staging; create table staging.t (_load_id bigint not null, _row bigint not null, id integer primary key, name text)',
    );
    const jobs = [file(1, '1,a\n2,b\n'), file(2, '3,c\n1,again\n')];
    expect(await all(jobs)).toMatchObject([
      { rows: { loaded: 2 } },
      { rows: { loaded: 1, quarantined: 1 }, errors: [{ class: 'database-error' }] },
    ]);
  });

  test('a trigger that eats rows of one file: that file fails, the others are loaded', async () => {
    await bench.query(
      'create schema staging; create table staging.t (_load_id bigint not null, _row bigint not null, id integer, name text)',
    );
    await bench.query(
      `create function staging.eat() returns trigger language plpgsql as $$ begin if new.name = 'b2' then return null; end if; return new; end $$`,
    );
    await bench.query('create trigger eat before insert on staging.t for each row execute function staging.eat()');
    expect(await all([1, 2, 3].map((n) => file(n)))).toMatchObject([
      { outcome: 'loaded' },
      { outcome: 'failed', error: { code: 'TALLY_MISMATCH' } },
      { outcome: 'loaded' },
    ]);
    expect((await staged()).map((row) => row['path'])).toEqual(['f1.csv', 'f1.csv', 'f3.csv', 'f3.csv']);
  });

  test('a unique key that repeats within a file is settled in its own load', async () => {
    const keyed: FeedSpec = feedOf({ columns: [column('id', 'integer', { unique: true }), column('name')] });
    const jobs = ['1,a\n1,b\n', '1,c\n2,d\n'].map((body, i) =>
      bench.job(bench.put(`u${i}.csv`, `id,name\n${body}`), keyed),
    );
    expect(kinds(await group(jobs))).toEqual([null, 'loaded']);
    expect(await bench.load(jobs[0]!)).toMatchObject({ rows: { loaded: 1, quarantined: 1 } });
  });

  test.each(['path', 'content'])('a load that was cleared is replaced, known by its %s, not doubled', async (by) => {
    const [first] = await all([file(1)]);
    await bench.query(`update tallyman.loads set status = 'cleared'`);
    const again =
      by === 'path' ? file(1, '9,new\n') : bench.job(bench.put('moved.csv', 'id,name\n1,a1\n101,b1\n'), feed);
    const results = await all([file(2), again]);
    expect(results).toMatchObject([
      { outcome: 'loaded' },
      { outcome: 'loaded', replaced: [(first as { loadId: number }).loadId] },
    ]);
    expect((await staged()).map((row) => row['path'])).toEqual(
      by === 'path' ? ['f1.csv', 'f2.csv', 'f2.csv'] : ['f2.csv', 'f2.csv', 'moved.csv', 'moved.csv'],
    );
  });

  test('a column that one file brings: added by its own load, and the next group has it', async () => {
    const free = feedOf({ columns: null, onUnknownColumn: 'add', onMissingColumn: 'fill_null' });
    const make = (n: number, header: string, row: string): LoadJob =>
      bench.job(bench.put(`w${n}.csv`, `${header}\n${row}\n`), free);
    expect(
      kinds(await group([make(1, 'id,name', '1,a'), make(2, 'id,name,more', '2,b,c'), make(3, 'id,name', '3,d')])),
    ).toEqual(['loaded', null, 'loaded']);
    expect(await bench.load(make(2, 'id,name,more', '2,b,c'))).toMatchObject({ outcome: 'loaded' });
    expect(kinds(await group([make(4, 'id,name,more', '4,b,c'), make(5, 'id,name,more', '5,d,e')]))).toEqual([
      'loaded',
      'loaded',
    ]);
    expect(await bench.query('select id, more from staging.t order by id')).toEqual([
      { id: '1', more: null },
      { id: '2', more: 'c' },
      { id: '3', more: null },
      { id: '4', more: 'c' },
      { id: '5', more: 'e' },
    ]);
  });

  test('the answer to COMMIT is lost: unknown for each, and the receipts tell', async () => {
    const { host, port } = file(0).database;
    proxy = await startProxy(host, port);
    proxy.faults.swallowAnswerTo = 'INSERT INTO "tallyman"."loads"';
    const database = { ...file(0).database, host: '127.0.0.1', port: proxy.port };
    const jobs = [1, 2].map((n) => ({ ...file(n), database }));
    expect(kinds(await group(jobs))).toEqual(['unknown', 'unknown']);
    expect(
      (await bench.query('select load_key from tallyman.loads order by path')).map((row) => row['load_key']),
    ).toEqual(jobs.map((job) => job.loadKey));
  });

  test('rows that land on earlier pages of a purged table are counted, and the files stay together', async () => {
    await bench.take(
      'many.csv',
      `id,name\n${Array.from({ length: 60_000 }, (_, i) => `${i},${'p'.repeat(60)}\n`).join('')}`,
    );
    // The last rows stay, so that vacuum cannot give the pages back.
    await bench.query('delete from staging.t where id < 59990');
    await bench.query('vacuum staging.t');
    await bench.query('truncate tallyman.loads');
    expect(kinds(await group([file(1), file(2), file(3)]))).toEqual(['loaded', 'loaded', 'loaded']);
    expect(await transactions()).toBe(1);
    const pages = await bench.query(
      `select max((ctid::text::point)[0])::int as page, (pg_relation_size('staging.t') / 8192)::int as pages from staging.t where length(name) < 5`,
    );
    expect(pages[0]!['page']).toBeLessThan((pages[0]!['pages'] as number) - 256);
  });

  test('the database is away: unreachable for each at once', async () => {
    const database = { ...file(0).database, port: 1 };
    expect(kinds(await group([1, 2].map((n) => ({ ...file(n), database }))))).toEqual(['unreachable', 'unreachable']);
  });

  test('called off: nothing of it is there', async () => {
    const abort = new AbortController();
    abort.abort();
    expect(await group([file(1), file(2)], abort.signal)).toMatchObject([
      { outcome: 'unreachable', error: { code: 'INTERRUPTED' } },
      { outcome: 'unreachable' },
    ]);
    expect(await receipts()).toEqual([]);
  });
});

describe('the pool', () => {
  test('gives a thread what waits of one feed in one go; large files and other feeds go their own way', async () => {
    pool = new LoadPool({ size: 1, workerUrl: new URL('../../dist/load-worker.js', import.meta.url) });
    const other = feedOf({ name: 'g', target: { ...feed.target, table: 'u' } });
    const big = bench.job(
      bench.put('big.csv', `id,name\n${Array.from({ length: 20_000 }, (_, i) => `${i},xxxx\n`).join('')}`),
      feed,
    );
    const jobs = [file(1), file(2), bench.job(bench.put('o.csv', 'id,name\n1,o\n'), other), big, file(3), file(4)];
    const results = await Promise.all(jobs.map((job) => pool!.run(job)));
    expect(kinds(results)).toEqual(jobs.map(() => 'loaded'));
    const shared = await bench.query(
      'select string_agg(path, $1 order by path) as paths from tallyman.loads group by xmin::text order by 1',
      [' '],
    );
    expect(shared.map((row) => row['paths'])).toEqual(['big.csv', 'f1.csv f2.csv', 'f3.csv f4.csv', 'o.csv']);
  });

  test('a thread that dies over several files costs none of those that are not to blame', async () => {
    pool = new LoadPool({ size: 1, workerUrl: new URL('./workers/group-worker.mjs', import.meta.url) });
    const jobs = [file(0), file(1), file(2), file(3)];
    expect(kinds(await Promise.all(jobs.map((job) => pool!.run(job))))).toEqual([
      'vanished',
      'vanished',
      'failed',
      'vanished',
    ]);
  });
});
