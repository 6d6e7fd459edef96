import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestDatabase, createDatabase } from '../support/postgres.js';
import { codecOf, encode, expectAsPostgres, expectOrderOfPostgres, refusal } from './support.js';

let db: TestDatabase;
beforeAll(async () => {
  db = await createDatabase();
});
afterAll(async () => {
  await db.drop();
});

const TRUE = { value: Buffer.from([1]) };
const FALSE = { value: Buffer.from([0]) };
const REFUSED = { refused: 'not a boolean' };

test('is what PostgreSQL makes of its words, in any case', async () => {
  const words = ['t', 'true', 'y', 'yes', 'on', '1', 'f', 'false', 'n', 'no', 'off', '0'];
  const cells = [
    ...words,
    ...words.map((word) => word.toUpperCase()),
    'True',
    'yEs',
    ' true ',
    '\toff\n',
    'o',
    '2',
    '00',
    '01',
    '-1',
    'truee',
    'x',
    'ja',
    'null',
    'Trüe',
    '\u0011',
    '\u0010',
  ];
  await expectAsPostgres({ client: db.client, sqlType: 'boolean', send: 'boolsend', codec: codecOf('boolean'), cells });
});

test('orders false before true', async () => {
  await expectOrderOfPostgres(db.client, 'boolean', codecOf('boolean'), ['t', 'f', 'yes', 'no']);
});

test('beginnings of words are refused, though PostgreSQL takes them', () => {
  for (const cell of ['tr', 'tru', 'ye', 'fa', 'fals', 'of'])
    expect(refusal(codecOf('boolean'), cell)).toBe('not a boolean');
});

test("a column's own list takes the place of that side's words, as written", () => {
  const both = codecOf('boolean', { trueValues: ['ja', 'X'], falseValues: ['nein'] });
  expect(['ja', 'X', 'nein', ' ja ', 'JA', 'x', 'true', '0'].map((cell) => encode(both, cell))).toEqual([
    TRUE,
    TRUE,
    FALSE,
    TRUE,
    REFUSED,
    REFUSED,
    REFUSED,
    REFUSED,
  ]);
  const one = codecOf('boolean', { trueValues: ['ja', '0'] });
  expect(['ja', '0', 'no', 'yes'].map((cell) => encode(one, cell))).toEqual([TRUE, TRUE, FALSE, REFUSED]);
});

test('a blank cell is NULL unless a list names it', () => {
  expect(encode(codecOf('boolean'), ' ')).toBe('NULL');
  const sap = codecOf('boolean', { trueValues: ['X'], falseValues: [''] });
  expect([encode(sap, 'X'), encode(sap, ''), encode(sap, '  '), encode(sap, '', 'text')]).toEqual([
    TRUE,
    FALSE,
    FALSE,
    { value: Buffer.from('f') },
  ]);
});
