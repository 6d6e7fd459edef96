import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  TYPE_WORDS,
  lengthLimit,
  numericLimits,
  parseTypeName,
  pgTypeNamed,
  typeNameOf,
} from '../../src/columns/type-name.js';
import { type TestDatabase, createDatabase } from '../support/postgres.js';
import { catalogType } from './support.js';

let db: TestDatabase;
beforeAll(async () => {
  db = await createDatabase();
});
afterAll(async () => {
  await db.drop();
});

const SPELLINGS: readonly (readonly [written: string, canonical: string])[] = [
  ...TYPE_WORDS.filter((word) => word !== 'char').map((word) => [word, word] as const),
  ['int', 'integer'],
  ['int2', 'smallint'],
  ['int4', 'integer'],
  ['int8', 'bigint'],
  ['INTEGER', 'integer'],
  [' bigint ', 'bigint'],
  ['decimal', 'numeric'],
  ['decimal(5)', 'numeric(5,0)'],
  ['numeric(12,2)', 'numeric(12,2)'],
  ['NUMERIC ( 12 , 2 )', 'numeric(12,2)'],
  ['numeric(3,-2)', 'numeric(3,-2)'],
  ['numeric(3,5)', 'numeric(3,5)'],
  ['numeric(1000,-1000)', 'numeric(1000,-1000)'],
  ['float4', 'real'],
  ['float8', 'double precision'],
  ['float', 'double precision'],
  ['float(24)', 'real'],
  ['float(25)', 'double precision'],
  ['double  precision', 'double precision'],
  ['varchar(80)', 'varchar(80)'],
  ['character varying(80)', 'varchar(80)'],
  ['character varying', 'varchar'],
  ['char', 'char(1)'],
  ['char(3)', 'char(3)'],
  ['character', 'char(1)'],
  ['character(3)', 'char(3)'],
  ['bool', 'boolean'],
  ['time(3)', 'time(3)'],
  ['time without time zone', 'time'],
  ['timestamp(0)', 'timestamp(0)'],
  ['timestamp(3) without time zone', 'timestamp(3)'],
  ['timestamp with time zone', 'timestamptz'],
  ['timestamp(3) with time zone', 'timestamptz(3)'],
  ['timestamptz(6)', 'timestamptz(6)'],
];

test('every spelling is the type that PostgreSQL makes of it, with its typmod', async () => {
  const names = SPELLINGS.map(([written]) => written);
  await db.client.query(`create table shapes (${names.map((name, i) => `c${i} ${name}`).join(', ')})`);
  const { rows } = await db.client.query<{ typname: string; typmod: number; oid: number }>(
    `select t.typname, a.atttypmod as typmod, t.oid::int from pg_attribute a join pg_type t on t.oid = a.atttypid where a.attrelid = 'shapes'::regclass and a.attnum > 0 order by a.attnum`,
  );
  expect(
    names
      .map((name) => pgTypeNamed(name))
      .map((type) => ({ typname: type?.typname, typmod: type?.typmod, oid: type?.oid })),
  ).toEqual(rows);
});

test('has one canonical spelling, which reads back to itself', () => {
  for (const [written, canonical] of SPELLINGS) {
    expect(parseTypeName(written)?.canonical).toBe(canonical);
    expect(parseTypeName(canonical)).toEqual(parseTypeName(written));
  }
});

test("the catalog's own types get the same spelling, others stay as PostgreSQL shows them", () => {
  expect(typeNameOf(catalogType('numeric', { typmod: 786_438, formatted: 'numeric(12,2)' }))).toBe('numeric(12,2)');
  expect(typeNameOf(catalogType('varchar', { typmod: 84, formatted: 'character varying(80)' }))).toBe('varchar(80)');
  expect(typeNameOf(catalogType('timestamptz', { formatted: 'timestamp with time zone' }))).toBe('timestamptz');
  expect(typeNameOf(catalogType('interval', { typmod: 5, formatted: 'interval(5)' }))).toBe('interval(5)');
});

test('what the config has no word for, or has impossible numbers, is unknown', () => {
  const wrong = [
    '',
    'txt',
    'string',
    'interval',
    'serial',
    'text(5)',
    'integer(4)',
    'numeric()',
    'numeric(0)',
    'numeric(1001)',
    'numeric(5,1001)',
    'numeric(5,2,1)',
    'numeric(-5)',
    'varchar(0)',
    'varchar(10485761)',
    'varchar(5,2)',
    'time(7)',
    'time with time zone',
    'timestamp(3,1)',
    'float(0)',
    'float(54)',
    'double',
    'timestamptz with time zone',
    'int4; drop',
    'text[]',
    'numeric(12,2',
    'date with time zone',
  ];
  for (const text of wrong) expect(parseTypeName(text), text).toBeNull();
});

test('reads precision, scale and length back from a typmod', () => {
  expect(numericLimits(parseTypeName('numeric(12,2)')!.typmod)).toEqual({ precision: 12, scale: 2 });
  expect(numericLimits(parseTypeName('numeric(3,-2)')!.typmod)).toEqual({ precision: 3, scale: -2 });
  expect(numericLimits(-1)).toBeNull();
  expect(lengthLimit(parseTypeName('varchar(80)')!.typmod)).toBe(80);
  expect(lengthLimit(-1)).toBeNull();
});
