import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TestDatabase, createDatabase } from '../support/postgres.js';
import { codecOf, encode, expectAsPostgres, expectOrderOfPostgres, refusal } from './support.js';

let db: TestDatabase;
beforeAll(async () => {
  db = await createDatabase();
});
afterAll(async () => {
  await db.drop();
});

const VALID = [
  '{}',
  '[]',
  'null',
  'true',
  'false',
  '0',
  '-0',
  '1.5',
  '-1.5e+10',
  '1E5',
  '""',
  '"a"',
  '[1,2,[3]]',
  '{"a":1,"a":2}',
  '{"":{}}',
  '{"a":[{"b":null}]}',
  '[[],{},[{}]]',
  ' [ 1 , 2 ]\t',
  '{ "a" : 1 , "b" : [ ] }',
  '"\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9"',
  '"é€😀"',
  '"\\ud83d\\ude00"',
  '"\u007f"',
  '"\\uD83D\\uDE00x"',
  '{"__proto__":1}',
  '12345678901234567890.123456789',
  '"\\\\u0000"',
  '[1\n,2]',
];
const INVALID = [
  '{',
  '}',
  '[',
  ']',
  '[1',
  '[1,',
  '[1,]',
  '[,1]',
  '[1 2]',
  '{"a"}',
  '{"a":}',
  '{"a":1,}',
  '{,}',
  '{a:1}',
  "{'a':1}",
  '{"a":1',
  '{"a" 1}',
  '{1:2}',
  '[}',
  '{]',
  '[1}',
  '{"a":1]',
  '"',
  '"a',
  '"\\',
  '"\\"',
  '"\\x"',
  '"\\u12"',
  '"\\u12g4"',
  '"\\u"',
  '"\t"',
  '"\n"',
  '"\u0001"',
  'nul',
  'nulL',
  'TRUE',
  'truex',
  'true false',
  'NaN',
  'Infinity',
  '-',
  '+1',
  '01',
  '-01',
  '1.',
  '.5',
  '1e',
  '1e+',
  '1.e5',
  '0x1',
  '1a',
  '--1',
  '1,2',
  '[]]',
  '[][]',
  '{}{}',
  ',',
  ':',
  '\ufeff{}',
  '/* */1',
  '1//',
  '\u00a01',
  'undefined',
];
const FOR_JSON_ONLY = [
  '"\\u0000"',
  '{"a\\u0000":1}',
  '"\\ud800"',
  '"\\udc00"',
  '"\\ud800x"',
  '"\\ud800\\n"',
  '"\\ud800\\ud800"',
  '"\\udc00\\ud800"',
  '"\\ud83d\\u0041"',
  '1e131072',
  '1e-16384',
  '[1e999999999999]',
  '{"x":-1e200000}',
  `1${'0'.repeat(131_072)}`,
  `0.${'0'.repeat(16_384)}`,
];
const NUMBERS = ['1e131071', '1e-16383', '1e400', '0e5', `1${'0'.repeat(20_000)}`, `0.${'1'.repeat(16_383)}`];

/** JSON documents, and the same with one character changed. */
const documents = fc
  .sample(fc.json({ maxDepth: 4 }), { numRuns: 400, seed: 51 })
  .filter((text) => !text.includes('\0'));
const damaged = fc
  .sample(
    fc.tuple(
      fc.constantFrom(...documents),
      fc.nat(),
      fc.constantFrom('', ',', ':', '"', '{', '}', '[', ']', '0', 'e', '-', '.', '\\', ' ', '\\u0000', '\\ud800'),
      fc.nat(1),
    ),
    { numRuns: 800, seed: 52 },
  )
  .map(([text, place, put, drop]) => {
    const at = place % (text.length + 1);
    return Buffer.from(text.slice(0, at) + put + text.slice(at + drop)).toString();
  })
  .filter((text) => text.trim() !== '');

describe('json', () => {
  test('takes what PostgreSQL takes, and keeps it as it stands', async () => {
    const cells = [...VALID, ...INVALID, ...FOR_JSON_ONLY, ...NUMBERS, ...documents, ...damaged];
    await expectAsPostgres({
      client: db.client,
      sqlType: 'json',
      send: 'json_send',
      codec: codecOf('json'),
      cells,
      spelled: (cell) => cell.replace(/^[ \t\n\v\f\r]+|[ \t\n\v\f\r]+$/g, ''),
    });
  });

  test('has no order', () => {
    expect(codecOf('json').compare).toBeNull();
  });
});

describe('jsonb', () => {
  test('takes what PostgreSQL takes', async () => {
    const cells = [...VALID, ...INVALID, ...FOR_JSON_ONLY, ...NUMBERS, ...documents, ...damaged];
    await expectAsPostgres({
      client: db.client,
      sqlType: 'jsonb',
      send: 'jsonb_send',
      codec: codecOf('jsonb'),
      cells,
      canonical: false,
    });
  });

  test('identity does not see spacing, order of keys, repeated keys and spellings of numbers', async () => {
    const cells = [
      '{}',
      '{ }',
      '[]',
      '{"a":1,"b":2}',
      '{"b":2,"a":1.0}',
      '{"a":9,"a":1,"b":2}',
      '{"a":1}',
      '{"a":"1"}',
      '1',
      '1.0',
      '10e-1',
      '"1"',
      'null',
      '"null"',
      '-0',
      '0',
      '[1,2]',
      '[2,1]',
      '"é"',
      '"\\u00e9"',
      '[null]',
      '[[null]]',
      '{"a":{"c":1,"b":[{"z":1,"y":2}]}}',
      '{"a":{"b":[{"y":2,"z":1}],"c":1}}',
    ];
    await expectOrderOfPostgres(db.client, 'jsonb', codecOf('jsonb'), cells);
  });

  test('says what jsonb cannot hold', () => {
    const codec = codecOf('jsonb');
    expect(refusal(codec, '"\\u0000"')).toBe('JSON with \\u0000, which jsonb cannot hold');
    expect(refusal(codec, '"\\ud800"')).toBe('JSON with half a surrogate pair, which jsonb cannot hold');
    expect(refusal(codec, '1e200000')).toBe('JSON with a number out of range for jsonb');
    expect(refusal(codec, '{a:1}')).toBe('not valid JSON');
  });
});

describe.each(['json', 'jsonb'])('%s', (name) => {
  test('takes 1000 levels, refuses more, and never runs out of stack', async () => {
    const nested = (depth: number) => '[{"a":'.repeat(depth / 2) + '1' + '}]'.repeat(depth / 2);
    await expectAsPostgres({
      client: db.client,
      sqlType: name,
      send: `${name}_send`,
      codec: codecOf(name),
      cells: [nested(1000), '['.repeat(1000) + ']'.repeat(1000)],
      canonical: false,
    });
    expect(refusal(codecOf(name), nested(1002))).toBe('JSON nested deeper than 1000 levels');
    expect(refusal(codecOf(name), '['.repeat(1_000_000))).toBe('JSON nested deeper than 1000 levels');
  });

  test('a blank cell is NULL', () => {
    for (const cell of ['', ' \n'])
      expect([encode(codecOf(name), cell), encode(codecOf(name), cell, 'text')]).toEqual(['NULL', 'NULL']);
  });
});
