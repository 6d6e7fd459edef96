import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { LoadResult } from '../../src/core/load.js';
import { feedOf, openBench, type Bench } from './support.js';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(async () => {
  await bench.close();
});
beforeEach(async () => {
  await bench.query(
    'drop schema if exists staging cascade; drop schema if exists other cascade; create schema staging; create schema other',
  );
  await bench.query('truncate tallyman.loads, tallyman.quarantine');
});

const TABLE = '_load_id bigint not null, _row bigint not null, id integer, name text';
const rows = (n: number, bad: ReadonlySet<number>, line: (i: number, bad: boolean) => string): string =>
  Array.from({ length: n }, (_, i) => line(i, bad.has(i))).join('\n');
/** 5,000 rows of which three, far apart, are to be refused. */
const THREE = new Set([0, 2500, 4999]);
const content = `id,name\n${rows(5000, THREE, (i, bad) => `${bad ? -1 : i + 10},n${i}`)}\n`;

async function expectThree(result: LoadResult, message: RegExp): Promise<void> {
  expect(result).toMatchObject({ outcome: 'loaded', rows: { read: 5000, loaded: 4997, quarantined: 3, delta: 0 } });
  const found = await bench.query(
    'select row_number, line_number, raw, errors from tallyman.quarantine order by row_number',
  );
  expect(found.map((row) => [row['row_number'], row['line_number'], (row['raw'] as Buffer).toString()])).toEqual([
    ['1', '2', '-1,n0'],
    ['2501', '2502', '-1,n2500'],
    ['5000', '5001', '-1,n4999'],
  ]);
  for (const row of found) {
    const [error] = row['errors'] as { class: string; message: string }[];
    expect(error?.class).toBe('database-error');
    expect(error?.message).toMatch(message);
  }
  expect(await bench.query('select count(*) as n, count(*) filter (where id < 0) as bad from staging.t')).toEqual([
    { n: '4997', bad: '0' },
  ]);
}

