import { expect, test } from 'vitest';
import { quoteLiteral } from '../../src/postgres/connect/identifiers.js';
import { serverEncoding } from '../../src/postgres/connect/server-encoding.js';

const latin1 = serverEncoding('LATIN1')!;

test('a database in UTF8 or SQL_ASCII holds everything', () => {
  expect(serverEncoding('UTF8')).toBeNull();
  expect(serverEncoding('SQL_ASCII')).toBeNull();
});

test('only what the database cannot hold is escaped, in an encoding that nobody here knows all but ASCII', () => {
  expect(latin1.fit('é ł 😀 \\')).toBe('é \\u0142 \\uD83D\\uDE00 \\');
  expect(serverEncoding('MULE_INTERNAL')!.fit('aé')).toBe('a\\u00E9');
});

test('in SQL the texts are, and stay one text each', () => {
  for (const text of ['é', "l'été", 'back\\slash']) {
    const sql = `SELECT ${quoteLiteral(text)} AS x`;
    expect(latin1.fitSql(sql)).toBe(sql);
  }
  expect(latin1.fitSql(`SELECT ${quoteLiteral("ł'é")}, 1`)).toBe(String.raw`SELECT E'\\u0142''é', 1`);
  expect(latin1.fitSql(`SELECT ${quoteLiteral('\\ł')}`)).toBe(String.raw`SELECT E'\\\\u0142'`);
  // JSON reads backslashes itself.
  expect(latin1.fitSql(`SELECT ${quoteLiteral('{"a":"ł"}')}::jsonb`)).toBe(
    String.raw`SELECT E'{"a":"\\\\u0142"}'::jsonb`,
  );
});

test('a name that cannot be held is refused, but not what only looks like one', () => {
  expect(() => latin1.fitSql('ALTER TABLE "t" ADD COLUMN "ł" text')).toThrow('the database is in LATIN1');
  expect(latin1.fitSql(`SELECT "é", 'say "ł"'`)).toBe(String.raw`SELECT "é", E'say "\\u0142"'`);
});
