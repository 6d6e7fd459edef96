import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FeedSpec } from '../../../src/core/feed/feed.js';
import type { LoadResult } from '../../../src/core/load.js';
import { DECODERS, FORMATS } from '../../../src/registry.js';
import { column, feedOf, openBench, type Bench } from '../../load/support.js';
import { duckdb } from './support.js';

let bench: Bench;
let db: DuckDBConnection;
beforeAll(async () => {
  bench = await openBench();
  db = await duckdb();
  await bench.query(`SET TimeZone = 'UTC'`);
});
afterAll(async () => {
  await bench.close();
});

const FIXTURES = path.resolve(import.meta.dirname, '../../../fixtures/parquet');
let count = 0;

const feed = (change: Partial<FeedSpec> = {}): FeedSpec =>
  feedOf({
    name: `f${++count}`,
    format: { type: 'parquet', options: {} },
    columns: null,
    onUnknownColumn: 'add',
    onMissingColumn: 'fill_null',
    target: { schema: 'staging', table: `t${count}`, mode: 'append', create: true, loadIndex: 'none' },
    ...change,
  });

/** Writes the query's rows as Parquet. */
async function written(sql: string, options = ''): Promise<string> {
  const file = path.join(bench.dir, `p${++count}.parquet`);
  await db.run(`COPY (${sql}) TO '${file}' (FORMAT parquet${options})`);
  return file;
}

const loaded = (file: string, spec: FeedSpec): Promise<LoadResult> =>
  bench.load(bench.job(file, spec), { formats: FORMATS, decoders: DECODERS });
const counts = (result: LoadResult): unknown =>
  'rows' in result
    ? {
        outcome: result.outcome,
        read: result.rows.read,
        loaded: result.rows.loaded,
        quarantined: result.rows.quarantined,
        declared: result.rows.declared,
      }
    : result;
const faults = (result: LoadResult): string[] =>
  'errors' in result
    ? result.errors.map((e) => `${e.column ?? ''} ${e.class} ${e.message} ${e.rows} ${e.first_row} ${e.example ?? ''}`)
    : [];

async function table(
  spec: FeedSpec,
): Promise<{ readonly types: Record<string, unknown>; readonly rows: readonly Record<string, unknown>[] }> {
  const columns = await bench.query(
    `SELECT attname, format_type(atttypid, atttypmod) AS type FROM pg_attribute WHERE attrelid = 'staging.${spec.target.table}'::regclass AND attnum > 2 AND NOT attisdropped ORDER BY attnum`,
  );
  const rows = await bench.query(
    `SELECT ${columns.map(({ attname }) => `"${String(attname)}"::text`).join(', ')} FROM staging.${spec.target.table} ORDER BY _row`,
  );
  return { types: Object.fromEntries(columns.map(({ attname, type }) => [String(attname), type])), rows };
}

/**
 * Each column: DuckDB's expression over r (0, 1, 2 ...), the type that the table gets, and what PostgreSQL shows of it
 * (as DuckDB's expression of the text).
 */
