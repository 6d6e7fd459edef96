import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PLAIN_OPTIONS } from '../../src/columns/column-type.js';
import { codecFor } from '../../src/columns/types/index.js';
import { type TestDatabase, createDatabase } from '../support/postgres.js';
import { catalogType, codecOf, encode, expectAsPostgres, expectOrderOfPostgres, refusal } from './support.js';

let db: TestDatabase;
beforeAll(async () => {
  db = await createDatabase();
});
afterAll(async () => {
  await db.drop();
});

/** Text that PostgreSQL can hold: no NUL, no lone surrogate. */
const anyText = fc
  .string({
    unit: fc.oneof(
      fc.constantFrom(' ', '\t', '\n', '\r', '\\', '\b', 'N', '.', 'é', '€', '😀', '\u0301', '\ufeff'),
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
    ),
    maxLength: 12,
  })
  .map((text) => text.replaceAll('\0', ''));
const samples = fc.sample(anyText, { numRuns: 600, seed: 21 });
const edges = [
  '',
  ' ',
  '  ',
  'a',
  '\\N',
  '\\.',
  '\\',
  '\\\\',
  '\t',
  '\n',
  '\r\n',
  'a\tb',
  '\v\f\b',
  'äöü',
  '😀😀😀',
  'e\u0301',
  '\ufeffx',
  '\u{10ffff}',
  "'; drop table x; --",
  'x'.repeat(43),
  'x'.repeat(44),
  'x'.repeat(45),
  '\\'.repeat(100),
  'é'.repeat(500),
];

test('text is kept as it stands, blanks and backslashes too', async () => {
  await expectAsPostgres({
    client: db.client,
    sqlType: 'text',
    send: 'textsend',
    codec: codecOf('text'),
    cells: [...edges, ...samples],
  });
});

test('text orders by code points, in bytes', async () => {
  await expectOrderOfPostgres(db.client, 'text', codecOf('text'), [
    '',
    'a',
    'b',
    'aa',
    'A',
    'é',
    '€',
    '😀',
    ' a',
    'a ',
  ]);
});

describe.each(['varchar(1)', 'varchar(3)', 'varchar(50)', 'varchar'])('%s', (name) => {
  test('counts characters as PostgreSQL does, and drops only blanks past the length', async () => {
    await expectAsPostgres({
      client: db.client,
      sqlType: name,
      send: 'varcharsend',
      codec: codecOf(name),
      cells: [...edges, ...samples, 'abc   ', 'abc\t', 'abcd', '😀😀😀 ', '😀😀😀é', '   ', '    x'],
    });
  });
});

test('varchar(3) says that a cell is too long', () => {
  expect(refusal(codecOf('varchar(3)'), 'abcd')).toBe('longer than 3 characters, too long for varchar(3)');
});

describe.each(['char(1)', 'char(3)', 'char(50)', 'bpchar'])('%s', (name) => {
  const codec = name === 'bpchar' ? codecFor(catalogType('bpchar'), PLAIN_OPTIONS)! : codecOf(name);

  test('holds what PostgreSQL makes of the same literal', async () => {
    await expectAsPostgres({
      client: db.client,
      sqlType: name,
      send: 'bpcharsend',
      codec,
      canonical: false,
      cells: [...edges, ...samples, 'abc   ', 'abc\t', 'abcd', '😀😀😀 ', '😀😀😀é', '   '],
    });
  });
});

test('char(n) compares without its last blanks', async () => {
  await expectOrderOfPostgres(db.client, 'char(5)', codecOf('char(5)'), ['', ' ', 'a', 'a ', 'a    ', 'ab', ' a', 'b']);
});

test('name takes 63 bytes and refuses what PostgreSQL would cut', async () => {
  const codec = codecFor(catalogType('name'), PLAIN_OPTIONS)!;
  await expectAsPostgres({
    client: db.client,
    sqlType: 'name',
    send: 'namesend',
    codec,
    cells: ['', 'a', 'x'.repeat(63), 'é'.repeat(31), 'a b'],
  });
  expect(encode(codec, 'x'.repeat(64))).toEqual({ refused: 'longer than 63 bytes' });
  expect(encode(codec, 'é'.repeat(32))).toEqual({ refused: 'longer than 63 bytes' });
});
