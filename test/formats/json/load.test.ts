import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { workspace, type Workspace } from '../../support/cli.js';
import { createDatabase, type TestDatabase } from '../../support/postgres.js';

/** JSON feeds through the real CLI into a real PostgreSQL. */
let db: TestDatabase;
let ws: Workspace;
let first: Awaited<ReturnType<Workspace['once']>>;

const nested = (levels: number): string => '{"a":'.repeat(levels) + '1' + '}'.repeat(levels);

const ORDERS = [
  '{"id":1,"customer":{"name":"Ann","emails":["a@x.example"]},"amount":"12.50","paid":true,"at":"2026-11-20T06:00:00Z","lines":[{"sku":"A","n":1}],"zip":"00501"}',
  '{"at":"2026-11-20T07:00:00+01:00","amount":123456789012345678901234567890.12,"id":2,"customer":{"name":"J\\u00fcrgen \\ud83d\\ude00"},"paid":"no","extra":1}',
  '{"id":3,"customer":{},"amount":"","paid":null,"at":"","lines":[]}',
  '{"id":"4","customer":{"name":"x"},"amount":1e400}',
  '{"customer":{"name":"no id"}}',
  '{"id":null}',
  '{"id":6,"customer":{"name":"nul \\u0000"}}',
  '{"id":7,"customer":{"name":"half \\ud800"}}',
  '{"id":8,"lines":{"s":"\\ud800"}}',
  '{"id":9,',
  `{"id":10,"lines":${nested(10_000)}}`,
  '{"id":1.5}',
  '{"id":12,"id":13}',
].join('\n');

beforeAll(async () => {
  db = await createDatabase();
  const source = { pattern: '*' };
  const format = { type: 'json' };
  ws = workspace(db.url, {
    orders: {
      source,
      format,
      columns: [
        { name: 'id', type: 'integer', required: true },
        { name: 'customer', type: 'text', from: 'customer.name' },
        { name: 'email', type: 'text', from: 'customer.emails[0]' },
        { name: 'amount', type: 'numeric' },
        { name: 'paid', type: 'boolean' },
        { name: 'at', type: 'timestamptz' },
        { name: 'lines', type: 'jsonb' },
        { name: 'zip', type: 'varchar(5)' },
      ],
      limits: { bad_ratio: 1 },
    },
    raw: { source, format },
    deep: {
      source,
      format,
      columns: [
        { name: 'a', type: 'jsonb' },
        { name: 'ab', from: 'a.b', type: 'jsonb' },
        { name: 'abc', from: 'a.b.c', type: 'text' },
      ],
    },
    rescued: { source, format, columns: [{ name: 'id', type: 'bigint' }], on_unknown_column: 'rescue' },
    strict: { source, format, columns: [{ name: 'id', type: 'bigint' }], on_unknown_column: 'reject' },
    rooted: { source, format: { ...format, root: 'data' }, columns: [{ name: 'id', type: 'bigint', unique: true }] },
  });
  const put = (feed: string, name: string, text: string): void => {
    mkdirSync(path.join(ws.dir, 'drop', feed), { recursive: true });
    writeFileSync(path.join(ws.dir, 'drop', feed, name), text);
  };
  put('orders', 'o.ndjson', ORDERS);
  put('orders', 'empty.ndjson', '');
  put('orders', 'cut.json', '[{"id":100},\n{"id":101},\n{"id":1');
  put('raw', 'r.json', '[{"b":1, "a":[1e2]}, {"n":123456789012345678901234567890}, 7]');
  put('raw', 'again.ndjson', '{"b":2}\n');
  put('deep', 'd.json', `{"a":{"b":{"c":"${'x'.repeat(2_000_000)}"}}}`);
  put(
    'rescued',
    'x.ndjson',
    '{"id":1,"x":"\\u00e9","y":{"z":1}}\n{"id":2}\n{"id":3,"y":null,"late":12345678901234567890}',
  );
  put('strict', 'x.ndjson', '{"id":1}\n{"id":2,"what":3}');
  put('rooted', 'x.json', '{"n":1,"data":[{"id":1},{"id":2},{"id":1}]}');
  first = await ws.once();
});

afterAll(async () => {
  await db.drop();
  ws.remove();
});

const reportOf = (feed: string, name: string): (typeof first.reports)[number] =>
  first.reports.find((one) => one.feed === feed && one.path === name)!;
const rows = async (sql: string): Promise<unknown[]> => (await db.client.query<Record<string, unknown>>(sql)).rows;

