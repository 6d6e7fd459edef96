import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { displayName, qualified, quoteIdentifier, quoteLiteral } from '../../src/postgres/connect/identifiers.js';
import { advisoryKey } from '../../src/postgres/connect/locks.js';
import { createDatabase, type TestDatabase } from '../support/postgres.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await createDatabase();
});
afterAll(() => database.drop());

describe('identifiers', () => {
  test('PostgreSQL reads back whatever name was quoted', async () => {
    const names = fc
      .string({ minLength: 1, maxLength: 20, unit: 'grapheme' })
      .filter((s) => !s.includes('\0') && !/\p{Surrogate}/u.test(s) && Buffer.byteLength(s) <= 63);
    await fc.assert(
      fc.asyncProperty(names, async (name) => {
        const { fields } = await database.client.query(`SELECT 1 AS ${quoteIdentifier(name)}`);
        expect(fields[0]!.name).toBe(name);
      }),
      { numRuns: 150 },
    );
  });

  test('PostgreSQL reads back whatever literal was quoted, with both settings of standard_conforming_strings', async () => {
    for (const setting of ['on', 'off']) {
      await database.client.query(`SET standard_conforming_strings = ${setting}; SET escape_string_warning = off`);
      await fc.assert(
        fc.asyncProperty(
          fc.string().filter((s) => !s.includes('\0') && !/\p{Surrogate}/u.test(s)),
          async (text) => {
            const { rows } = await database.client.query<{ t: string }>(`SELECT ${quoteLiteral(text)}::text AS t`);
            expect(rows[0]!.t).toBe(text);
          },
        ),
        { numRuns: 100, examples: [["\\'; DROP TABLE x; --"]] },
      );
    }
  });

  test.each([
    ['', 'empty'],
    ['a\0b', 'NUL'],
    ['x'.repeat(64), '63'],
    ['é'.repeat(32), '63'],
    ['\ud800', 'Unicode'],
  ])('a name that PostgreSQL cannot have is refused: %j', (name, why) => {
    expect(() => quoteIdentifier(name)).toThrow(why);
  });

  test('a name of 63 bytes is taken', () => {
    expect(quoteIdentifier('x'.repeat(63))).toBe(`"${'x'.repeat(63)}"`);
  });

  test('display names are quoted only where they must be, and to_regclass reads them back', async () => {
    expect(displayName('staging', 'orders')).toBe('staging.orders');
    const odd = displayName('Sch.ema', 'the "table"');
    await database.client.query(`CREATE SCHEMA "Sch.ema"; CREATE TABLE ${qualified('Sch.ema', 'the "table"')} ()`);
    const { rows } = await database.client.query<{ found: boolean }>('SELECT to_regclass($1) IS NOT NULL AS found', [
      odd,
    ]);
    expect(rows[0]!.found).toBe(true);
  });
});

describe('advisory keys', () => {
  test('fit a bigint', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string(), async (text) => {
        const key = advisoryKey('path', text);
        const { rows } = await database.client.query<{ k: string }>('SELECT $1::bigint::text AS k', [key]);
        expect(rows[0]!.k).toBe(key);
      }),
      { numRuns: 50 },
    );
  });

  test('differ by kind and by where one text ends and the next begins', () => {
    expect(
      new Set([
        advisoryKey('path', 'ab', 'c'),
        advisoryKey('path', 'a', 'bc'),
        advisoryKey('path', 'abc'),
        advisoryKey('target', 'ab', 'c'),
      ]).size,
    ).toBe(4);
  });

  test('never change: processes of two versions must meet at the same lock', () => {
    expect(advisoryKey('load-key', '0b8f6c62-52d3-4bb2-9c3a-2d4bd7b1f001')).toMatchInlineSnapshot(
      `"-9030498640749629476"`,
    );
    expect(advisoryKey('ddl')).toMatchInlineSnapshot(`"8228476496903032904"`);
  });
});
