import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { FeedSpec } from '../../src/core/feed/feed.js';
import { RowSet } from '../../src/load/unique/row-set.js';
import { UniqueTracker } from '../../src/load/unique/unique-tracker.js';
import { checkFile } from '../../src/load/dry-run.js';
import { csv } from '../../src/formats/csv/index.js';
import { column, feedOf, openBench, type Bench } from './support.js';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(async () => {
  await bench.close();
});
beforeEach(async () => {
  await bench.query('drop schema if exists staging cascade; truncate tallyman.loads, tallyman.quarantine');
});

const NO_LIMITS = { badRows: null, badRatio: null, minRows: 0, databaseRows: 10_000 };
const uniqueFeed = (change: Partial<FeedSpec> = {}): FeedSpec =>
  feedOf({ columns: [column('id', 'integer', { unique: true }), column('name')], limits: NO_LIMITS, ...change });
const lost = async (): Promise<unknown> =>
  (
    await bench.query(
      `select row_number::int as n, errors from tallyman.quarantine where errors @> '[{"class":"unique-error"}]' order by 1`,
    )
  ).map((row) => row['n']);

describe('unique within the file', () => {
  test('the first one wins; the others are quarantined byte for byte', async () => {
    const result = await bench.take('a.csv', 'id,name\n7,a\n8,b\n7,"c ""x"""\n 7 ,d\n9,e\n', uniqueFeed());
    expect(result).toMatchObject({
      outcome: 'loaded',
      rows: { read: 5, loaded: 3, quarantined: 2, delta: 0 },
      errors: [{ class: 'unique-error', column: 'id', rows: 2, first_row: 3, first_line: 4, example: '7' }],
    });
    expect(await bench.query('select _row::int as row, id from staging.t order by 1')).toEqual([
      { row: 1, id: 7 },
      { row: 2, id: 8 },
      { row: 5, id: 9 },
    ]);
    const kept = await bench.query(
      'select row_number, line_number, byte_offset, raw, raw_length from tallyman.quarantine order by 1',
    );
    expect(kept.map((row) => (row['raw'] as Buffer).toString())).toEqual(['7,"c ""x"""', ' 7 ,d']);
    expect(kept[0]).toMatchObject({ line_number: '4', byte_offset: '16', raw_length: '11' });
  });

  test.each([
    ['interval', ['1 day', '24:00:00', '1 day 00:00:01', 'P1D'], [2, 4]],
    ['inet', ['10.0.0.1', '10.0.0.1/32', '10.0.0.1/24', '::1', '0:0:0:0:0:0:0:1'], [2, 5]],
    ['cidr', ['10.0.0.0/8', '10/8', '10.0.0.0/9'], [2]],
    ['macaddr', ['08:00:2b:01:02:03', '08-00-2B-01-02-03', '08002b010204'], [2]],
    ['integer[]', ['"{1,2}"', '"{01, 2}"', '"[1:2]={1,2}"', '"{1,2,3}"'], [2, 3]],
    ['numeric[]', ['"{1.0}"', '"{1.00}"', '"{2}"'], [2]],
    ['money', ['$1.00', '1', '"$1,000.00"', '1000'], [2, 4]],
    ['time with time zone', ['12:00+00', '12:00:00Z', '12:30+00'], [2]],
    ['int4range', ['"[1,3)"', '"[1,2]"', '"(0,3)"', '"[1,4)"'], [2, 3]],
    ['tsvector', ['a b', 'b a', 'a'], [2]],
    ['bit varying(8)', ['101', 'b101', '0101'], [2]],
    ['oid', ['7', '07', '8'], [2]],
    // Without an order in SQL: as text, which PostgreSQL spells anew.
    ['point', ['"(1,2)"', '"( 1.0 , 2 )"', '"(1,3)"'], [2]],
    ['xid', ['7', '8', '7'], [3]],
    ['json', ['1', '2', '1'], [3]],
    ['json[]', ['{1}', '{2}', '{ 1}'], [3]],
    // With a codec of ours.
    ['date', ['2024-01-02', '2024-01-02 ', '"January 2, 2024"', '2024-01-03'], [2, 3]],
    ['timestamptz', ['2024-01-02T12:00:00Z', '2024-01-02 14:00:00+02', '2024-01-02 12:00:00.000000+00'], [2, 3]],
    ['numeric(10,4)', ['1', '1.0', '01.00', '1e0', '1.0001'], [2, 3, 4]],
    ['double precision', ['0', '-0', '0.0', '1e0', '1'], [2, 3, 5]],
    ['char(5)', ['a', '"a "', 'A'], [2]],
    ['text collate other.loose', ['Ada', 'ADA', 'ada', 'Bob'], [2, 3]],
    ['varchar(9) collate other.loose', ['Ada', 'ADA', 'Bob'], [2]],
  ])('is by the equality of %s', async (type, cells, losers) => {
    await bench.query(`drop schema if exists other cascade; create schema other; create schema staging;
      create collation other.loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
      create table staging.t (_load_id bigint not null, _row bigint not null, id ${type}, name text)`);
    const named = type.startsWith('text') || type.startsWith('varchar') ? 'text' : type;
    const feed = uniqueFeed({
      columns: [
        column('id', named, {
          unique: true,
          formats: type === 'date' ? ['%Y-%m-%d', '%B %d, %Y'] : [],
          maxLength: type.startsWith('varchar') ? 9 : null,
        }),
        column('name'),
      ],
    });
    const result = await bench.take('a.csv', `id,name\n${cells.map((cell) => `${cell},x`).join('\n')}\n`, feed);
    expect(result).toMatchObject({
      outcome: 'loaded',
      rows: { loaded: cells.length - losers.length, quarantined: losers.length, delta: 0 },
    });
    expect(await lost()).toEqual(losers);
  });

  test('is by value: 1.0 and 1.00 clash, a and A do not', async () => {
    const feed = uniqueFeed({
      columns: [column('id', 'numeric', { unique: true }), column('name', 'text', { unique: true })],
    });
    await bench.take('a.csv', 'id,name\n1.0,a\n1.00,A\n2,a\n3,A\n', feed);
    expect(await lost()).toEqual([2, 3]);
  });

  test('NULLs never clash, empty strings do', async () => {
    const feed = uniqueFeed({
      columns: [column('id', 'integer', { unique: true }), column('name', 'text', { unique: true })],
    });
    await bench.take('a.csv', 'id,name\n,\n,\n1,""\n2,""\n', feed);
    expect(await lost()).toEqual([4]);
  });

  test('a key of several columns clashes only as a whole, and not with a NULL in it', async () => {
    const feed = feedOf({ unique: [['id', 'name']], limits: NO_LIMITS });
    await bench.take('a.csv', 'id,name\n1,a\n1,b\n2,a\n1,a\n1,\n1,\n', feed);
    expect(await lost()).toEqual([4]);
  });

  test('only accepted rows take a key', async () => {
    const feed = uniqueFeed({
      columns: [column('id', 'integer', { unique: true }), column('name', 'text', { maxLength: 1 })],
    });
    await bench.take('a.csv', 'id,name\n1,toolong\n1,a\n1,b\n', feed);
    expect(await lost()).toEqual([3]);
  });

  test('a row that lost takes no key: of A(1,x), B(1,y), C(2,y) only B goes', async () => {
    const feed = uniqueFeed({
      columns: [column('id', 'integer', { unique: true }), column('name', 'text', { unique: true })],
    });
    await bench.take('a.csv', 'id,name\n1,x\n1,y\n2,y\n', feed);
    expect(await lost()).toEqual([2]);
  });

  test('a row that lost by two keys tells both', async () => {
    const feed = uniqueFeed({
      columns: [column('id', 'integer', { unique: true }), column('name', 'text', { unique: true })],
    });
    await bench.take('a.csv', 'id,name\n1,x\n2,y\n1,y\n', feed);
    expect(await bench.query(`select jsonb_array_length(errors) as n from tallyman.quarantine`)).toEqual([{ n: 2 }]);
  });

  test('a row that PostgreSQL refused takes no key', async () => {
    await bench.query(
      `create schema staging; create table staging.t (_load_id bigint not null, _row bigint not null, id integer, name text check (name <> 'no'))`,
    );
    await bench.take('a.csv', 'id,name\n1,no\n1,a\n1,b\n', uniqueFeed());
    expect(await lost()).toEqual([3]);
    expect(await bench.query('select name from staging.t')).toEqual([{ name: 'a' }]);
  });

  test('counts for the limits', async () => {
    const feed = uniqueFeed({ limits: { ...NO_LIMITS, badRows: 1 } });
    const result = await bench.take('a.csv', 'id,name\n1,a\n1,b\n1,c\n', feed);
    expect(result).toMatchObject({
      outcome: 'rejected',
      error: { code: 'TOO_MANY_BAD_ROWS' },
      rows: { read: 3, loaded: 0, quarantined: 2 },
    });
    expect(await lost()).toEqual([2, 3]);
  });

  test('works on json, which has no equality', async () => {
    const feed = feedOf({ columns: [column('id', 'json', { unique: true }), column('name')], limits: NO_LIMITS });
    await bench.take('a.csv', `id,name\n"{""a"":1}",a\n"{""a"":1}",b\n"{""a"":2}",c\n`, feed);
    expect(await lost()).toEqual([2]);
  });

  test('works over partitions, in text COPY, and beyond a page of losers', async () => {
    await bench.query(`create schema staging; create table staging.t (_load_id bigint not null, _row bigint not null, id integer, name inet) partition by hash (id);
      create table staging.t0 partition of staging.t for values with (modulus 2, remainder 0); create table staging.t1 partition of staging.t for values with (modulus 2, remainder 1)`);
    const lines = Array.from({ length: 30_000 }, (_, i) => `${i % 4000},10.0.0.1`).join('\n');
    expect(await bench.take('a.csv', `id,name\n${lines}\n`, uniqueFeed())).toMatchObject({
      outcome: 'loaded',
      rows: { read: 30_000, loaded: 4000, quarantined: 26_000 },
    });
    expect(await bench.query('select count(*)::int as n, max(_row)::int as last from staging.t')).toEqual([
      { n: 4000, last: 4000 },
    ]);
  });

  test('compares all rows of the load when more than 50,000 may clash', async () => {
    const lines = Array.from({ length: 60_000 }, (_, i) => `${i % 3},n`).join('\n');
    expect(await bench.take('a.csv', `id,name\n${lines}\n`, uniqueFeed())).toMatchObject({
      outcome: 'loaded',
      rows: { read: 60_000, loaded: 3, quarantined: 59_997 },
    });
  });

  test('does not look at the rows of earlier loads', async () => {
    await bench.take('a.csv', 'id,name\n1,a\n', uniqueFeed());
    expect(await bench.take('b.csv', 'id,name\n1,b\n', uniqueFeed())).toMatchObject({
      outcome: 'loaded',
      rows: { loaded: 1 },
    });
  });

  test('a dry run tells the same', async () => {
    const job = bench.job(bench.put('a.csv', 'id,name\n7,a\n8,b\n7,c\n7,d\n'), uniqueFeed());
    const result = await checkFile(job, {
      formats: [csv],
      decoders: [],
      onProgress: () => undefined,
      signal: new AbortController().signal,
    });
    expect(result).toMatchObject({
      outcome: 'checked',
      rows: { read: 4, loaded: 2, quarantined: 2 },
      errors: [{ class: 'unique-error', rows: 2, first_row: 3 }],
    });
  });
});