const COLUMNS: readonly (readonly [name: string, value: string, type: string, shown?: string])[] = [
  ['b', 'hash(r) % 2 = 0', 'boolean'],
  ['i8', '((hash(r) % 256)::integer - 128)::tinyint', 'smallint'],
  ['i16', '((hash(r) % 65536)::integer - 32768)::smallint', 'smallint'],
  ['i32', '((hash(r) % 4294967296)::bigint - 2147483648)::integer', 'integer'],
  ['i64', '(hash(r)::hugeint - 9223372036854775808)::bigint', 'bigint'],
  ['u8', '(hash(r) % 256)::utinyint', 'smallint'],
  ['u16', '(hash(r) % 65536)::usmallint', 'integer'],
  ['u32', '(hash(r) % 4294967296)::uinteger', 'bigint'],
  ['u64', 'hash(r)::ubigint', 'numeric(20,0)'],
  ['d4', '((hash(r) % 19999)::integer - 9999)::decimal(5,0)::decimal(4,0)', 'numeric(4,0)'],
  ['d9', '((hash(r) % 2000000)::integer - 1000000)::decimal(9,2)', 'numeric(9,2)'],
  ['d18', '((hash(r) % 900000000000)::bigint - 5)::decimal(18,5)', 'numeric(18,5)'],
  ['d38', '(hash(r)::decimal(38,9) * 1000003)::decimal(38,9)', 'numeric(38,9)'],
  ['f', '((hash(r) % 100000)::integer / 16)::float', 'real'],
  ['g', '(hash(r) % 1000000007)::double / 1024', 'double precision'],
  ['dt', `date '0001-01-01' + (hash(r) % 3652059)::integer`, 'date'],
  ['tm', `(time '00:00:00' + to_microseconds((hash(r) % 86400000000)::bigint))`, 'time without time zone'],
  [
    'ts',
    `timestamp '0001-01-01' + to_microseconds((hash(r) % 315537897600000000)::bigint)`,
    'timestamp without time zone',
  ],
  [
    'tz',
    `(timestamp '1900-01-01' + to_microseconds((hash(r) % 6311433600000000)::bigint))::timestamptz`,
    'timestamp with time zone',
  ],
  ['tns', `make_timestamp_ns((hash(r) % 1000000000000000)::bigint * 1000)`, 'timestamp without time zone'],
  ['id', `(md5(r::varchar))::uuid`, 'uuid'],
  ['t', `repeat(md5(r::varchar), (hash(r) % 5)::integer) || 'é'`, 'text'],
  ['bl', `unhex(md5(r::varchar))`, 'bytea', `'\\x' || lower(hex(bl))`],
  ['j', `('{"a": ' || r || '}')::json`, 'jsonb'],
  ['l', '[r, NULL, -r]', 'jsonb', `'[' || r || ', null, ' || (-r) || ']'`],
  [
    's',
    `{'a': r, 'b': {'c': r::decimal(10,2), 'd': md5(r::varchar)}}`,
    'jsonb',
    `'{"a": ' || r || ', "b": {"c": ' || r::decimal(10,2) || ', "d": "' || md5(r::varchar) || '"}}'`,
  ],
  ['m', `map {'k' || r: r}`, 'jsonb', `'{"k' || r || '": ' || r || '}'`],
];

const rowsSql = (rows: number): string =>
  `SELECT r, ${COLUMNS.map(([name, value]) => `CASE WHEN hash(r, '${name}') % 7 = 0 THEN NULL ELSE ${value} END AS ${name}`).join(', ')} FROM range(${rows}) t(r)`;

describe('without a contract a file lands with its own types, every value as it is', () => {
  test.each([
    ['', 3_000],
    [', COMPRESSION uncompressed, PARQUET_VERSION v1', 2_500],
    [', COMPRESSION gzip, PARQUET_VERSION v2', 2_500],
    [', COMPRESSION zstd, ROW_GROUP_SIZE 2048, PARQUET_VERSION v2, DICTIONARY_SIZE_LIMIT 1', 5_000],
    [', COMPRESSION lz4_raw, ROW_GROUP_SIZE 2048', 5_000],
    [', COMPRESSION brotli', 1_000],
    ['', 1],
    ['', 0],
  ] as const)('written with%s, %i rows', async (options, rows) => {
    const file = await written(rowsSql(rows), options);
    const spec = feed();
    expect(counts(await loaded(file, spec))).toEqual({
      outcome: 'loaded',
      read: rows,
      loaded: rows,
      quarantined: 0,
      declared: rows,
    });
    const found = await table(spec);
    expect(found.types).toEqual({ r: 'bigint', ...Object.fromEntries(COLUMNS.map(([name, , type]) => [name, type])) });
    const shown = COLUMNS.map(
      ([name, , , text]) => `CASE WHEN ${name} IS NULL THEN NULL ELSE ${text ?? `${name}::varchar`} END AS ${name}`,
    );
    const truth = (
      await db.runAndReadAll(`SELECT r::varchar AS r, ${shown.join(', ')} FROM '${file}'`)
    ).getRowObjectsJson();
    const same = (row: Record<string, unknown>): unknown => ({
      ...row,
      f: row['f'] === null ? null : Number(row['f']),
      g: row['g'] === null ? null : Number(row['g']),
    });
    expect(found.rows.map(same)).toEqual(truth.map(same));
  });
});

