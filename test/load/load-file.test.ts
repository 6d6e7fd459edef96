import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { column, feedOf, openBench, type Bench } from './support.js';

let bench: Bench;
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

const staged = (): Promise<Record<string, unknown>[]> => bench.query('select * from staging.t order by _load_id, _row');
const receipts = (): Promise<Record<string, unknown>[]> => bench.query('select * from tallyman.loads order by load_id');
const quarantined = (): Promise<Record<string, unknown>[]> =>
  bench.query('select * from tallyman.quarantine order by row_number, quarantine_id');

describe('a good file', () => {
  test('is in staging with its lineage, and its receipt says so', async () => {
    const content = 'id,name\n1,ann\n2,bob\n';
    const result = await bench.take('a.csv', content);
    expect(result).toMatchObject({
      outcome: 'loaded',
      rows: { read: 2, loaded: 2, quarantined: 0, skipped: 0, declared: null, delta: 0 },
      errors: [],
      replaced: [],
    });
    if (result.outcome !== 'loaded') throw new Error(result.outcome);
    expect(await staged()).toEqual([
      { _load_id: String(result.loadId), _row: '1', id: 1, name: 'ann' },
      { _load_id: String(result.loadId), _row: '2', id: 2, name: 'bob' },
    ]);
    const [receipt] = await receipts();
    expect(receipt).toMatchObject({
      load_id: String(result.loadId),
      feed: 'f',
      path: 'a.csv',
      status: 'loaded',
      target: 'staging.t',
      rows_read: '2',
      rows_loaded: '2',
      file_sha256: createHash('sha256').update(content).digest('hex'),
      file_size: String(content.length),
      generation: 1,
      instance_id: 'here',
      error_code: null,
      replaces: [],
    });
    expect(receipt?.['dialect']).toMatchObject({ format: 'csv' });
    expect(result.committedAt).toBe((receipt?.['committed_at'] as Date).toISOString());
  });

  test('leaves no progress note behind', async () => {
    await bench.take('a.csv', 'id,name\n1,ann\n');
    expect(readdirSync(bench.dir).filter((name) => name.startsWith('progress-'))).toEqual([]);
  });

  test('keeps the microseconds of its mtime', async () => {
    const job = bench.job(bench.put('a.csv', 'id,name\n1,a\n'));
    await bench.load({ ...job, file: { ...job.file, mtimeUs: 1_763_618_400_123_457 } });
    expect(
      await bench.query(
        `select to_char(file_mtime at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') as m from tallyman.loads`,
      ),
    ).toEqual([{ m: '2025-11-20 06:00:00.123457' }]);
  });

  test('of 0 bytes is loaded with 0 rows', async () => {
    expect(await bench.take('a.csv', '')).toMatchObject({ outcome: 'loaded', rows: { read: 0, loaded: 0 } });
    expect(await receipts()).toMatchObject([{ status: 'loaded', rows_read: '0' }]);
  });

  test('with a header only is loaded with 0 rows', async () => {
    expect(await bench.take('a.csv', 'id,name\n')).toMatchObject({ outcome: 'loaded', rows: { read: 0, loaded: 0 } });
  });

  test('takes the types of the real table, also those that only text COPY can write', async () => {
    await bench.query('create schema staging');
    await bench.query(
      'create table staging.t (_load_id bigint not null, _row bigint not null, id integer, name tsrange)',
    );
    const result = await bench.take('a.csv', 'id,name\n1,"[2020-01-01,2020-02-01)"\n2,\\.\n3,\n');
    expect(result).toMatchObject({ outcome: 'loaded', rows: { read: 3, loaded: 2, quarantined: 1 } });
    expect(await bench.query('select id, name::text from staging.t order by _row')).toEqual([
      { id: 1, name: '["2020-01-01 00:00:00","2020-02-01 00:00:00")' },
      { id: 3, name: null },
    ]);
  });

  test('of many megabytes goes in piece by piece', async () => {
    const lines = Array.from({ length: 200_000 }, (_, i) => `${i},${'x'.repeat(i % 60)}`).join('\n');
    expect(await bench.take('a.csv', `id,name\n${lines}\n`)).toMatchObject({
      outcome: 'loaded',
      rows: { read: 200_000, loaded: 200_000 },
    });
    expect(
      await bench.query('select count(*) as n, sum(id) as s, sum(length(name)) as l, max(_row) as r from staging.t'),
    ).toEqual([{ n: '200000', s: '19999900000', l: '5899600', r: '200000' }]);
  });

  test('without contract lands every column as text, named after its header', async () => {
    await bench.take(
      'a.csv',
      'Order ID,Customer Name\n1,ann\n',
      feedOf({ columns: null, onUnknownColumn: 'add', onMissingColumn: 'fill_null' }),
    );
    expect(await bench.query('select order_id, customer_name from staging.t')).toEqual([
      { order_id: '1', customer_name: 'ann' },
    ]);
  });

  test('is looked up again when the table was altered since the last load of this session', async () => {
    await bench.take('a.csv', 'id,name\n1,ann\n');
    await bench.query('alter table staging.t alter column name type varchar(3)');
    expect(await bench.take('b.csv', 'id,name\n2,bob\n3,carl\n')).toMatchObject({
      outcome: 'misfit',
      error: { code: 'CONTRACT_MISFIT' },
    });
  });

  test('is loaded although the table was dropped since the last load of this session', async () => {
    await bench.take('a.csv', 'id,name\n1,ann\n');
    await bench.query('drop table staging.t');
    expect(await bench.take('b.csv', 'id,name\n2,bob\n')).toMatchObject({ outcome: 'loaded' });
    expect(await staged()).toMatchObject([{ id: 2 }]);
  });
});

