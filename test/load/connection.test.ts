import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { DatabaseSpec } from '../../src/core/database.js';
import type { LoadJob, LoadResult } from '../../src/core/load.js';
import { startProxy, type TcpProxy } from '../support/tcp-proxy.js';
import { feedOf, openBench, type Bench } from './support.js';

let bench: Bench;
let proxy: TcpProxy;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(async () => {
  await bench.close();
});
beforeEach(async () => {
  await bench.query('drop schema if exists staging cascade');
  await bench.query('truncate tallyman.loads, tallyman.quarantine');
  const { host, port } = bench.job(bench.put('x', '')).database;
  proxy = await startProxy(host, port);
});
afterEach(async () => {
  await proxy.close();
});

const lines = Array.from({ length: 60_000 }, (_, i) => `${i},${'y'.repeat(100)}`).join('\n');
const big = `id,name\n${lines}\n`;

function through(job: LoadJob): LoadJob {
  const database: DatabaseSpec = { ...job.database, host: '127.0.0.1', port: proxy.port };
  return { ...job, database };
}
const job = (name: string, content = big): LoadJob => bench.job(bench.put(name, content));
async function counts(): Promise<unknown> {
  const [found] = await bench.query(
    `select (select count(*) from tallyman.loads)::int as loads, to_regclass('staging.t') is not null as there`,
  );
  const [rows] = found?.['there'] === true ? await bench.query('select count(*)::int as n from staging.t') : [{ n: 0 }];
  return { loads: found?.['loads'], rows: rows?.['n'] };
}

/** Sessions of loads that are still there; they may take a moment to notice that their client has gone. */
async function leftovers(): Promise<Record<string, unknown>[]> {
  for (let i = 0; ; i++) {
    const found = await bench.query(
      `select state, query from pg_stat_activity where datname = current_database() and application_name like '% load' and state <> 'idle'`,
    );
    if (found.length === 0 || i >= 100) return found;
    await sleep(50);
  }
}

/** Runs `act` once the load's COPY is under way. */
async function duringCopy(load: Promise<LoadResult>, act: (pid: number) => Promise<unknown>): Promise<LoadResult> {
  for (let i = 0; i < 2000; i++) {
    const [found] = await bench.query(
      `select a.pid from pg_stat_activity a join pg_stat_progress_copy p using (pid) where a.datname = current_database() and p.tuples_processed > 0`,
    );
    if (found !== undefined) {
      await act(Number(found['pid']));
      return await load;
    }
    await sleep(1);
  }
  throw new Error('the COPY was never seen');
}

/** Goes to the server in one piece with COMMIT. */
const RECEIPT = 'INSERT INTO "tallyman"."loads"';

describe('the answer to COMMIT', () => {
  test('lost after the commit: the outcome is unknown, the receipt is there', async () => {
    proxy.faults.swallowAnswerTo = RECEIPT;
    const one = through(job('a.csv'));
    expect(await bench.load(one)).toMatchObject({ outcome: 'unknown', error: { code: 'DATABASE_UNREACHABLE' } });
    expect(await counts()).toEqual({ loads: 1, rows: 60_000 });
    expect(await bench.query('select load_key from tallyman.loads')).toEqual([{ load_key: one.loadKey }]);
  });

  test('lost before the commit: the outcome is unknown, nothing is there', async () => {
    proxy.faults.cutBefore = RECEIPT;
    expect(await bench.load(through(job('a.csv')))).toMatchObject({ outcome: 'unknown' });
    expect(await leftovers()).toEqual([]);
    expect(await counts()).toEqual({ loads: 0, rows: 0 });
  });

  test('lost after the commit of a rejection: unknown too', async () => {
    proxy.faults.swallowAnswerTo = RECEIPT;
    expect(await bench.load(through(job('a.csv', 'id,name\nx,a\n')))).toMatchObject({ outcome: 'unknown' });
    expect(await bench.query('select status from tallyman.loads')).toEqual([{ status: 'rejected' }]);
  });

  test('lost, then loaded again under a new key: the race is lost to the first, and it is the same path', async () => {
    proxy.faults.swallowAnswerTo = RECEIPT;
    const file = bench.put('a.csv', 'id,name\n1,a\n');
    const first = through(bench.job(file));
    await bench.load(first);
    const result = await bench.load(bench.job(file));
    expect(result).toMatchObject({
      outcome: 'lost-race',
      winner: { path: 'a.csv', loadKey: first.loadKey, rows: { loaded: 1 } },
    });
    expect(await counts()).toEqual({ loads: 1, rows: 1 });
  });

  test('lost, then the same attempt again: its own receipt is the winner', async () => {
    const one = job('a.csv', '');
    await bench.load(one);
    expect(await bench.load(one)).toMatchObject({ outcome: 'lost-race', winner: { loadKey: one.loadKey } });
  });
});