describe('rows that only PostgreSQL refuses are isolated', () => {
  test('by a CHECK', async () => {
    await bench.query(`create table staging.t (${TABLE}, constraint positive check (id > 0))`);
    await expectThree(await bench.take('a.csv', content), /positive/);
  });

  test('by a domain', async () => {
    await bench.query(
      `create domain other.pos as integer check (value > 0); create table staging.t (_load_id bigint not null, _row bigint not null, id other.pos, name text)`,
    );
    await expectThree(await bench.take('a.csv', content), /pos_check/);
  });

  test('by a trigger that raises before the row', async () => {
    await bench.query(`create table staging.t (${TABLE});
      create function other.f() returns trigger language plpgsql as $$ begin if new.id < 0 then raise exception 'no negative ids'; end if; return new; end $$;
      create trigger tr before insert on staging.t for each row execute function other.f()`);
    await expectThree(await bench.take('a.csv', content), /no negative ids/);
  });

  test('by a trigger that raises after the row, whose error names no line', async () => {
    await bench.query(`create table staging.t (${TABLE});
      create function other.f() returns trigger language plpgsql as $$ begin if new.id < 0 then raise exception 'no negative ids'; end if; return null; end $$;
      create trigger tr after insert on staging.t for each row execute function other.f()`);
    await expectThree(await bench.take('a.csv', content), /no negative ids/);
  });

  test('by a foreign key', async () => {
    await bench.query(
      `create table other.ids (id integer primary key); insert into other.ids select generate_series(0, 6000); create table staging.t (${TABLE}, foreign key (id) references other.ids)`,
    );
    await expectThree(await bench.take('a.csv', content), /t_id_fkey/);
  });

  test('by a partition that is not there', async () => {
    await bench.query(
      `create table staging.t (${TABLE}) partition by range (id); create table staging.t1 partition of staging.t for values from (0) to (100000)`,
    );
    await expectThree(await bench.take('a.csv', content), /no partition/);
  });

  test('by NOT NULL that the contract does not know', async () => {
    await bench.query(
      `create table staging.t (_load_id bigint not null, _row bigint not null, id integer not null, name text)`,
    );
    const result = await bench.take('a.csv', 'id,name\n1,a\n,b\n3,c\n');
    expect(result).toMatchObject({
      outcome: 'loaded',
      rows: { loaded: 2, quarantined: 1 },
      errors: [{ class: 'database-error', column: 'id' }],
    });
  });

  test('by a unique constraint: the first of two in the file wins, and so does what is there', async () => {
    await bench.query(
      `create table staging.t (${TABLE}, unique (id)); insert into staging.t values (0, 1, 7, 'there')`,
    );
    const result = await bench.take('a.csv', 'id,name\n1,a\n2,b\n1,c\n7,d\n');
    expect(result).toMatchObject({ outcome: 'loaded', rows: { read: 4, loaded: 2, quarantined: 2 } });
    expect(await bench.query('select id, name from staging.t order by id')).toEqual([
      { id: 1, name: 'a' },
      { id: 2, name: 'b' },
      { id: 7, name: 'there' },
    ]);
  });

  test('by an index row that is too large', async () => {
    await bench.query(`create table staging.t (${TABLE}); create index on staging.t (name)`);
    // Hashes: what repeats would be compressed below the limit of 2,704 bytes.
    const long = Array.from({ length: 150 }, (_, i) => createHash('sha256').update(String(i)).digest('hex')).join('');
    const result = await bench.take('a.csv', `id,name\n1,a\n2,${long}\n3,c\n`);
    expect(result).toMatchObject({ outcome: 'loaded', rows: { loaded: 2, quarantined: 1 } });
  });

  test('although the catalog showed nothing that could refuse them', async () => {
    // A contract type wider than its domain's base says: the check sits in a function that the column's default calls.
    await bench.query(`create table staging.t (${TABLE}, x integer default 1)`);
    await bench.query(
      `create function other.later() returns integer language plpgsql as $$ begin if (random() >= 0) then raise exception 'default refuses'; end if; return 1; end $$; alter table staging.t alter column x set default other.later()`,
    );
    const result = await bench.take(
      'a.csv',
      'id,name\n1,a\n2,b\n',
      feedOf({ limits: { badRows: null, badRatio: null, minRows: 0, databaseRows: 10 } }),
    );
    expect(result).toMatchObject({ outcome: 'loaded', rows: { read: 2, loaded: 0, quarantined: 2 } });
  });

  test('in a table that needs text COPY', async () => {
    await bench.query(`create table staging.t (_load_id bigint not null, _row bigint not null, id integer, name inet)`);
    const result = await bench.take('a.csv', 'id,name\n1,10.0.0.1\n2,nonsense\n3,::1\n');
    expect(result).toMatchObject({
      outcome: 'loaded',
      rows: { loaded: 2, quarantined: 1 },
      errors: [{ class: 'database-error' }],
    });
  });

  test('across several chunks, with bad cells among them', async () => {
    await bench.query(`create table staging.t (${TABLE}, constraint positive check (id > 0))`);
    const wide = 'w'.repeat(2000);
    const lines = rows(20_000, new Set(), (i) =>
      i % 5000 === 17 ? `-1,${wide}` : i % 5000 === 18 ? `x,${wide}` : `${i + 1},${wide}`,
    );
    const result = await bench.take('a.csv', `id,name\n${lines}\n`);
    expect(result).toMatchObject({ outcome: 'loaded', rows: { read: 20_000, loaded: 19_992, quarantined: 8 } });
    expect(await bench.query(`select count(*) as n, count(distinct _row) as d from staging.t`)).toEqual([
      { n: '19992', d: '19992' },
    ]);
    expect(await bench.query(`select row_number from tallyman.quarantine order by row_number`)).toEqual(
      [18, 19, 5018, 5019, 10_018, 10_019, 15_018, 15_019].map((n) => ({ row_number: String(n) })),
    );
  });
});

describe('too many of them', () => {
  test('reject the file past limits.database_rows', async () => {
    await bench.query(`create table staging.t (${TABLE}, constraint positive check (id > 0))`);
    const result = await bench.take(
      'a.csv',
      content,
      feedOf({ limits: { badRows: null, badRatio: null, minRows: 0, databaseRows: 2 } }),
    );
    expect(result).toMatchObject({ outcome: 'rejected', error: { code: 'TOO_MANY_DATABASE_ROWS' } });
    expect(await bench.query('select count(*) as n from staging.t')).toEqual([{ n: '0' }]);
    expect(await bench.query('select count(*) as n from tallyman.quarantine')).toEqual([{ n: '3' }]);
  });

  test('count for bad_rows', async () => {
    await bench.query(`create table staging.t (${TABLE}, constraint positive check (id > 0))`);
    const result = await bench.take(
      'a.csv',
      content,
      feedOf({ limits: { badRows: 2, badRatio: null, minRows: 0, databaseRows: 100 } }),
    );
    expect(result).toMatchObject({ outcome: 'rejected', error: { code: 'TOO_MANY_BAD_ROWS' } });
  });
});