describe('bad rows', () => {
  test('are quarantined with the good ones loaded, byte for byte with their place', async () => {
    const result = await bench.take('a.csv', 'id,name\n1,ann\nx,"b ""q"""\n3,carl\n');
    expect(result).toMatchObject({
      outcome: 'loaded',
      rows: { read: 3, loaded: 2, quarantined: 1, delta: 0 },
      errors: [{ class: 'type-error', column: 'id', rows: 1, first_row: 2, first_line: 3, example: 'x' }],
    });
    const [row] = await quarantined();
    expect(row).toMatchObject({
      row_number: '2',
      line_number: '3',
      byte_offset: '14',
      status: 'open',
      raw_length: '11',
    });
    expect((row?.['raw'] as Buffer).toString()).toBe('x,"b ""q"""');
    expect(row?.['errors']).toMatchObject([{ column: 'id', class: 'type-error', rule: null, value: 'x' }]);
  });

  test('report all faults of a row', async () => {
    const feed = feedOf({
      columns: [column('id', 'integer', { required: true }), column('n', 'integer', { min: '10' })],
      limits: { badRows: null, badRatio: null, minRows: 0, databaseRows: 1 },
    });
    await bench.take('a.csv', 'id,n\n,5\n', feed);
    expect((await quarantined())[0]?.['errors']).toMatchObject([
      { column: 'id', rule: 'required' },
      { column: 'n', rule: 'min', value: '5' },
    ]);
  });

  test('with NUL and broken UTF-8 are kept and shown harmlessly', async () => {
    const result = await bench.take('a.csv', Buffer.from('id,name\n1,a\0b\n2,\xff\n3,ok\n4,ok\n', 'latin1'));
    expect(result).toMatchObject({ outcome: 'loaded', rows: { loaded: 2, quarantined: 2 } });
    const rows = await quarantined();
    expect(rows.map((row) => (row['raw'] as Buffer).toString('latin1'))).toEqual(['1,a\0b', '2,\xff']);
    expect(rows.map((row) => (row['errors'] as { class: string; value: string }[])[0])).toMatchObject([
      { class: 'encoding-error', value: 'a\\x00b' },
      { class: 'encoding-error', value: '\\xFF' },
    ]);
  });

  test('beyond 8 MiB are flushed between two COPYs', async () => {
    const lines = Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? `x${i},${'r'.repeat(600_000)}` : `${i},ok`)).join(
      '\n',
    );
    const result = await bench.take('a.csv', `id,name\n${lines}\n`);
    expect(result).toMatchObject({ outcome: 'loaded', rows: { read: 40, loaded: 20, quarantined: 20 } });
    expect(
      await bench.query(
        'select count(*) as n, sum(length(raw)) as l, bool_and(length(raw) = raw_length) as whole from tallyman.quarantine',
      ),
    ).toEqual([{ n: '20', l: '12000075', whole: true }]);
    expect(await bench.query('select count(*) as n from staging.t')).toEqual([{ n: '20' }]);
  });
});

