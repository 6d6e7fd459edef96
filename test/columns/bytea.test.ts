import fc from 'fast-check';
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

const check = (cells: readonly string[], spelled?: (cell: string) => string) =>
  expectAsPostgres({
    client: db.client,
    sqlType: 'bytea',
    send: 'byteasend',
    codec: codecOf('bytea'),
    cells,
    ...(spelled === undefined ? {} : { spelled }),
  });

test('is what PostgreSQL makes of the same literal in hex form', async () => {
  const random = fc
    .sample(fc.uint8Array({ maxLength: 60 }), { numRuns: 200, seed: 41 })
    .map((bytes) => `\\x${Buffer.from(bytes).toString('hex')}`);
  await check([
    '\\x',
    '\\x00',
    '\\xff',
    '\\xFFfe',
    '\\x00 01\t02\n03\r04',
    '\\x0',
    '\\x0g',
    '\\xg0',
    '\\x 0 0',
    '\\x1 2',
    '\\x0a0',
    '\\X00',
    '\\xé0',
    '\\x00\v01',
    ...random,
  ]);
});

test('is what PostgreSQL makes of the same literal in escape form', async () => {
  const random = fc
    .sample(
      fc.string({ unit: fc.constantFrom('a', '\\', '0', '3', '7', '8', 'é', ' ', '\t'), minLength: 1, maxLength: 9 }),
      { numRuns: 1000, seed: 42 },
    )
    .filter((text) => text.trim() === text);
  await check([
    'abc',
    'é',
    '\\\\',
    '\\000',
    '\\377',
    '\\400',
    '\\08',
    '\\1',
    '\\12',
    '\\',
    'a\\',
    '\\\\\\',
    '\\a',
    'x\\101y',
    '\\378',
    "it's",
    'a b',
    ...random,
  ]);
});

test('ignores blanks around it', async () => {
  await check([' \\x0a ', '\tabc\n'], (cell) => cell.trim());
});

test('orders as PostgreSQL does', async () => {
  await expectOrderOfPostgres(db.client, 'bytea', codecOf('bytea'), [
    '\\x',
    '\\x00',
    '\\x0000',
    '\\x7f',
    '\\x80',
    '\\xff',
    'a',
    '\\x61',
  ]);
});

test('says what it wants', () => {
  expect(refusal(codecOf('bytea'), '\\x0')).toBe('not a bytea: neither hex (\\x...) nor escape format');
});

test('a blank cell is NULL', () => {
  expect([encode(codecOf('bytea'), ''), encode(codecOf('bytea'), ' ', 'text')]).toEqual(['NULL', 'NULL']);
});