describe('what is no row', () => {
  test('a deferred constraint that fails rejects the file', async () => {
    await bench.query(
      `create table other.ids (id integer primary key); create table staging.t (${TABLE}, foreign key (id) references other.ids deferrable initially deferred)`,
    );
    const result = await bench.take('a.csv', 'id,name\n1,a\n');
    expect(result).toMatchObject({ outcome: 'rejected', error: { code: 'DEFERRED_CONSTRAINT' } });
    expect(await bench.query('select count(*) as n from staging.t')).toEqual([{ n: '0' }]);
  });

  test('a trigger that fails for another reason fails the load and blames no row', async () => {
    await bench.query(`create table staging.t (${TABLE});
      create function other.f() returns trigger language plpgsql as $$ begin perform * from other.not_there; return new; end $$;
      create trigger tr before insert on staging.t for each row execute function other.f()`);
    const result = await bench.take('a.csv', 'id,name\n1,a\n');
    expect(result.outcome).toBe('misfit');
    expect(await bench.query('select count(*) as n from tallyman.quarantine')).toEqual([{ n: '0' }]);
  });
});

describe('the tally', () => {
  test('a trigger that eats rows: nothing is committed', async () => {
    await bench.query(`create table staging.t (${TABLE});
      create function other.f() returns trigger language plpgsql as $$ begin if new.id = 3 then return null; end if; return new; end $$;
      create trigger tr before insert on staging.t for each row execute function other.f()`);
    const result = await bench.take('a.csv', 'id,name\n1,a\n3,b\n');
    expect(result).toMatchObject({ outcome: 'failed', error: { code: 'TALLY_MISMATCH' } });
    expect(
      await bench.query(
        'select (select count(*) from staging.t) as rows, (select count(*) from tallyman.loads) as loads',
      ),
    ).toEqual([{ rows: '0', loads: '0' }]);
  });

  test('a trigger that deletes rows afterwards: nothing is committed', async () => {
    await bench.query(`create table staging.t (${TABLE});
      create function other.f() returns trigger language plpgsql as $$ begin delete from staging.t where id = 3; return null; end $$;
      create trigger tr after insert on staging.t for each statement execute function other.f()`);
    expect(await bench.take('a.csv', 'id,name\n1,a\n3,b\n')).toMatchObject({
      outcome: 'failed',
      error: { code: 'TALLY_MISMATCH' },
    });
  });

  test('a trigger that adds rows: nothing is committed', async () => {
    await bench.query(`create table staging.t (${TABLE});
      create function other.f() returns trigger language plpgsql as $$ begin insert into staging.t select max(_load_id), 99, 9, 'more' from staging.t; return null; end $$;
      create trigger tr after insert on staging.t for each statement when (pg_trigger_depth() = 0) execute function other.f()`);
    expect(await bench.take('a.csv', 'id,name\n1,a\n3,b\n')).toMatchObject({
      outcome: 'failed',
      error: { code: 'TALLY_MISMATCH' },
    });
  });

  test('counts rows that land on earlier pages of a purged table', async () => {
    const many = `id,name\n${rows(20_000, new Set(), (i) => `${i},${'p'.repeat(40)}`)}\n`;
    await bench.take('a.csv', many);
    // The last rows stay, so that vacuum cannot give the pages back.
    await bench.query('delete from staging.t where id < 19990');
    await bench.query('vacuum staging.t');
    const before = await bench.query(`select pg_relation_size('staging.t') as s`);
    expect(await bench.take('b.csv', `${many}77,x\n`)).toMatchObject({
      outcome: 'loaded',
      rows: { read: 20_001, loaded: 20_001 },
    });
    // They did land there: the table hardly grew.
    const after = await bench.query(`select pg_relation_size('staging.t') as s`);
    expect(Number(after[0]?.['s'])).toBeLessThan(1.5 * Number(before[0]?.['s']));
  });

  test.each(['brin', 'btree'] as const)('counts through a %s index', async (loadIndex) => {
    const feed = feedOf({ target: { schema: 'staging', table: 't', mode: 'append', create: true, loadIndex } });
    await bench.take('a.csv', 'id,name\n1,a\n', feed);
    expect(await bench.take('b.csv', 'id,name\n1,a\n2,b\n', feed)).toMatchObject({
      outcome: 'loaded',
      rows: { loaded: 2 },
    });
  });

  test('counts over partitions', async () => {
    await bench.query(
      `create table staging.t (${TABLE}) partition by list (id); create table staging.t1 partition of staging.t for values in (1); create table staging.t2 partition of staging.t default`,
    );
    expect(await bench.take('a.csv', 'id,name\n1,a\n2,b\n3,c\n')).toMatchObject({
      outcome: 'loaded',
      rows: { loaded: 3 },
    });
    expect(await bench.take('b.csv', 'id,name\n1,x\n2,b\n3,c\n')).toMatchObject({
      outcome: 'loaded',
      rows: { loaded: 3 },
    });
  });
});