describe('limits', () => {
  const limits = (change: Partial<ReturnType<typeof feedOf>['limits']>): ReturnType<typeof feedOf> =>
    feedOf({ limits: { badRows: null, badRatio: null, minRows: 0, databaseRows: 10_000, ...change } });

  test('past means greater: with 0.5, 1 bad of 2 loads', async () => {
    expect(await bench.take('a.csv', 'id,name\n1,a\nx,b\n', limits({ badRatio: 0.5 }))).toMatchObject({
      outcome: 'loaded',
      rows: { loaded: 1, quarantined: 1 },
    });
  });

  test('past means greater: with 0.5, 2 bad of 3 are rejected', async () => {
    const result = await bench.take('a.csv', 'id,name\n1,a\nx,b\ny,c\n', limits({ badRatio: 0.5 }));
    expect(result).toMatchObject({
      outcome: 'rejected',
      error: { code: 'TOO_MANY_BAD_ROWS' },
      rows: { read: 3, loaded: 0, quarantined: 2, skipped: 0, declared: null, delta: null },
    });
  });

  test('a rejected file leaves a receipt and its bad rows, and nothing in staging', async () => {
    const result = await bench.take('a.csv', 'id,name\n1,a\nx,b\ny,c\n', limits({ badRows: 1 }));
    expect(await staged()).toEqual([]);
    expect(await receipts()).toMatchObject([
      { status: 'rejected', error_code: 'TOO_MANY_BAD_ROWS', rows_read: '3', rows_loaded: '0', rows_quarantined: '2' },
    ]);
    expect((await quarantined()).map((row) => (row['raw'] as Buffer).toString())).toEqual(['x,b', 'y,c']);
    expect(result.outcome === 'rejected' && result.sha256).toBe((await receipts())[0]?.['file_sha256']);
  });

  test('bad_rows stops at once', async () => {
    const lines = Array.from({ length: 100_000 }, (_, i) => `x${i},${'z'.repeat(50)}`).join('\n');
    const result = await bench.take('a.csv', `id,name\n${lines}\n`, limits({ badRows: 10 }));
    expect(result).toMatchObject({ outcome: 'rejected', error: { code: 'TOO_MANY_BAD_ROWS' } });
    if (result.outcome === 'rejected') expect(result.rows.read).toBeLessThan(100_000);
  });

  test('bad_ratio is judged while reading from record 10,000 on', async () => {
    const lines = Array.from({ length: 100_000 }, (_, i) => `x${i},${'z'.repeat(50)}`).join('\n');
    const result = await bench.take('a.csv', `id,name\n${lines}\n`, limits({ badRatio: 0.5 }));
    if (result.outcome !== 'rejected') throw new Error(result.outcome);
    expect(result.rows.read).toBeGreaterThanOrEqual(10_000);
    expect(result.rows.read).toBeLessThan(100_000);
  });

  test('a rejected file keeps its first 1,000 bad rows', async () => {
    const lines = Array.from({ length: 3000 }, (_, i) => `x${i},z`).join('\n');
    await bench.take('a.csv', `id,name\n${lines}\n`, limits({ badRatio: 0 }));
    expect(await bench.query('select count(*) as n, max(row_number) as last from tallyman.quarantine')).toEqual([
      { n: '1000', last: '1000' },
    ]);
  });

  test('a rejected file keeps at most 64 KiB of a row, and says how long it was', async () => {
    await bench.take('a.csv', `id,name\nx,${'z'.repeat(100_000)}\n`, limits({ badRows: 0 }));
    expect(await bench.query('select length(raw) as kept, raw_length from tallyman.quarantine')).toEqual([
      { kept: 65_536, raw_length: '100002' },
    ]);
  });

  test('fewer rows than min_rows are rejected', async () => {
    expect(await bench.take('a.csv', 'id,name\n1,a\n', limits({ minRows: 2 }))).toMatchObject({
      outcome: 'rejected',
      error: { code: 'TOO_FEW_ROWS' },
    });
  });
});

