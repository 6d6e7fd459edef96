import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { LoadJob } from '../../src/core/load.js';
import { loadGroup } from '../../src/load/load-group.js';
import { csv } from '../../src/formats/csv/index.js';
import { feedOf, openBench, type Bench } from './support.js';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(async () => {
  await bench.close();
});
beforeEach(async () => {
  await bench.query(`drop schema if exists staging cascade; drop schema if exists other cascade; create schema staging;
    create schema other; truncate tallyman.loads, tallyman.quarantine;
    create table staging.t (_load_id bigint not null, _row bigint not null, id integer, name text)`);
});

/** A constraint trigger that waits for the end of the transaction and then does `body`. */
const deferred = (event: string, body: string, table = 'staging.t'): Promise<unknown> =>
  bench.query(`create function other.f() returns trigger language plpgsql as $$ begin ${body} return null; end $$;
    create constraint trigger tr after ${event} on ${table} deferrable initially deferred for each row execute function other.f()`);
const replacing = (loadId: number): Partial<LoadJob> => ({
  replaces: { loadIds: [loadId], path: false, feed: false },
  generation: 2,
});
const present = async (): Promise<unknown> => (await bench.query('select count(*)::int as n from staging.t'))[0]?.['n'];
const receipts = async (): Promise<unknown[]> =>
  (await bench.query('select rows_loaded::int as n, status from tallyman.loads order by load_id')).map((row) => [
    row['status'],
    row['n'],
  ]);

describe('what waits for the end of the transaction happens before the count', () => {
  test.each([
    ['delete', 'delete from staging.t where id > 10;'],
    ['delete or update', 'delete from staging.t where id > 10;'],
    ['delete', 'insert into staging.t select max(_load_id), 99, 99, null from staging.t;'],
  ])('a trigger on %s that does "%s" while rows are replaced: nothing is committed', async (event, body) => {
    const first = await bench.take('a.csv', 'id,name\n1,a\n');
    if (first.outcome !== 'loaded') throw new Error(first.outcome);
    await deferred(event, body);
    const second = await bench.take('a.csv', 'id,name\n2,a\n11,b\n12,c\n13,d\n', feedOf(), replacing(first.loadId));
    expect(second).toMatchObject({ outcome: 'failed', error: { code: 'TALLY_MISMATCH' } });
    expect(await present()).toBe(1);
    expect(await receipts()).toEqual([['loaded', 1]]);
  });

  test('a trigger on update, set off by one on insert', async () => {
    await deferred('update', 'delete from staging.t where id = 2;');
    await bench.query(`create function other.g() returns trigger language plpgsql as $$ begin update staging.t set name = 'x' where id = new.id; return null; end $$;
      create trigger tr2 after insert on staging.t for each row execute function other.g()`);
    expect(await bench.take('a.csv', 'id,name\n1,a\n2,b\n')).toMatchObject({
      outcome: 'failed',
      error: { code: 'TALLY_MISMATCH' },
    });
    expect(await present()).toBe(0);
  });

  test('a trigger on another table, which one of the staging table writes to', async () => {
    await bench.query('create table other.audit (id integer)');
    await deferred('insert', 'delete from staging.t where id = new.id and new.id > 10;', 'other.audit');
    await bench.query(`create function other.g() returns trigger language plpgsql as $$ begin insert into other.audit values (new.id); return null; end $$;
      create trigger tr2 after insert on staging.t for each row execute function other.g()`);
    expect(await bench.take('a.csv', 'id,name\n1,a\n')).toMatchObject({ outcome: 'loaded' });
    expect(await bench.take('b.csv', 'id,name\n1,a\n11,b\n')).toMatchObject({
      outcome: 'failed',
      error: { code: 'TALLY_MISMATCH' },
    });
    expect(await present()).toBe(1);
  });

  test('a foreign key from another table to the rows that are replaced rejects the file', async () => {
    const first = await bench.take('a.csv', 'id,name\n1,a\n');
    if (first.outcome !== 'loaded') throw new Error(first.outcome);
    await bench.query(`create unique index on staging.t (id); alter table staging.t add unique (id);
      create table other.refs (id integer references staging.t (id) deferrable initially deferred); insert into other.refs values (1)`);
    expect(await bench.take('a.csv', 'id,name\n2,a\n', feedOf(), replacing(first.loadId))).toMatchObject({
      outcome: 'rejected',
      error: { code: 'DEFERRED_CONSTRAINT' },
    });
    expect(await present()).toBe(1);
  });

  test('for small files that share a transaction too', async () => {
    await bench.query('create table other.audit (id integer)');
    await deferred('insert', 'delete from staging.t where id = new.id and new.id > 10;', 'other.audit');
    await bench.query(`create function other.g() returns trigger language plpgsql as $$ begin insert into other.audit values (new.id); return null; end $$;
      create trigger tr2 after insert on staging.t for each row execute function other.g()`);
    const jobs = ['1,a', '11,b'].map((line, i) => bench.job(bench.put(`${i}.csv`, `id,name\n${line}\n`)));
    const hooks = { formats: [csv], decoders: [], onProgress: () => undefined, signal: new AbortController().signal };
    expect(await loadGroup(jobs, hooks, bench.session)).toEqual([null, null]);
    expect(await present()).toBe(0);
  });
});

test('rows that a trigger adds are counted wherever they land', async () => {
  const many = Array.from({ length: 20_000 }, (_, i) => `${i},${'p'.repeat(40)}`).join('\n');
  await bench.take('a.csv', `id,name\n${many}\n`);
  await bench.query('create index on staging.t (_row)');
  await bench.query('delete from staging.t where id < 19990 and id > 10');
  await bench.query('vacuum staging.t');
  // The COPY goes on at the end of the table, the trigger's row into the room at its beginning.
  await bench.query(`create function other.g() returns trigger language plpgsql as $$ begin
      if pg_trigger_depth() = 1 then insert into staging.t values (new._load_id, 99, 99, repeat('x', 2000)); end if; return null; end $$;
    create trigger tr2 after insert on staging.t for each row execute function other.g()`);
  expect(await bench.take('b.csv', 'id,name\n1,a\n2,b\n')).toMatchObject({
    outcome: 'failed',
    error: { code: 'TALLY_MISMATCH' },
  });
});
