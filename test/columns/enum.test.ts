import { afterAll, beforeAll, expect, test } from 'vitest';
import { PLAIN_OPTIONS } from '../../src/columns/column-type.js';
import { codecFor } from '../../src/columns/types/index.js';
import { type TestDatabase, createDatabase } from '../support/postgres.js';
import { catalogType, encode, expectAsPostgres, expectOrderOfPostgres, refusal } from './support.js';

let db: TestDatabase;
beforeAll(async () => {
  db = await createDatabase();
  await db.client.query(`create type size as enum (${LABELS.map((label) => `'${label}'`).join(', ')})`);
});
afterAll(async () => {
  await db.drop();
});

const LABELS = ['small', 'medium', 'large', 'Small', 'größer', 'two words', 'tab\there', 'back\\slash'];
const codec = codecFor(catalogType('size', { formatted: 'size', enumLabels: LABELS }), PLAIN_OPTIONS)!;

test('takes the labels, and only those', async () => {
  await expectAsPostgres({
    client: db.client,
    sqlType: 'size',
    send: 'enum_send',
    codec,
    cells: [...LABELS, 'SMALL', 'smal', 'smalls', 'größe', 'two', 'x', 'null'],
  });
});

test('ignores blanks around a label, unless the label has them itself', () => {
  expect(encode(codec, ' small\t')).toEqual({ value: Buffer.from('small') });
  const blanks = codecFor(catalogType('size', { enumLabels: [' a', 'a'] }), PLAIN_OPTIONS)!;
  expect([encode(blanks, ' a'), encode(blanks, 'a '), encode(blanks, ' a', 'text')]).toEqual([
    { value: Buffer.from(' a') },
    { value: Buffer.from('a') },
    { value: Buffer.from(' a') },
  ]);
});

test('orders as the type does, not by letters', async () => {
  await expectOrderOfPostgres(db.client, 'size', codec, LABELS);
});

test('says which enum it is', () => {
  expect(refusal(codec, 'tiny')).toBe('not a label of the enum size');
});

test('a blank cell is NULL', () => {
  expect([encode(codec, ''), encode(codec, ' ', 'text')]).toEqual(['NULL', 'NULL']);
});