describe('a file that cannot be read as the feed says', () => {
  test('without header line is rejected with a receipt', async () => {
    const result = await bench.take(
      'a.csv',
      '# only a comment\n',
      feedOf({ format: { type: 'csv', options: { comment: '#' } } }),
    );
    expect(result).toMatchObject({
      outcome: 'rejected',
      error: { code: 'HEADER_MISSING' },
      rows: { read: 0, delta: null },
    });
    expect(await receipts()).toMatchObject([{ status: 'rejected', error_code: 'HEADER_MISSING' }]);
  });

  test('with a column that the contract does not know is rejected', async () => {
    const result = await bench.take('a.csv', 'id,name,extra\n1,a,b\n');
    expect(result).toMatchObject({ outcome: 'rejected', error: { code: 'UNKNOWN_COLUMNS' } });
    expect(result.outcome === 'rejected' && result.error.message).toContain('"extra"');
  });

  test('without a column of the contract is rejected', async () => {
    expect(await bench.take('a.csv', 'id\n1\n')).toMatchObject({
      outcome: 'rejected',
      error: { code: 'MISSING_COLUMNS' },
    });
  });

  test('is rejected again by a retry, and only the last rejection stays open', async () => {
    const first = await bench.take(
      'a.csv',
      'id,name\nx,a\n',
      feedOf({ limits: { badRows: 0, badRatio: null, minRows: 0, databaseRows: 1 } }),
    );
    const again = await bench.take(
      'a.csv',
      'id,name\nx,a\n',
      feedOf({ limits: { badRows: 0, badRatio: null, minRows: 0, databaseRows: 1 } }),
    );
    expect([first, again]).toMatchObject([
      { replaced: [] },
      { replaced: [first.outcome === 'rejected' ? first.loadId : null] },
    ]);
    expect(await bench.query('select status, count(*) as n from tallyman.loads group by 1 order by 1')).toEqual([
      { status: 'rejected', n: '1' },
      { status: 'superseded', n: '1' },
    ]);
    expect(await bench.query('select status, count(*) as n from tallyman.quarantine group by 1 order by 1')).toEqual([
      { status: 'open', n: '1' },
      { status: 'superseded', n: '1' },
    ]);
  });

  test('settles its rejection when a better version of the path is loaded', async () => {
    await bench.take('a.csv', 'id,name\nx,a\n');
    await bench.take('a.csv', 'id,name\n1,a\n');
    expect(await bench.query('select status from tallyman.loads order by load_id')).toEqual([
      { status: 'superseded' },
      { status: 'loaded' },
    ]);
    expect(await bench.query('select status from tallyman.quarantine')).toEqual([{ status: 'superseded' }]);
  });
});

