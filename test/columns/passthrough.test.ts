import { afterAll, beforeAll, expect, test } from 'vitest';
import { PLAIN_OPTIONS } from '../../src/columns/column-type.js';
import { codecFor, textCodec } from '../../src/columns/types/index.js';
import { type TestDatabase, createDatabase } from '../support/postgres.js';
import { catalogType, encode } from './support.js';

let db: TestDatabase;
beforeAll(async () => {
  db = await createDatabase();
});
afterAll(async () => {
  await db.drop();
});

test('types without a binary codec are told apart', () => {
  for (const typname of ['interval', 'inet', '_int4', 'tsrange', 'money', 'citext', 'char', 'timetz', 'geometry'])
    expect(codecFor(catalogType(typname), PLAIN_OPTIONS)).toBeNull();
});

test('PostgreSQL reads the text itself, backslashes and newlines included', async () => {
  const cells: readonly (readonly [typname: string, cell: string])[] = [
    ['interval', ' 3 days 04:05 '],
    ['_text', '{"a\\\\b","c\nd",NULL,"\t"}'],
    ['inet', '10.0.0.1/8\n'],
  ];
  for (const [typname, cell] of cells) {
    const outcome = encode(textCodec(catalogType(typname)), cell, 'text');
    const escaped = typeof outcome === 'object' && 'value' in outcome ? outcome.value.toString() : '';
    // undo COPY's escapes as PostgreSQL's own text COPY does, by way of a row in a table
    const { rows } = await db.client.query<{ same: boolean }>(`select $1::${typname} = $2::${typname} as same`, [
      cell.trim(),
      escaped.replace(/\\(.)/g, (_, c: string) => ({ n: '\n', t: '\t', r: '\r' })[c] ?? c),
    ]);
    expect(rows).toEqual([{ same: true }]);
  }
});

test('a blank cell is NULL and blanks around a value are dropped, except where the type is text', () => {
  expect(encode(textCodec(catalogType('interval')), ' ', 'text')).toBe('NULL');
  expect(encode(textCodec(catalogType('interval')), ' 1 day ', 'text')).toEqual({ value: Buffer.from('1 day') });
  expect(encode(textCodec(catalogType('citext')), '', 'text')).toEqual({ value: Buffer.from('') });
  expect(encode(textCodec(catalogType('citext')), ' a ', 'text')).toEqual({ value: Buffer.from(' a ') });
});

test('"char" takes one byte and refuses more, which PostgreSQL would cut', () => {
  const codec = textCodec(catalogType('char', { formatted: '"char"' }));
  expect(encode(codec, 'a', 'text')).toEqual({ value: Buffer.from('a') });
  expect(encode(codec, 'ab', 'text')).toEqual({ refused: 'longer than a "char"' });
});
