import { describe, expect, test } from 'vitest';
import type { ColumnSpec } from '../../src/core/feed/columns.js';
import { fullFeed, onlyFeed, parse, placesOf, problemsOf } from './support.js';

const columns = (...items: readonly string[]): string =>
  fullFeed(`columns:\n${items.map((item) => `  - { ${item} }`).join('\n')}`);
const column = (item: string): ColumnSpec => {
  const found = onlyFeed(parse(columns(item))).columns?.[0];
  if (found === undefined) throw new Error('no column');
  return found;
};
const keys = (...items: readonly string[]): readonly string[] =>
  problemsOf(columns(...items)).map((p) => `${p.code} ${p.key.replace('feeds.orders.columns', '')}`);

describe('a column', () => {
  test('has the defaults of the specification', () => {
    expect(column('name: a, type: text')).toEqual({
      name: 'a',
      from: ['a'],
      type: 'text',
      required: false,
      unique: false,
      default: null,
      trim: false,
      formats: [],
      timezone: null,
      locale: null,
      decimal: '.',
      thousands: null,
      negative: null,
      currency: [],
      percent: null,
      round: false,
      trueValues: null,
      falseValues: null,
      min: null,
      max: null,
      minLength: null,
      maxLength: null,
      pattern: null,
      enum: null,
      start: null,
      width: null,
    });
  });

  test('takes every key of a column', () => {
    expect(
      column(
        'name: d, from: [A, B, 3], type: timestamptz, required: true, unique: true, default: "2026-02-01", trim: true, format: ["%d/%m/%Y", epoch_s], locale: fr, timezone: Europe/Paris',
      ),
    ).toEqual(
      expect.objectContaining({
        from: ['A', 'B', 3],
        required: true,
        unique: true,
        default: '2026-02-01',
        trim: true,
        formats: ['%d/%m/%Y', 'epoch_s'],
        locale: 'fr',
        timezone: 'Europe/Paris',
      }),
    );
    expect(
      column(
        'name: n, type: "numeric(12,2)", decimal: ",", thousands: ".", round: true, min: 0, max: 10, enum: ["1,10", 2]',
      ),
    ).toEqual(
      expect.objectContaining({
        type: 'numeric(12,2)',
        decimal: ',',
        thousands: '.',
        round: true,
        min: '0',
        max: '10',
        enum: ['1,10', '2'],
      }),
    );
    expect(
      column('name: n, type: numeric, negative: [minus, parentheses], currency: "$", percent: divide'),
    ).toMatchObject({ negative: ['minus', 'parentheses'], currency: ['$'], percent: 'divide' });
    expect(column('name: b, type: boolean, true_values: [J, 1], false_values: [N, 0]')).toEqual(
      expect.objectContaining({ trueValues: ['J', '1'], falseValues: ['N', '0'] }),
    );
    expect(column('name: t, type: text, min_length: 1, max_length: 9, pattern: "^x", start: 1, width: 9')).toEqual(
      expect.objectContaining({ minLength: 1, maxLength: 9, pattern: '^x', start: 1, width: 9 }),
    );
  });

  test('bounds keep every digit that was written, quoted or not', () => {
    const { min, max } = column(
      'name: a, type: numeric, min: -12345678901234567890.10, max: "12345678901234567890.10"',
    );
    expect([min, max]).toEqual(['-12345678901234567890.10', '12345678901234567890.10']);
  });

  test.each([
    ['int', 'integer'],
    ['INT8', 'bigint'],
    ['character varying(20)', 'varchar(20)'],
    ['timestamp with time zone', 'timestamptz'],
    ['decimal(10, 2)', 'numeric(10,2)'],
  ])('type %s is %s', (written, canonical) => {
    expect(column(`name: a, type: "${written}"`).type).toBe(canonical);
  });

  test('a position from 1 and a header that is a number in quotes are two things', () => {
    expect([column('name: a, type: text, from: 3').from, column('name: a, type: text, from: "3"').from]).toEqual([
      [3],
      ['3'],
    ]);
  });
});

describe('mistakes in columns', () => {
  test('an unknown type is told with the nearest', () => {
    expect(problemsOf(columns('name: a, type: bigit'))).toEqual([
      expect.objectContaining({
        code: 'UNKNOWN_NAME',
        key: 'feeds.orders.columns[0].type',
        hint: 'Did you mean bigint?',
      }),
    ]);
  });

  test.each([
    [['name: a, type: text', 'name: a, type: text'], 'DUPLICATE_COLUMN [1].name'],
    [['name: _load_id, type: bigint'], 'RESERVED_COLUMN [0].name'],
    [['name: _row, type: bigint'], 'RESERVED_COLUMN [0].name'],
    [['name: xmin, type: text'], 'RESERVED_COLUMN [0].name'],
    [[`name: ${'é'.repeat(32)}, type: text`], 'BAD_VALUE [0].name'],
    [['type: text'], 'MISSING_KEY [0].name'],
    [['name: a'], 'MISSING_KEY [0].type'],
    [['name: a, type: text, from: 0'], 'BAD_VALUE [0].from'],
    [['name: a, type: text, min_length: 5, max_length: 4'], 'CONFLICT [0].min_length'],
    [['name: a, type: text, start: 5'], 'CONFLICT [0].start'],
    [['name: a, type: numeric, decimal: ",", thousands: ","'], 'CONFLICT [0].thousands'],
    [['name: a, type: text, pattern: "("'], 'BAD_VALUE [0].pattern'],
    [['name: a, type: integer, min: abc'], 'COLUMN_RULE [0].min'],
    [['name: a, type: integer, default: x'], 'COLUMN_RULE [0].default'],
    [['name: a, type: text, enum: []'], 'BAD_VALUE [0].enum'],
    [['name: a, type: date, format: "%Q"'], 'COLUMN_RULE [0].format'],
    [['name: a, type: timestamptz, timezone: Mars/Base'], 'BAD_VALUE [0].timezone'],
    [['name: a, type: text, required: "true"'], 'WRONG_TYPE [0].required'],
  ])('%j', (items, expected) => {
    expect(keys(...items)).toEqual([expected]);
  });

  test('a mistake in one column hides none in another', () => {
    expect(keys('name: a, type: nope', 'name: b, typ: text', 'name: c, type: integer, max: z')).toEqual([
      'UNKNOWN_NAME [0].type',
      'MISSING_KEY [1].type',
      'UNKNOWN_KEY [1].typ',
      'COLUMN_RULE [2].max',
    ]);
  });

  test('columns are a list or the word text', () => {
    expect(placesOf(fullFeed('columns: everything'))).toEqual(['7:14 WRONG_TYPE feeds.orders.columns']);
    expect(placesOf(fullFeed('columns: []'))).toEqual(['7:14 WRONG_TYPE feeds.orders.columns']);
    expect(placesOf(fullFeed('columns: { a: text }'))).toEqual(['7:5 WRONG_TYPE feeds.orders.columns']);
  });
});
