import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FeedSpec } from '../../../src/core/feed/feed.js';
import type { LoadResult } from '../../../src/core/load.js';
import { DECODERS, FORMATS } from '../../../src/registry.js';
import { column, feedOf, openBench, type Bench } from '../../load/support.js';
import { deflated, fileOf, record } from './helpers.js';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(async () => {
  await bench.close();
});

let count = 0;
async function take(
  bytes: Buffer,
  change: Partial<FeedSpec> = {},
): Promise<{ readonly result: LoadResult; readonly rows: readonly Record<string, unknown>[] }> {
  const table = `t${++count}`;
  const feed = feedOf({
    name: table,
    format: { type: 'avro', options: {} },
    columns: null,
    onUnknownColumn: 'add',
    onMissingColumn: 'fill_null',
    target: { ...feedOf().target, table },
    ...change,
  });
  const result = await bench.load(bench.job(bench.put(`${table}.avro`, bytes), feed), {
    formats: FORMATS,
    decoders: DECODERS,
  });
  const exists = await bench.query('select to_regclass($1) is not null as there', [`staging.${table}`]);
  const rows =
    exists[0]?.['there'] === true
      ? await bench.query(`select to_jsonb(t) - '_load_id' as row from staging.${table} t order by _row`)
      : [];
  return { result, rows: rows.map(({ row }) => row as Record<string, unknown>) };
}

const typesOf = async (table: string): Promise<Record<string, unknown>> =>
  Object.fromEntries(
    (
      await bench.query(
        `select attname, format_type(atttypid, atttypmod) as type from pg_attribute where attrelid = $1::regclass and attnum > 2`,
        [table],
      )
    ).map(({ attname, type }) => [String(attname), type]),
  );

