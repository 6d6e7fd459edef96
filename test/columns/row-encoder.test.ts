import fc from 'fast-check';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { from as copyFrom } from 'pg-copy-streams';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compileColumn, type CopyMode } from '../../src/columns/column.js';
import {
  COPY_HEADER,
  COPY_TRAILER,
  type EncoderPlan,
  RowEncoder,
  type RowSink,
} from '../../src/columns/rows/row-encoder.js';
import { pgTypeNamed } from '../../src/columns/type-name.js';
import type { CellError, SpanBatch } from '../../src/core/batch.js';
import type { CopyBuffer } from '../../src/core/codec.js';
import type { ColumnSpec } from '../../src/core/feed/columns.js';
import { createDatabase, type TestDatabase } from '../support/postgres.js';
import { absent, batchOf, columnSpec, escaped, fault, quoted, type TestCell } from './batches.js';

let db: TestDatabase;
beforeAll(async () => {
  db = await createDatabase();
  await db.client.query(`set timezone = 'UTC'`);
});
afterAll(async () => {
  await db.drop();
});

interface Options extends Partial<Omit<EncoderPlan, 'columns' | 'rescue'>> {
  readonly rescue?: { readonly cells: readonly number[]; readonly names: readonly string[] };
}

/** The plan of a file whose columns are the contract's, in order, unless `cellOf` says otherwise. */
function planOf(specs: readonly ColumnSpec[], mode: CopyMode, { rescue, ...more }: Options = {}): EncoderPlan {
  const compiled = (spec: ColumnSpec) => compileColumn(spec, pgTypeNamed(spec.type)!, 'UTC', mode);
  return {
    mode,
    loadId: 7,
    columns: specs.map(compiled),
    cellOf: specs.map((_, i) => i),
    fileColumns: specs.map(({ name }) => name),
    shortRows: 'quarantine',
    uniqueKeys: [],
    trackRows: false,
    rescue: rescue === undefined ? null : { ...rescue, column: compiled(columnSpec('_rescued', 'jsonb')) },
    ...more,
  };
}

class Sink implements RowSink {
  readonly refused: { row: number; errors: readonly CellError[] }[] = [];
  readonly keys: { key: number; row: number; bytes: string }[] = [];
  bad(row: number, errors: readonly CellError[]): void {
    this.refused.push({ row, errors });
  }
  key(key: number, row: number, bytes: Buffer, start: number, end: number): void {
    this.keys.push({ key, row, bytes: bytes.toString('hex', start, end) });
  }
}

function encodeAll(
  plan: EncoderPlan,
  ...batches: readonly SpanBatch[]
): { readonly sink: Sink; readonly accepted: number; readonly data: Buffer } {
  const encoder = new RowEncoder(plan);
  const sink = new Sink();
  const out: CopyBuffer = { buf: Buffer.alloc(8), pos: 0 };
  let accepted = 0;
  for (const batch of batches) accepted += encoder.encode(batch, 0, batch.rows, out, sink);
  return { sink, accepted, data: out.buf.subarray(0, out.pos) };
}

/** The refusals as `row class column rule`. */
const told = (sink: Sink): string[] =>
  sink.refused.flatMap(({ row, errors }) =>
    errors.map((e) => [row, e.class, e.column, e.rule].filter((part) => part !== null).join(' ')),
  );

/** COPYs what the encoder wrote into a real table, and returns its rows as text. */
async function stored(plan: EncoderPlan, data: Buffer): Promise<(string | null)[][]> {
  const columns = plan.columns.map(({ name, spec }) => `"${name}" ${spec.type}`);
  if (plan.rescue !== null) columns.push('_rescued jsonb');
  await db.client.query(
    `drop table if exists staged; create table staged (_load_id bigint not null, _row bigint not null, ${columns.join(', ')})`,
  );
  const sql = `copy staged from stdin${plan.mode === 'binary' ? ' (format binary)' : ''}`;
  const bytes = plan.mode === 'binary' ? Buffer.concat([COPY_HEADER, data, COPY_TRAILER]) : data;
  await pipeline(Readable.from([bytes]), db.client.query(copyFrom(sql)));
  const { rows } = await db.client.query<{ r: string }>(
    `select array_to_json(array(select value from json_each_text(row_to_json(staged)))) as r from staged order by _row`,
  );
  return rows.map((row) => row.r as unknown as (string | null)[]);
}