describe('a feed of lines', () => {
  test('loads the good rows by value, and keeps each bad one with its reason', async () => {
    expect(
      await rows('select id, customer, email, amount::text, paid, at, lines, zip from staging.orders order by id'),
    ).toEqual([
      {
        id: 1,
        customer: 'Ann',
        email: 'a@x.example',
        amount: '12.50',
        paid: true,
        at: new Date('2026-11-20T06:00:00Z'),
        lines: [{ n: 1, sku: 'A' }],
        zip: '00501',
      },
      {
        id: 2,
        customer: 'Jürgen 😀',
        email: null,
        amount: '123456789012345678901234567890.12',
        paid: false,
        at: new Date('2026-11-20T06:00:00Z'),
        lines: null,
        zip: null,
      },
      { id: 3, customer: null, email: null, amount: null, paid: null, at: null, lines: [], zip: null },
      {
        id: 4,
        customer: 'x',
        email: null,
        amount: `1${'0'.repeat(400)}`,
        paid: null,
        at: null,
        lines: null,
        zip: null,
      },
      { id: 13, customer: null, email: null, amount: null, paid: null, at: null, lines: null, zip: null },
    ]);
    expect(reportOf('orders', 'o.ndjson')).toMatchObject({
      state: 'loaded',
      rows: { read: 13, loaded: 5, quarantined: 8, delta: 0 },
    });
    const bad = await rows(
      `select row_number::int as row, e->>'class' as class, e->>'column' as column, e->>'message' as message from tallyman.quarantine q, jsonb_array_elements(errors) e join tallyman.loads l on true where q.load_id = l.load_id and l.path = 'o.ndjson' order by row_number`,
    );
    expect(bad).toEqual([
      { row: 5, class: 'missing-cell', column: 'id', message: 'the record has no such value' },
      { row: 6, class: 'constraint-error', column: 'id', message: 'empty, but required' },
      { row: 7, class: 'encoding-error', column: 'customer', message: 'holds NUL' },
      { row: 8, class: 'json-error', column: 'customer', message: 'half a surrogate pair' },
      {
        row: 9,
        class: 'type-error',
        column: 'lines',
        message: 'JSON with half a surrogate pair, which jsonb cannot hold',
      },
      { row: 10, class: 'json-error', column: null, message: 'the line ends within the record' },
      { row: 11, class: 'json-error', column: null, message: 'nested deeper than 1000 levels' },
      { row: 12, class: 'type-error', column: 'id', message: 'not a whole number: integer has no decimals' },
    ]);
  });

  test('tells unknown and repeated keys as drift', async () => {
    const shown = (await ws.json('files', 'show', String(reportOf('orders', 'o.ndjson').file_id))) as {
      drift: { kind: string; column: string; message: string }[];
    };
    expect(shown.drift).toEqual([
      { kind: 'ignored', column: 'extra', message: 'not in the contract: ignored' },
      { kind: 'retyped', column: 'amount', message: 'a string in the file, numeric in the contract' },
      { kind: 'ignored', column: 'id', message: 'stands more than once in 1 record: the last value counts' },
    ]);
  });

  test('exports its refused lines as they came', async () => {
    const { stdout, code } = await ws.run(
      'quarantine',
      'export',
      String(reportOf('orders', 'o.ndjson').file_id),
      '--format',
      'jsonl',
    );
    expect(code).toBe(0);
    expect(stdout).toContain(JSON.stringify('{"id":9,').slice(1, -1));
    const csv = await ws.run('quarantine', 'export', String(reportOf('orders', 'o.ndjson').file_id));
    expect(csv.stdout).toContain('"{""id"":9,"');
  });

  test('takes an empty file', () => {
    expect(reportOf('orders', 'empty.ndjson')).toMatchObject({ state: 'loaded', rows: { read: 0 } });
  });

  test('rejects a truncated array with the byte offset and the records read so far, and loads nothing of it', () => {
    expect(reportOf('orders', 'cut.json')).toMatchObject({
      state: 'rejected',
      rows: { read: 2, loaded: 0, quarantined: 0, delta: null },
      error: { code: 'FILE_CORRUPT', message: 'Byte 32 (line 3): the file ends within the record.' },
    });
  });
});

test('without a contract each record is one data jsonb, whose numbers keep their digits', async () => {
  expect(await rows('select data::text from staging.raw order by data::text collate "C"')).toEqual([
    { data: '{"a": [100], "b": 1}' },
    { data: '{"b": 2}' },
    { data: '{"n": 123456789012345678901234567890}' },
  ]);
  expect(reportOf('raw', 'r.json')).toMatchObject({
    state: 'loaded',
    rows: { read: 3, loaded: 2, quarantined: 1 },
    errors: [{ class: 'json-error', message: 'not an object' }],
  });
});

test('columns that overlap have room, whatever the length', async () => {
  expect(
    await rows('select length(a::text) as a, length(ab::text) as ab, length(abc) as abc from staging.deep'),
  ).toEqual([{ a: 2_000_016, ab: 2_000_009, abc: 2_000_000 }]);
});

test('rescue keeps keys that the contract does not know, in each record its own', async () => {
  expect(await rows('select id::int, _rescued::text as kept from staging.rescued order by id')).toEqual([
    { id: 1, kept: '{"x": "é", "y": {"z": 1}}' },
    { id: 2, kept: null },
    { id: 3, kept: '{"y": null, "late": 12345678901234567890}' },
  ]);
});

test('reject rejects a file with a key that the contract does not know', () => {
  expect(reportOf('strict', 'x.ndjson')).toMatchObject({ state: 'rejected', error: { code: 'UNKNOWN_COLUMNS' } });
});

test('root and unique', async () => {
  expect(reportOf('rooted', 'x.json')).toMatchObject({
    state: 'loaded',
    rows: { read: 3, loaded: 2, quarantined: 1 },
    errors: [{ class: 'unique-error', first_row: 3 }],
  });
  expect(await rows('select id::int from staging.rooted order by 1')).toEqual([{ id: 1 }, { id: 2 }]);
});
