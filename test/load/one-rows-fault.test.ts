import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { LoadSession } from '../../src/load/transaction/session.js';
import { column, feedOf, openBench, type Bench } from './support.js';

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

const LINEAGE = '_load_id bigint not null, _row bigint not null, id integer';
const ids = async (): Promise<unknown[]> =>
  (await bench.query('select id from staging.t order by id')).map((row) => row['id']);

/** Limits that no test here runs into. */
const lenient = feedOf({ limits: { badRows: null, badRatio: null, minRows: 0, databaseRows: 10_000 } });

/** Every trigger on staging.t runs this body for each row. */
async function trigger(body: string, when = 'before insert'): Promise<void> {
  await bench.query(`create table staging.t (${LINEAGE}, name text);
    create function other.f() returns trigger language plpgsql as $$ begin ${body} return new; end $$;
    create trigger tr ${when} on staging.t for each row execute function other.f()`);
}

describe('a text that only PostgreSQL reads is its row to blame, whatever the SQLSTATE', () => {
  test.each([
    ['tsvector', 'ok', "'open", '42601'],
    ['tsquery', 'a & b', '& &', '42601'],
    ['jsonpath', '$.a', '$[canary', '42601'],
    ['regclass', 'pg_class', 'no_such_canary', '42P01'],
    ['regclass', 'pg_class', 'a.b.c.d', '0A000 or 42601'],
    ['regtype', 'int4', 'no_such_canary', '42704'],
    ['regproc', 'pg_sleep', 'abs', '42725'],
    ['regrole', 'postgres', 'no_such_canary', '42704'],
    ['int4range', 'empty', '"[2,1)"', '22000'],
    ['pg_lsn', '0/16', 'canary', '22P02'],
    ['text[]', '{a}', '{a', '22P02'],
  ])('%s', async (type, good, bad) => {
    await bench.query(`create table staging.t (${LINEAGE}, name ${type})`);
    const result = await bench.take('a.csv', `id,name\n1,${good}\n2,${bad}\n3,${good}\n`);
    expect(result).toMatchObject({
      outcome: 'loaded',
      rows: { read: 3, loaded: 2, quarantined: 1, delta: 0 },
      errors: [{ class: 'database-error', column: 'name', first_row: 2 }],
    });
    expect(await ids()).toEqual([1, 3]);
  });

  test('also where it is the only row of its file', async () => {
    await bench.query(`create table staging.t (${LINEAGE}, name tsvector)`);
    expect(await bench.take('a.csv', `id,name\n1,'open\n`, lenient)).toMatchObject({
      outcome: 'loaded',
      rows: { read: 1, loaded: 0, quarantined: 1 },
    });
  });
});

describe('what a trigger raises for a row is that row to blame, whatever the SQLSTATE', () => {
  test.each([
    '45000',
    'U0001',
    '42501',
    '0A000',
    '55000',
    '55P03',
    '40001',
    '57014',
    '53100',
    '08000',
    '08P01',
    '22P04',
    '28000',
    '3D000',
    'XX000',
    'ZZ999',
  ])('%s', async (code) => {
    await trigger(`if new.id < 0 then raise exception 'not % please', new.name using errcode = '${code}'; end if;`);
    const result = await bench.take('a.csv', 'id,name\n1,a\n-2,canary\n3,c\n-4,canary\n5,e\n');
    expect(result).toMatchObject({
      outcome: 'loaded',
      rows: { read: 5, loaded: 3, quarantined: 2, delta: 0 },
      errors: [{ class: 'database-error', rows: 2, message: 'not canary please' }],
    });
    expect(await ids()).toEqual([1, 3, 5]);
  });

  test('behind the row, and where it is the only row of its file', async () => {
    await trigger(`if new.id < 0 then raise exception 'no' using errcode = '45000'; end if;`, 'after insert');
    expect(await bench.take('a.csv', 'id,name\n-2,b\n', lenient)).toMatchObject({
      outcome: 'loaded',
      rows: { loaded: 0, quarantined: 1 },
    });
  });

  test('a deferred one rejects the file, as a deferred constraint does', async () => {
    await bench.query(`create table staging.t (${LINEAGE}, name text);
      create function other.f() returns trigger language plpgsql as $$ begin raise exception 'no %', new.name using errcode = '45000'; end $$;
      create constraint trigger tr after insert on staging.t deferrable initially deferred for each row execute function other.f()`);
    const result = await bench.take('a.csv', 'id,name\n1,canary\n');
    expect(result).toMatchObject({ outcome: 'rejected', error: { code: 'DEFERRED_CONSTRAINT' } });
    expect(JSON.stringify(result.outcome === 'rejected' && result.error)).not.toContain('canary');
  });
});