describe('an Avro file', () => {
  test('without a contract lands with its own types, no digit lost', async () => {
    const schema = record(
      ['id', 'long'],
      ['amount', { type: 'bytes', logicalType: 'decimal', precision: 20, scale: 4 }],
      ['day', { type: 'int', logicalType: 'date' }],
      ['at', { type: 'long', logicalType: 'timestamp-micros' }],
      ['local', { type: 'long', logicalType: 'local-timestamp-micros' }],
      ['clock', { type: 'int', logicalType: 'time-millis' }],
      ['key', { type: 'string', logicalType: 'uuid' }],
      ['raw', 'bytes'],
      ['ok', 'boolean'],
      ['f', 'float'],
      ['d', 'double'],
      ['name', ['null', 'string']],
      ['tags', { type: 'array', items: 'string' }],
      ['any', ['int', 'string']],
      ['kind', { type: 'enum', name: 'K', symbols: ['NEW', 'OLD'] }],
    );
    const one = {
      id: 9007199254740993n,
      amount: Buffer.from(123456789012343253n.toString(16).padStart(16, '0'), 'hex'),
      day: 20777,
      at: 1795176930123456n,
      local: -1n,
      clock: 1,
      key: '6ba7b810-9dad-11d1-80b4-00c04fd430c8',
      raw: Buffer.from([0, 255]),
      ok: true,
      f: 0.1,
      d: 0.1,
      name: { string: 'é"\\' },
      tags: ['a', 'b"'],
      any: { string: 'x' },
      kind: 'OLD',
    };
    const { result, rows } = await take(
      fileOf(schema, [one, { ...one, id: -1n, name: null, any: { int: 5 } }], deflated),
    );
    expect(result).toMatchObject({
      outcome: 'loaded',
      rows: { read: 2, loaded: 2, quarantined: 0, delta: 0 },
      dialect: { format: 'avro', codec: 'deflate', record: 'R' },
    });
    expect(await typesOf('staging.t1')).toEqual({
      id: 'bigint',
      amount: 'numeric(20,4)',
      day: 'date',
      at: 'timestamp with time zone',
      local: 'timestamp without time zone',
      clock: 'time without time zone',
      key: 'uuid',
      raw: 'bytea',
      ok: 'boolean',
      f: 'real',
      d: 'double precision',
      name: 'text',
      tags: 'jsonb',
      any: 'jsonb',
      kind: 'text',
    });
    const [text] = await bench.query(
      `select id::text, amount::text, day::text, (at at time zone 'UTC')::text as at, local::text, clock::text, key::text, raw::text, f::text, d::text from staging.t1 where id > 0`,
    );
    expect(text).toEqual({
      id: '9007199254740993',
      amount: '12345678901234.3253',
      day: '2026-11-20',
      at: '2026-11-20 12:15:30.123456',
      local: '1969-12-31 23:59:59.999999',
      clock: '00:00:00.001',
      key: one.key,
      raw: '\\x00ff',
      f: '0.1',
      d: '0.1',
    });
    expect(rows.map((row) => [row['name'], row['tags'], row['any'], row['kind'], row['ok']])).toEqual([
      ['é"\\', ['a', 'b"'], 'x', 'OLD', true],
      [null, ['a', 'b"'], 5, 'OLD', true],
    ]);
  });

  test('under a contract is held to the same rules as text, refused rows kept as JSON', async () => {
    const schema = record(['id', 'int'], ['s', ['null', 'string']], ['n', 'long']);
    const values = [
      { id: 1, s: { string: 'ok' }, n: 5n },
      { id: 2, s: { string: 'too long' }, n: 5n },
      { id: 3, s: null, n: 5n },
      { id: 4, s: { string: 'nul\0' }, n: 5n },
      { id: 5, s: { string: 'ok' }, n: 40_000n },
      { id: 1, s: { string: 'ok' }, n: 1n },
    ];
    const contract = [
      column('id', 'integer', { unique: true }),
      column('s', 'text', { required: true, maxLength: 4 }),
      column('n', 'smallint', { max: '30000' }),
    ];
    const { result, rows } = await take(fileOf(schema, values), {
      columns: contract,
      onUnknownColumn: 'reject',
      limits: { ...feedOf().limits, badRatio: 1 },
    });
    expect(result).toMatchObject({ outcome: 'loaded', rows: { read: 6, loaded: 1, quarantined: 5, delta: 0 } });
    expect(rows).toEqual([{ _row: 1, id: 1, s: 'ok', n: 5 }]);
    const refused = await bench.query(
      `select row_number::int as row, convert_from(raw, 'utf8') as raw, errors -> 0 ->> 'class' as class from tallyman.quarantine q join tallyman.loads l using (load_id) where feed = $1 order by 1`,
      [`t${count}`],
    );
    expect(refused).toEqual([
      { row: 2, raw: '{"id":2,"s":"too long","n":5}', class: 'constraint-error' },
      { row: 3, raw: '{"id":3,"s":null,"n":5}', class: 'constraint-error' },
      { row: 4, raw: '{"id":4,"s":"nul\\u0000","n":5}', class: 'encoding-error' },
      { row: 5, raw: '{"id":5,"s":"ok","n":40000}', class: 'type-error' },
      { row: 6, raw: '{"id":1,"s":"ok","n":1}', class: 'unique-error' },
    ]);
  });

  test('in gzip is read too', async () => {
    const { result } = await take(gzipSync(fileOf(record(['id', 'int']), [{ id: 1 }, { id: 2 }])));
    expect(result).toMatchObject({ outcome: 'loaded', rows: { loaded: 2 } });
  });

  test('that is cut off in its last block leaves nothing', async () => {
    const { result, rows } = await take(
      fileOf(
        record(['id', 'int']),
        Array.from({ length: 5000 }, (_, id) => ({ id })),
      ).subarray(0, -1),
    );
    expect([result, rows]).toMatchObject([{ outcome: 'rejected', error: { code: 'FILE_CORRUPT' } }, []]);
  });

  test('of 0 bytes is EMPTY_NOT_ALLOWED, a CSV under its name FORMAT_MISMATCH', async () => {
    expect((await take(Buffer.alloc(0))).result).toMatchObject({
      outcome: 'rejected',
      error: { code: 'EMPTY_NOT_ALLOWED' },
    });
    expect((await take(Buffer.from('id\n1\n'))).result).toMatchObject({
      outcome: 'rejected',
      error: { code: 'FORMAT_MISMATCH' },
    });
  });

  test('with more columns later: on_unknown_column add takes them in', async () => {
    const first = await take(fileOf(record(['id', 'int']), [{ id: 1 }]));
    const table = `t${count}`;
    const feed = feedOf({
      name: table,
      format: { type: 'avro', options: {} },
      columns: null,
      onUnknownColumn: 'add',
      onMissingColumn: 'fill_null',
      target: { ...feedOf().target, table },
    });
    const second = await bench.load(
      bench.job(
        bench.put('more.avro', fileOf(record(['id', 'int'], ['more', 'double']), [{ id: 2, more: 0.5 }])),
        feed,
      ),
      { formats: FORMATS, decoders: DECODERS },
    );
    expect([first.result.outcome, second.outcome]).toEqual(['loaded', 'loaded']);
    expect(await typesOf(`staging.${table}`)).toEqual({ id: 'integer', more: 'double precision' });
  });
});