describe('the tracker of key hashes', () => {
  const dir = mkdtempSync(path.join(tmpdir(), 'tallyman-unique-'));
  afterAll(() => rmSync(dir, { recursive: true }));

  const repeats = (keys: readonly (readonly number[])[], memory: number): number[][] => {
    const tracker = new UniqueTracker(keys.length, dir, memory);
    const bytes = Buffer.alloc(4);
    keys.forEach((values, key) => {
      values.forEach((value, i) => {
        bytes.writeInt32BE(value);
        tracker.add(key, i + 1, bytes, 0, 4);
      });
    });
    return tracker.finish().map((rows) => [...rows.rows()]);
  };
  const expected = (values: readonly number[]): number[] =>
    values.flatMap((value, i) => (values.indexOf(value) < i ? [i + 1] : []));

  test('names every row whose value an earlier row has, in memory', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(50), { maxLength: 200 }), fc.array(fc.nat(5), { maxLength: 50 }), (a, b) => {
        expect(repeats([a, b], 32 * 1024 * 1024)).toEqual([expected(a), expected(b)]);
      }),
    );
  });

  test('names the same rows when nearly everything is spilled to disk', () => {
    const values = Array.from({ length: 60_000 }, (_, i) => (i * 7919) % 50_021);
    const seen = new Set<number>();
    const wanted = values.flatMap((value, i) => {
      if (seen.has(value)) return [i + 1];
      seen.add(value);
      return [];
    });
    // 16 KiB of memory: 768 hashes, 60,000 keys in 256 parts.
    expect(repeats([values], 16 * 1024)).toEqual([wanted]);
    // 1 KiB: parts that must be read in several shares.
    expect(repeats([values], 1024 * 2)).toEqual([wanted]);
  });

  test('leaves no file behind', () => {
    expect(readdirSync(dir)).toEqual([]);
  });
});

describe('a set of rows', () => {
  test('holds what was added, in order', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 5_000_000_000 }), { maxLength: 50 }), (rows) => {
        const set = new RowSet();
        for (const row of rows) set.add(row);
        const sorted = [...new Set(rows)].sort((a, b) => a - b);
        expect([...set.rows()]).toEqual(sorted);
        expect(set.size).toBe(sorted.length);
        expect(set.last).toBe(sorted.at(-1) ?? 0);
        expect(sorted.every((row) => set.has(row))).toBe(true);
        expect(set.has(6_000_000_000)).toBe(false);
      }),
      { numRuns: 30 },
    );
  });
});