const specs = [
  columnSpec('id', 'bigint'),
  columnSpec('name', 'text'),
  columnSpec('amount', 'numeric(10,2)'),
  columnSpec('day', 'date'),
];

describe.each(['binary', 'text'] as const)('rows in %s mode', (mode) => {
  /** Rows that all are accepted, as PostgreSQL holds them, without `_load_id` and `_row`. */
  const asStored = async (plan: EncoderPlan, batch: SpanBatch): Promise<(string | null)[][]> => {
    const { sink, data } = encodeAll(plan, batch);
    expect(told(sink)).toEqual([]);
    return (await stored(plan, data)).map((row) => row.slice(2));
  };

  test('arrive in PostgreSQL with their load and their number', async () => {
    const plan = planOf(specs, mode);
    const { accepted, data } = encodeAll(
      plan,
      batchOf([
        ['1', 'Ada', '1.50', '2024-02-29'],
        ['2', 'tab\tback\\slash', '-3', '0001-01-01'],
      ]),
      batchOf([['3', 'Zoë', '0.1', '9999-12-31']], { firstRow: 3 }),
    );
    expect(accepted).toBe(3);
    expect(await stored(plan, data)).toEqual([
      ['7', '1', '1', 'Ada', '1.50', '2024-02-29'],
      ['7', '2', '2', 'tab\tback\\slash', '-3.00', '0001-01-01'],
      ['7', '3', '3', 'Zoë', '0.10', '9999-12-31'],
    ]);
  });

  test('have numbers and load ids past 32 bits', async () => {
    const plan = planOf([columnSpec('id', 'integer')], mode, { loadId: 9_007_199_254_740_991 });
    const { data } = encodeAll(plan, batchOf([['1'], ['2']], { firstRow: 4_294_967_295 }));
    expect(await stored(plan, data)).toEqual([
      ['9007199254740991', '4294967295', '1'],
      ['9007199254740991', '4294967296', '2'],
    ]);
  });

  test('keep NULL, blank and the empty text apart', async () => {
    const plan = planOf([columnSpec('n', 'integer'), columnSpec('t', 'text')], mode);
    expect(
      await asStored(
        plan,
        batchOf([
          [null, null],
          ['', quoted('')],
          [' ', '\\N'],
          [quoted(''), ' '],
        ]),
      ),
    ).toEqual([
      [null, null],
      [null, ''],
      [null, '\\N'],
      [null, ' '],
    ]);
  });

  test('get the default where the cell is NULL, blank or not in the file', async () => {
    const plan = planOf(
      [
        columnSpec('n', 'integer', { default: '0' }),
        columnSpec('d', 'date', { default: '1970-01-01', required: true }),
        columnSpec('t', 'text', { default: 'none' }),
      ],
      mode,
      { cellOf: [0, -1, 1], fileColumns: ['n', 't'] },
    );
    expect(
      await asStored(
        plan,
        batchOf([
          [' ', null],
          ['5', 'x'],
        ]),
      ),
    ).toEqual([
      ['0', '1970-01-01', 'none'],
      ['5', '1970-01-01', 'x'],
    ]);
  });

  test('take their cells from wherever they stand in the file, twice if asked', async () => {
    const plan = planOf(
      [columnSpec('b', 'text'), columnSpec('a', 'integer'), columnSpec('b2', 'text'), columnSpec('gone', 'text')],
      mode,
      { cellOf: [2, 0, 2, -1], fileColumns: ['a', 'unused', 'b'] },
    );
    expect(await asStored(plan, batchOf([['1', 'skip', 'x'.repeat(300)]]))).toEqual([
      ['x'.repeat(300), '1', 'x'.repeat(300), null],
    ]);
  });

  test('have their escapes resolved before they are read', async () => {
    const plan = planOf([columnSpec('t', 'text'), columnSpec('j', 'jsonb'), columnSpec('n', 'integer')], mode);
    expect(await asStored(plan, batchOf([[escaped('say ""hi""'), escaped('{""a"": ""b""}'), escaped('42')]]))).toEqual([
      ['say "hi"', '{"a": "b"}', '42'],
    ]);
  });

  test('wider than the buffer make it grow', async () => {
    const long = 'é\\'.repeat(200_000);
    const plan = planOf([columnSpec('t', 'text'), columnSpec('u', 'text')], mode);
    const rows = await asStored(
      plan,
      batchOf([
        [long, 'short'],
        [escaped(`""${long}""`), 'x'],
      ]),
    );
    expect(rows).toEqual([
      [long, 'short'],
      [`"${long}"`, 'x'],
    ]);
  });

  test('with a fault are told with all their faults, and leave nothing behind', async () => {
    const plan = planOf(
      [
        columnSpec('id', 'integer', { required: true }),
        columnSpec('n', 'integer', { min: '0' }),
        columnSpec('d', 'date'),
        columnSpec('t', 'text'),
      ],
      mode,
    );
    const batch = batchOf([
      ['1', '1', '2024-01-01', 'good'],
      ['x', '-1', '2023-02-29', 'bad three times'],
      [null, '1', '2024-01-01', 'no id'],
      ['2', '2', '2024-01-02', 'good'],
    ]);
    const { sink, accepted, data } = encodeAll(plan, batch);
    expect(accepted).toBe(2);
    expect(sink.refused).toEqual([
      {
        row: 1,
        errors: [
          { column: 'id', class: 'type-error', rule: null, message: 'not an integer', value: 'x' },
          { column: 'n', class: 'constraint-error', rule: 'min', message: 'less than 0', value: '-1' },
          { column: 'd', class: 'type-error', rule: null, message: 'no such day in the calendar', value: '2023-02-29' },
        ],
      },
      {
        row: 2,
        errors: [
          { column: 'id', class: 'constraint-error', rule: 'required', message: 'empty, but required', value: null },
        ],
      },
    ]);
    expect((await stored(plan, data)).map((row) => row[1])).toEqual(['1', '4']);
  });

  test('that are short are refused with the first missing column, and with what is wrong before it', () => {
    const plan = planOf(specs, mode, { cellOf: [0, 3, 2, 4], fileColumns: ['id', 'note', 'amount', 'name', 'day'] });
    const { sink } = encodeAll(plan, batchOf([['1'], ['x', 'n', '1'], ['1', 'n', '1', 'Ada', '2024-01-01']]));
    expect(told(sink)).toEqual(['0 missing-cell amount', '1 missing-cell name', '1 type-error id']);
  });

  test('that are short only of a column that the contract does not take are refused by its name in the file', () => {
    const plan = planOf([columnSpec('id', 'integer')], mode, { fileColumns: ['id', 'note'] });
    expect(told(encodeAll(plan, batchOf([['1']], { width: 2 })).sink)).toEqual(['0 missing-cell note']);
  });

  test('that are short are filled with NULL where the feed says so, required columns apart', async () => {
    const plan = planOf([columnSpec('id', 'integer'), columnSpec('a', 'text'), columnSpec('b', 'integer')], mode, {
      shortRows: 'fill_null',
    });
    expect(await asStored(plan, batchOf([['1'], ['2', 'x']], { width: 3 }))).toEqual([
      ['1', null, null],
      ['2', 'x', null],
    ]);
    const strict = planOf([columnSpec('id', 'integer'), columnSpec('a', 'text', { required: true })], mode, {
      shortRows: 'fill_null',
    });
    expect(told(encodeAll(strict, batchOf([['1']], { width: 2 })).sink)).toEqual(['0 constraint-error a required']);
  });

  test('with more cells than the file has columns are refused, with what else is wrong', () => {
    const plan = planOf([columnSpec('id', 'integer')], mode);
    const { sink } = encodeAll(
      plan,
      batchOf(
        [
          ['1', 'surplus'],
          ['x', 'surplus'],
        ],
        { width: 1 },
      ),
    );
    expect(told(sink)).toEqual(['0 extra-cell', '1 extra-cell', '1 type-error id']);
  });

  test('without a required key (JSON) miss a cell; without an optional one it is NULL', async () => {
    const plan = planOf([columnSpec('id', 'integer', { required: true }), columnSpec('t', 'text')], mode);
    expect(told(encodeAll(plan, batchOf([[absent, 'x']])).sink)).toEqual(['0 missing-cell id']);
    expect(await asStored(plan, batchOf([['1', absent]]))).toEqual([['1', null]]);
  });

  test('that the parser refused are passed on as they are', async () => {
    const plan = planOf([columnSpec('id', 'integer')], mode);
    const faults = [fault(1, 'quote-error', 'text after a closing quote'), fault(3, 'too-long', 'past max_record')];
    const { sink, accepted, data } = encodeAll(plan, batchOf([['1'], ['"2"x'], ['3'], ['9']], { faults }));
    expect(accepted).toBe(2);
    expect(sink.refused.map(({ row, errors }) => [row, errors])).toEqual([
      [1, [{ column: null, class: 'quote-error', rule: null, message: 'text after a closing quote', value: null }]],
      [3, [{ column: null, class: 'too-long', rule: null, message: 'past max_record', value: null }]],
    ]);
    expect((await stored(plan, data)).map((row) => row[1])).toEqual(['1', '3']);
  });

  test('that are not UTF-8, or hold NUL, are refused by the cell that does, and their neighbours are not', async () => {
    const plan = planOf([columnSpec('id', 'integer'), columnSpec('t', 'text')], mode, {
      fileColumns: ['id', 't', 'note'],
    });
    const latin1 = Buffer.from('Caf\xe9', 'latin1');
    const batch = batchOf(
      [
        ['1', 'Café', 'n'],
        ['2', latin1, 'n'],
        ['x', Buffer.from('a\0b'), 'n'],
        ['4', 'fine', latin1],
        ['5', 'fine', 'n', latin1],
        ['6', 'fine', 'n'],
      ],
      { clean: false, width: 3 },
    );
    const { sink, data } = encodeAll(plan, batch);
    expect(told(sink)).toEqual([
      '1 encoding-error t',
      '2 encoding-error t',
      '2 type-error id',
      '3 encoding-error note',
      '4 extra-cell',
      '4 encoding-error',
    ]);
    expect(sink.refused[0]?.errors[0]?.value).toBe('Caf\\xE9');
    expect(sink.refused[1]?.errors[0]?.value).toBe('a\\x00b');
    expect((await stored(plan, data)).map((row) => row[3])).toEqual(['Café', 'fine']);
  });

  test('with an escape that stands for NUL are refused', () => {
    const plan = planOf([columnSpec('t', 'text')], mode);
    const { sink } = encodeAll(plan, batchOf([[escaped('a\\u0000')]], { unescape: () => Buffer.from('a\0') }));
    expect(sink.refused).toEqual([
      { row: 0, errors: [{ column: 't', class: 'encoding-error', rule: null, message: 'holds NUL', value: 'a\\x00' }] },
    ]);
  });

  test('keep unknown cells as one JSON object where the feed rescues them', async () => {
    const plan = planOf([columnSpec('id', 'integer')], mode, {
      fileColumns: ['id', 'a "b"', 'c'],
      rescue: { cells: [1, 2], names: ['a "b"', 'c'] },
    });
    const rows = await asStored(
      plan,
      batchOf([
        ['1', 'x\ty', null],
        ['2', null, null],
        ['3', escaped('""\\\u0001é'), quoted('')],
        ['4', 'plain', ' 7 '],
      ]),
    );
    expect(rows.map(([id, rescued]): unknown[] => [id, JSON.parse(rescued ?? 'null')])).toEqual([
      ['1', { 'a "b"': 'x\ty', c: null }],
      ['2', null],
      ['3', { 'a "b"': '"\\\u0001é', c: '' }],
      ['4', { 'a "b"': 'plain', c: ' 7 ' }],
    ]);
  });

  test('tell their unique keys by value: 1.0 is 1.00, NULL is no key, refused rows take none', () => {
    const columns = [columnSpec('skip', 'text'), columnSpec('n', 'numeric'), columnSpec('t', 'text', { trim: true })];
    const plan = planOf(columns, mode, { uniqueKeys: [[1], [2, 1]] });
    const { sink } = encodeAll(
      plan,
      batchOf([
        ['s', '1.0', 'a'],
        ['ss', '1.00', ' a '],
        ['s', null, 'a'],
        ['s', 'bad', 'a'],
        ['s', '2', 'a'],
        ['s', ' ', 'b'],
      ]),
    );
    const keysOf = (key: number) => sink.keys.filter((k) => k.key === key);
    expect(keysOf(0).map(({ row }) => row)).toEqual([0, 1, 4]);
    expect(keysOf(1).map(({ row }) => row)).toEqual([0, 1, 4]);
    for (const key of [0, 1]) {
      const [first, second, third] = keysOf(key).map(({ bytes }) => bytes);
      expect(first).toBe(second);
      expect(first).not.toBe(third);
    }
  });

  test('of keys over several columns do not run into one another', () => {
    const plan = planOf([columnSpec('a', 'text'), columnSpec('b', 'text')], mode, { uniqueKeys: [[0, 1]] });
    const { sink } = encodeAll(
      plan,
      batchOf([
        ['ab', 'c'],
        ['a', 'bc'],
        ['abc', quoted('')],
      ]),
    );
    expect(new Set(sink.keys.map(({ bytes }) => bytes)).size).toBe(3);
  });

  test('a default counts as a value of a unique key', () => {
    const plan = planOf([columnSpec('n', 'integer', { default: '5' })], mode, { uniqueKeys: [[0]] });
    const { sink } = encodeAll(plan, batchOf([[null], ['5'], ['6']]));
    expect(sink.keys[0]?.bytes).toBe(sink.keys[1]?.bytes);
    expect(sink.keys[2]?.bytes).not.toBe(sink.keys[1]?.bytes);
  });

  test('are the same whether a batch is encoded at once or stops at every flush', () => {
    const rows = Array.from({ length: 50 }, (_, i): TestCell[] => [String(i), i % 7 === 0 ? 'bad' : String(i)]);
    const batch = batchOf(rows, { faults: [fault(3, 'quote-error', 'x'), fault(30, 'quote-error', 'y')] });
    const plan = planOf([columnSpec('a', 'text'), columnSpec('b', 'integer')], mode, { trackRows: true });
    const whole = encodeAll(plan, batch);
    const encoder = new RowEncoder(plan);
    const sink = new Sink();
    const parts: Buffer[] = [];
    const tracked: number[] = [];
    let accepted = 0;
    for (let from = 0; from < batch.rows; from = encoder.nextRow) {
      const out: CopyBuffer = { buf: Buffer.alloc(100), pos: 10 };
      accepted += encoder.encode(batch, from, batch.rows, out, sink, 100);
      expect(
        Array.from(encoder.trackedStarts.subarray(0, encoder.tracked)).every(
          (at, i) => at >= 10 && (i === 0 ? at === 10 : at < out.pos),
        ),
      ).toBe(true);
      tracked.push(...encoder.trackedRows.subarray(0, encoder.tracked));
      parts.push(out.buf.subarray(10, out.pos));
    }
    expect(parts.length).toBeGreaterThan(3);
    expect(accepted).toBe(whole.accepted);
    expect(Buffer.concat(parts).equals(whole.data)).toBe(true);
    expect(sink.refused).toEqual(whole.sink.refused);
    const refused = new Set(sink.refused.map(({ row }) => row));
    expect(tracked).toEqual(rows.map((_, i) => i).filter((i) => !refused.has(i)));
  });
});