describe('the connection', () => {
  test('cut in the middle of COPY: unreachable, nothing is there, and no session stays behind', async () => {
    proxy.faults.cutAfterUp = 2_000_000;
    expect(await bench.load(through(job('a.csv')))).toMatchObject({
      outcome: 'unreachable',
      error: { code: 'DATABASE_UNREACHABLE' },
    });
    expect(await leftovers()).toEqual([]);
    expect(await counts()).toEqual({ loads: 0, rows: 0 });
  });

  test('terminated by an administrator in the middle of COPY: unreachable, and the next load of the session works', async () => {
    const load = bench.load(job('a.csv', big.repeat(8).replaceAll('\nid,name', '')));
    expect(await duringCopy(load, (pid) => bench.query('select pg_terminate_backend($1)', [pid]))).toMatchObject({
      outcome: 'unreachable',
      error: { code: 'DATABASE_UNREACHABLE' },
    });
    expect(await bench.load(job('b.csv'))).toMatchObject({ outcome: 'loaded' });
    expect(await counts()).toEqual({ loads: 1, rows: 60_000 });
  });

  test('refused: unreachable', async () => {
    const one = job('a.csv');
    await proxy.close();
    expect(
      await bench.load({ ...one, database: { ...one.database, host: '127.0.0.1', port: proxy.port } }),
    ).toMatchObject({ outcome: 'unreachable', error: { code: 'DATABASE_UNREACHABLE' } });
  });

  test('lost between two loads: the next one connects anew', async () => {
    await bench.load(through(job('a.csv', 'id,name\n1,a\n')));
    await bench.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name like '% load'`,
    );
    await sleep(50);
    expect(await bench.load(through(job('b.csv', 'id,name\n2,b\n')))).toMatchObject({ outcome: 'loaded' });
  });
});

describe('a load that is called off', () => {
  test('in the middle of COPY is rolled back, and its session is used again', async () => {
    const abort = new AbortController();
    const load = bench.load(job('a.csv', big.repeat(8).replaceAll('\nid,name', '')), { signal: abort.signal });
    const result = await duringCopy(load, () => Promise.resolve(abort.abort()));
    expect(result).toMatchObject({ outcome: 'unreachable', error: { code: 'INTERRUPTED' } });
    expect(await leftovers()).toEqual([]);
    expect(await counts()).toEqual({ loads: 0, rows: 0 });
    const [{ n: sessions } = { n: null }] = await bench.query(
      `select count(*)::int as n from pg_stat_activity where datname = current_database() and application_name like '% load'`,
    );
    expect(sessions).toBe(1);
  });

  test('before it began does nothing', async () => {
    expect(await bench.load(job('a.csv'), { signal: AbortSignal.abort() })).toMatchObject({
      outcome: 'unreachable',
      error: { code: 'INTERRUPTED' },
    });
  });
});

describe('a database that cannot take the load now', () => {
  test('a locked table: the feed pauses, no file is blamed', { timeout: 60_000 }, async () => {
    await bench.load(job('a.csv', 'id,name\n1,a\n'));
    await bench.query('begin; lock table staging.t in access exclusive mode');
    try {
      expect(await bench.load(job('b.csv', 'id,name\n2,b\n'))).toMatchObject({
        outcome: 'unreachable',
        error: { code: 'DATABASE_BUSY' },
      });
    } finally {
      await bench.query('rollback');
    }
  });

  test('without the right to insert: the feed stops with the GRANT', async () => {
    await bench.load(job('a.csv', 'id,name\n1,a\n'));
    await bench.query(
      `create role limited_${bench.db.name} login; grant usage on schema staging, tallyman to limited_${bench.db.name}; grant select on all tables in schema staging, tallyman to limited_${bench.db.name}`,
    );
    const one = job('b.csv', 'id,name\n2,b\n');
    expect(await bench.load({ ...one, database: { ...one.database, user: `limited_${bench.db.name}` } })).toMatchObject(
      { outcome: 'misfit', error: { code: 'DATABASE_RIGHTS' } },
    );
    await bench.query(`drop owned by limited_${bench.db.name}; drop role limited_${bench.db.name}`);
  });
});

test('without its control schema the feed stops, and no file is blamed', async () => {
  await bench.query('alter schema tallyman rename to elsewhere');
  try {
    expect(await bench.load(job('a.csv', 'id,name\n1,a\n'))).toMatchObject({
      outcome: 'misfit',
      error: { code: 'DATABASE_CHANGED' },
    });
  } finally {
    await bench.query('alter schema elsewhere rename to tallyman');
  }
});

test('progress is told while a large file is loaded', async () => {
  const seen: number[] = [];
  await bench.load(job('a.csv'), { onProgress: (progress) => seen.push(progress.bytes) });
  expect(seen.length).toBeGreaterThan(0);
  expect(seen.at(-1)).toBeLessThanOrEqual(big.length);
});

test('the receipt is durable although the role says synchronous_commit off', async () => {
  // Seen from inside the transaction: a trigger writes down what is set.
  await bench.query(`create schema if not exists staging; create table staging.t (_load_id bigint not null, _row bigint not null, id integer, name text); create table staging.seen (v text);
    create function staging.f() returns trigger language plpgsql as $$ begin insert into staging.seen values (current_setting('synchronous_commit')); return new; end $$; create trigger tr before insert on staging.t for each row execute function staging.f();
    alter database ${bench.db.name} set synchronous_commit = off`);
  await bench.session.close();
  await bench.load(bench.job(bench.put('a.csv', 'id,name\n1,a\n'), feedOf()));
  expect(await bench.query('select v from staging.seen')).toEqual([{ v: 'on' }]);
});