describe('unknown and missing columns', () => {
  const content = 'id,name,extra,Other One\n1,a,b,c\n2,d,,\n';

  test('ignore leaves them out and notes it', async () => {
    const result = await bench.take('a.csv', content, feedOf({ onUnknownColumn: 'ignore' }));
    expect(result).toMatchObject({
      outcome: 'loaded',
      drift: [
        { kind: 'ignored', column: 'extra' },
        { kind: 'ignored', column: 'Other One' },
      ],
    });
    expect(await staged()).toMatchObject([
      { id: 1, name: 'a' },
      { id: 2, name: 'd' },
    ]);
  });

  test('add puts them in as text, last', async () => {
    await bench.take('a.csv', content, feedOf({ onUnknownColumn: 'add' }));
    expect(await bench.query('select id, name, extra, other_one from staging.t order by _row')).toEqual([
      { id: 1, name: 'a', extra: 'b', other_one: 'c' },
      { id: 2, name: 'd', extra: null, other_one: null },
    ]);
  });

  test('add gives a table that is there the new column', async () => {
    await bench.take('a.csv', 'id,name\n1,a\n', feedOf({ onUnknownColumn: 'add' }));
    await bench.take('b.csv', 'id,name,more\n2,b,c\n', feedOf({ onUnknownColumn: 'add' }));
    expect(await bench.query('select id, more from staging.t order by id')).toEqual([
      { id: 1, more: null },
      { id: 2, more: 'c' },
    ]);
  });

  test('rescue keeps them as jsonb in _rescued', async () => {
    await bench.take('a.csv', content, feedOf({ onUnknownColumn: 'rescue' }));
    expect(await bench.query('select id, _rescued from staging.t order by _row')).toEqual([
      { id: 1, _rescued: { extra: 'b', 'Other One': 'c' } },
      { id: 2, _rescued: null },
    ]);
  });

  test('rescue has its column also when the file has nothing to rescue', async () => {
    await bench.take('a.csv', 'id,name\n1,a\n', feedOf({ onUnknownColumn: 'rescue' }));
    expect(await bench.query('select id, _rescued from staging.t')).toEqual([{ id: 1, _rescued: null }]);
  });

  test('fill_null fills missing columns with NULL or their default', async () => {
    const feed = feedOf({
      columns: [column('id', 'integer'), column('name'), column('kind', 'text', { default: 'std' })],
      onMissingColumn: 'fill_null',
    });
    await bench.take('a.csv', 'id\n1\n', feed);
    expect(await staged()).toMatchObject([{ id: 1, name: null, kind: 'std' }]);
  });

  test('fill_null never fills a required column', async () => {
    const feed = feedOf({
      columns: [column('id', 'integer'), column('name', 'text', { required: true })],
      onMissingColumn: 'fill_null',
    });
    expect(await bench.take('a.csv', 'id\n1\n', feed)).toMatchObject({
      outcome: 'rejected',
      error: { code: 'MISSING_COLUMNS' },
    });
  });

  test('without contract, on_unknown_column: reject holds a file against the table that is there', async () => {
    const feed = feedOf({ columns: null, onUnknownColumn: 'reject', onMissingColumn: 'fill_null' });
    await bench.take('a.csv', 'a,b\n1,2\n', feed);
    expect(await bench.take('b.csv', 'a,c\n1,2\n', feed)).toMatchObject({
      outcome: 'rejected',
      error: { code: 'UNKNOWN_COLUMNS' },
    });
  });
});

describe('what the sender declares', () => {
  const feed = feedOf({
    control: {
      header: null,
      trailer: null,
      rowsOffset: 0,
      manifest: { rows: 'rowCount', digests: [{ algorithm: 'sha256', key: 'sum.sha256' }] },
      metadata: null,
      checksum: null,
      totals: {},
    },
  });
  const content = 'id,name\n1,a\n';
  const sha256 = createHash('sha256').update(content).digest('hex');

  test('joins the tally when it agrees', async () => {
    const manifest = JSON.stringify({ rowCount: 1, sum: { sha256 } });
    expect(await bench.take('a.csv', content, feed, { manifest })).toMatchObject({
      outcome: 'loaded',
      rows: { declared: 1, delta: 0 },
    });
    expect(await receipts()).toMatchObject([{ rows_declared: '1' }]);
  });

  test('rejects a file with another number of rows', async () => {
    const result = await bench.take('a.csv', content, feed, {
      manifest: JSON.stringify({ rowCount: 2, sum: { sha256 } }),
    });
    expect(result).toMatchObject({
      outcome: 'rejected',
      error: { code: 'DECLARED_ROWS_MISMATCH' },
      rows: { declared: 2, read: 1 },
    });
  });

  test('rejects a file with another checksum', async () => {
    expect(
      await bench.take('a.csv', content, feed, {
        manifest: JSON.stringify({ rowCount: 1, sum: { sha256: 'f'.repeat(64) } }),
      }),
    ).toMatchObject({ outcome: 'rejected', error: { code: 'CHECKSUM_MISMATCH' } });
  });

  test('rejects a file whose manifest lacks it', async () => {
    expect(await bench.take('a.csv', content, feed, { manifest: '{}' })).toMatchObject({
      outcome: 'rejected',
      error: { code: 'CONTROL_MISSING' },
    });
  });
});

describe('a table that does not fit', () => {
  test('stops the feed with the ALTER in the message, and leaves no receipt', async () => {
    await bench.query('create schema staging');
    await bench.query('create table staging.t (id integer, name text)');
    const result = await bench.take('a.csv', 'id,name\n1,a\n');
    expect(result).toMatchObject({ outcome: 'misfit', error: { code: 'CONTRACT_MISFIT' } });
    expect(result.outcome === 'misfit' && result.error.message).toContain('ALTER TABLE');
    expect(await receipts()).toEqual([]);
  });
});