test('any cells give what PostgreSQL makes of them, in both modes alike', async () => {
  const cell = fc.oneof(
    fc.constant(null),
    fc.string({ unit: 'grapheme', maxLength: 12 }).filter((s) => !s.includes('\0')),
    fc.integer().map(String),
    fc.constantFrom('', '\\N', '\\.', '\\', '\t', '"', '\r\n', '1.10', '2024-02-29', ' 5 '),
  );
  const rows = fc.sample(fc.array(cell, { minLength: 3, maxLength: 3 }), { numRuns: 400, seed: 5 });
  const contract = [columnSpec('a', 'text'), columnSpec('n', 'numeric'), columnSpec('c', 'varchar(8)')];
  const [binary, text] = (['binary', 'text'] as const).map((mode) => {
    const plan = planOf(contract, mode);
    return { plan, ...encodeAll(plan, batchOf(rows)) };
  });
  expect(binary!.sink.refused).toEqual(text!.sink.refused);
  const first = await stored(binary!.plan, binary!.data);
  expect(first.length).toBe(binary!.accepted);
  expect(first.length).toBeGreaterThan(50);
  expect(await stored(text!.plan, text!.data)).toEqual(first);
  expect(first.map((row) => row[2])).toEqual(first.map((row) => rows[Number(row[1]) - 1]![0]));
});