describe('what goes wrong in a trigger without being raised', () => {
  const LOOKUP = 'if new.id < 0 then execute format($q$select 1 from other.%I$q$, new.name); end if;';

  test('for some rows only: theirs, because others pass at the same moment', async () => {
    await trigger(LOOKUP);
    const lines = Array.from({ length: 3000 }, (_, i) => `${i % 1000 === 0 ? -1 - i : i},n${i}`);
    expect(await bench.take('a.csv', `id,name\n${lines.join('\n')}\n`)).toMatchObject({
      outcome: 'loaded',
      rows: { read: 3000, loaded: 2997, quarantined: 3, delta: 0 },
    });
    expect(await bench.query('select row_number from tallyman.quarantine order by 1')).toEqual(
      [1, 1001, 2001].map((row) => ({ row_number: String(row) })),
    );
    expect(await bench.query('select count(*) as n from staging.t where id < 0')).toEqual([{ n: '0' }]);
  });

  test('for the last row, or for all but the last: theirs too', async () => {
    await trigger(LOOKUP, 'after insert');
    expect(await bench.take('a.csv', 'id,name\n1,a\n2,b\n-3,c\n')).toMatchObject({
      rows: { loaded: 2, quarantined: 1 },
    });
    expect(await bench.take('b.csv', 'id,name\n-1,a\n-2,b\n-4,b\n3,c\n', lenient)).toMatchObject({
      rows: { loaded: 1, quarantined: 3 },
    });
  });

  test('for every row: no row is to blame, and nothing is in', async () => {
    await trigger('execute format($q$select 1 from other.%I$q$, $q$audit_log$q$);');
    const result = await bench.take('a.csv', 'id,name\n1,canary\n2,canary\n3,canary\n');
    expect(result).toMatchObject({ outcome: 'misfit', error: { code: 'CONTRACT_MISFIT' } });
    // The relation that is missing is no cell: whoever has to make it reads its name.
    expect(JSON.stringify(result)).toContain('audit_log');
    expect(await bench.query('select count(*) as n from tallyman.quarantine')).toEqual([{ n: '0' }]);
  });

  test('what the server quotes of a cell is not told', async () => {
    await trigger('execute format($q$select 1 from other.%I$q$, new.name);');
    const result = await bench.take('a.csv', 'id,name\n1,CANARY\n2,CANARY\n');
    expect(result.outcome).toBe('misfit');
    expect(JSON.stringify(result).toLowerCase()).not.toContain('canary');
    expect(JSON.stringify(result)).toContain('PL/pgSQL function other.f()');
  });
});

describe('the cell is in no message that reaches a log', () => {
  test('past limits.database_rows', async () => {
    await bench.query(`create table staging.t (${LINEAGE}, name jsonpath)`);
    const few = feedOf({ limits: { badRows: null, badRatio: null, minRows: 0, databaseRows: 0 } });
    const result = await bench.take('a.csv', 'id,name\n1,$[canary\n', few);
    expect(result).toMatchObject({ outcome: 'rejected', error: { code: 'TOO_MANY_DATABASE_ROWS' } });
    expect(JSON.stringify(result.outcome === 'rejected' && result.error)).not.toContain('canary');
  });
});

test('a row is not blamed for the end of the session', async () => {
  const session = new LoadSession();
  await trigger('perform pg_terminate_backend(pg_backend_pid()) where new.id < 0;');
  const result = await bench.take(
    'a.csv',
    'id,name\n1,a\n-2,b\n3,c\n',
    feedOf({ columns: [column('id', 'integer'), column('name')] }),
  );
  await session.close();
  expect(result.outcome).toBe('unreachable');
  expect(await bench.query('select count(*) as n from tallyman.quarantine')).toEqual([{ n: '0' }]);
});