describe('values that DuckDB itself would cut, overflow or round', () => {
  test("int96 keeps its nanoseconds, and an overflowing one is its row's fault", async () => {
    const spec = feed();
    const result = await loaded(path.join(FIXTURES, 'int96-from-spark.parquet'), spec);
    expect(counts(result)).toEqual({ outcome: 'loaded', read: 6, loaded: 5, quarantined: 1, declared: 6 });
    expect(faults(result)[0]).toMatch(/^a type-error /);
    expect((await table(spec)).rows.map((row) => row['a'])).toEqual([
      '2024-01-01 20:34:56.123456',
      '2024-01-01 01:00:00',
      '9999-12-31 03:00:00',
      '2024-12-30 23:00:00',
      null,
    ]);
  });

  test('nanoseconds of an instant are refused past microseconds, rounded when asked to, exact otherwise', async () => {
    const file = await written(
      `SELECT make_timestamp_ns(x) AS at, x FROM (VALUES (1700000000123456000), (1700000000123456789), (-1)) t(x)`,
    );
    asInstants(file);
    const strict = feed();
    const result = await loaded(file, strict);
    expect(counts(result)).toEqual({ outcome: 'rejected', read: 3, loaded: 0, quarantined: 2, declared: null });
    expect(faults(result)).toEqual(['at type-error digits past microseconds 2 2 2023-11-14 22:13:20.123456789Z']);
    const rounding = feed({ columns: [column('at', 'timestamptz', { round: true })], onUnknownColumn: 'ignore' });
    expect(counts(await loaded(file, rounding))).toMatchObject({ outcome: 'loaded', loaded: 3 });
    expect(readdirSync(bench.dir).filter((name) => name.startsWith('spool-'))).toEqual([]);
    expect((await table(rounding)).rows.map((row) => row['at'])).toEqual([
      '2023-11-14 22:13:20.123456+00',
      '2023-11-14 22:13:20.123457+00',
      '1970-01-01 00:00:00+00',
    ]);
  });
});

/** Sets isAdjustedToUTC of the file's nanosecond timestamps: DuckDB writes none, and cuts them when it reads them. */
function asInstants(file: string): void {
  const bytes = readFileSync(file);
  const at = bytes.lastIndexOf(Buffer.from([0x12, 0x1c, 0x3c, 0, 0, 0]));
  expect(at).toBeGreaterThan(0);
  bytes[at] = 0x11;
  writeFileSync(file, bytes);
}

