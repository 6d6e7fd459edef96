import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestDatabase, createDatabase } from '../support/postgres.js';
import { codecOf, encode, expectAsPostgres, expectOrderOfPostgres } from './support.js';

let db: TestDatabase;
beforeAll(async () => {
  db = await createDatabase();
});
afterAll(async () => {
  await db.drop();
});

const ID = 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11';
const HEX = ID.replaceAll('-', '');

test('is what PostgreSQL makes of the same literal, in all its forms', async () => {
  const forms = [
    ID,
    ID.toUpperCase(),
    HEX,
    `{${ID}}`,
    `{${HEX}}`,
    HEX.replace(/(....)(?=.)/g, '$1-'),
    `${HEX.slice(0, 4)}-${HEX.slice(4)}`,
    '0'.repeat(32),
    'F'.repeat(32),
  ];
  const broken = [
    ID.slice(1),
    `${ID}0`,
    `${ID}-`,
    `-${ID}`,
    `{${ID}`,
    `${ID}}`,
    '{}',
    '{',
    ID.replace('-', '--'),
    HEX.replace(/(..)(?=.)/g, '$1-'),
    ID.replace('a', 'g'),
    ID.replaceAll('-', '_'),
    ID.replaceAll('-', ' '),
    `{{${ID}}}`,
    `{ ${ID}}`,
    'x',
    `${HEX.slice(0, 31)}é`,
    `${HEX.slice(0, 30)}-${HEX.slice(30)}`,
  ];
  // one character of a good form put, dropped or changed
  const damaged = fc
    .sample(
      fc.tuple(fc.constantFrom(...forms), fc.nat(36), fc.constantFrom('', '0', '-', 'g', '{', '}', ':'), fc.nat(1)),
      { numRuns: 400, seed: 31 },
    )
    .map(([form, at, put, drop]) => form.slice(0, at) + put + form.slice(at + drop));
  await expectAsPostgres({
    client: db.client,
    sqlType: 'uuid',
    send: 'uuid_send',
    codec: codecOf('uuid'),
    cells: [...forms, ...broken, ...damaged],
  });
});

test('ignores blanks around it', async () => {
  const cells = [` ${ID}`, `${ID}\t`, `\n{${ID}} `];
  await expectAsPostgres({
    client: db.client,
    sqlType: 'uuid',
    send: 'uuid_send',
    codec: codecOf('uuid'),
    cells,
    spelled: (cell) => cell.trim(),
  });
});

test('orders as PostgreSQL does', async () => {
  await expectOrderOfPostgres(db.client, 'uuid', codecOf('uuid'), [
    ID,
    ID.toUpperCase(),
    HEX,
    '0'.repeat(32),
    'f'.repeat(32),
    '7'.repeat(32),
    '8'.repeat(32),
  ]);
});

test('a blank cell is NULL', () => {
  expect([encode(codecOf('uuid'), ''), encode(codecOf('uuid'), ' ', 'text')]).toEqual(['NULL', 'NULL']);
});