describe('with a contract', () => {
  test('columns meet by name, struct fields by path; only what does not fit is refused, with its row as JSON', async () => {
    const file = await written(
      `SELECT * FROM (VALUES (1::bigint, {'name': 'Ada', 'born': date '1815-12-10'}, 12.50::decimal(10,2), 'x'), (5000000000, {'name': 'Bo', 'born': NULL}, 7.25, NULL), (3, NULL, 99999.99, 'z')) t("ID", who, amount, note)`,
    );
    const spec = feed({
      columns: [
        column('id', 'integer'),
        column('name', 'text', { from: ['who.name'] }),
        column('born', 'date', { from: ['who.born'] }),
        column('amount', 'numeric(6,2)', { max: '5000' }),
      ],
      onUnknownColumn: 'ignore',
      limits: { badRows: null, badRatio: 1, minRows: 0, databaseRows: 10_000 },
    });
    const result = await loaded(file, spec);
    expect(counts(result)).toEqual({ outcome: 'loaded', read: 3, loaded: 1, quarantined: 2, declared: 3 });
    expect(faults(result).sort()).toEqual([
      'amount type-error out of range for numeric(6,2) 1 3 99999.99',
      'id type-error out of range for integer 1 2 5000000000',
    ]);
    expect((await table(spec)).rows).toEqual([{ id: '1', name: 'Ada', born: '1815-12-10', amount: '12.50' }]);
    const kept = await bench.query(
      `SELECT row_number, line_number, byte_offset, convert_from(raw, 'UTF8') AS raw FROM tallyman.quarantine q JOIN tallyman.loads USING (load_id) WHERE feed = $1 ORDER BY 1`,
      [spec.name],
    );
    expect(kept.map((row) => ({ ...row, row_number: Number(row['row_number']) }))).toEqual([
      {
        row_number: 2,
        line_number: null,
        byte_offset: null,
        raw: '{"ID":5000000000,"amount":7.25,"who.name":"Bo","who.born":null}',
      },
      {
        row_number: 3,
        line_number: null,
        byte_offset: null,
        raw: '{"ID":3,"amount":99999.99,"who.name":null,"who.born":null}',
      },
    ]);
  });

  test('unknown columns are refused, added with their type, or kept as JSON', async () => {
    const file = await written(`SELECT 1 AS id, 2.50::decimal(5,2) AS fee, [1, 2] AS tags, NULL::varchar AS nothing`);
    const contract = [column('id', 'integer')];
    expect(await loaded(file, feed({ columns: contract, onUnknownColumn: 'reject' }))).toMatchObject({
      outcome: 'rejected',
      error: { code: 'UNKNOWN_COLUMNS' },
    });
    const adding = feed({ columns: contract, onUnknownColumn: 'add' });
    await loaded(file, adding);
    expect(await table(adding)).toEqual({
      types: { id: 'integer', fee: 'numeric(5,2)', tags: 'jsonb', nothing: 'text' },
      rows: [{ id: '1', fee: '2.50', tags: '[1, 2]', nothing: null }],
    });
    const rescuing = feed({ columns: contract, onUnknownColumn: 'rescue' });
    await loaded(file, rescuing);
    expect((await table(rescuing)).rows).toEqual([
      { id: '1', _rescued: '{"fee": 2.50, "tags": [1, 2], "nothing": null}' },
    ]);
  });

  test('unique, constraints of the table, and text COPY for types without a codec work as for a CSV', async () => {
    const file = await written(`SELECT r % 3 AS k, r::double / 2 AS v, '(' || r || ',1)' AS p FROM range(5) t(r)`);
    const spec = feed({
      columns: [column('k', 'bigint', { unique: true }), column('v', 'numeric(5,1)'), column('p', 'text')],
      limits: { badRows: null, badRatio: 1, minRows: 0, databaseRows: 10_000 },
    });
    await bench.query(
      `CREATE TABLE staging.${spec.target.table} (_load_id bigint NOT NULL, _row bigint NOT NULL, k bigint, v numeric(5,1) CHECK (v <> 0.5), p point)`,
    );
    const result = await loaded(file, spec);
    expect(counts(result)).toEqual({ outcome: 'loaded', read: 5, loaded: 3, quarantined: 2, declared: 5 });
    expect((await table(spec)).rows).toEqual([
      { k: '0', v: '0.0', p: '(0,1)' },
      { k: '2', v: '1.0', p: '(2,1)' },
      { k: '1', v: '2.0', p: '(4,1)' },
    ]);
    expect(
      faults(result)
        .map((text) => text.split(' ').slice(0, 2).join(' '))
        .sort(),
    ).toEqual([' database-error', 'k unique-error']);
  });

  test('a number may be a count of seconds; formats for texts do not stand in the way of dates', async () => {
    const file = await written(`SELECT 1700000000123 AS at, date '2024-02-29' AS day, 1.5::double AS x`);
    const spec = feed({
      columns: [
        column('at', 'timestamptz', { formats: ['epoch_ms'] }),
        column('day', 'date', { formats: ['%d/%m/%Y'], min: '2000-01-01' }),
        column('x', 'numeric(4,2)', { decimal: ',' }),
      ],
    });
    expect(counts(await loaded(file, spec))).toMatchObject({ outcome: 'loaded', loaded: 1 });
    expect((await table(spec)).rows).toEqual([{ at: '2023-11-14 22:13:20.123+00', day: '2024-02-29', x: '1.50' }]);
  });
});
