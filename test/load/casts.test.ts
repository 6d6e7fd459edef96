import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { column, feedOf, openBench, type Bench } from './support.js';

/** Types that only PostgreSQL reads, each with texts that it takes; what is near to them is made of these. */
const TYPES: readonly (readonly [type: string, ...texts: string[]])[] = [
  ['interval', '1 day', '1 year 2 mons -3 days 04:05:06.789', 'P1Y2M3DT4H5M6S', '@ 5 minutes ago', 'infinity'],
  ['time with time zone', '12:30', '12:30:15.5+02', '24:00:00', '04:05 PM Z', 'allballs'],
  ['inet', '10.0.0.1', '10.0.0.1/8', '::1/64', 'fe80::a:b'],
  ['cidr', '10.0.0.0/8', '10', '::/0'],
  ['macaddr', '08:00:2b:01:02:03', '08002b-010203', '0800.2b01.0203'],
  ['macaddr8', '08:00:2b:01:02:03:04:05', '08:00:2b:01:02:03'],
  ['money', '$1,234.50', '-5', '(12.3)', '1e2'],
  ['bit varying', '101', 'B01', 'xFF', ''],
  ['oid', '7', '4294967295', '-1'],
  ['xid', '7', '0x1f'],
  ['pg_lsn', '16/B374D848', '0/0'],
  ['tsvector', "a:1 b:2A 'the cat':3", 'fat', "''''"],
  ['tsquery', 'a & b | !c', "'x y' <-> z:*", '( a )'],
  ['jsonpath', '$.a[*] ? (@ > 1)', 'strict $', '$."x"'],
  ['point', '(1,2)', '1, 2', '(1e3,-inf)'],
  ['box', '(1,2),(3,4)', '((0,0),(1,1))'],
  ['line', '{1,2,3}', '(0,0),(1,1)'],
  ['lseg', '[(0,0),(1,1)]'],
  ['path', '[(0,0),(1,1)]', '((0,0),(1,1))'],
  ['polygon', '((0,0),(1,1),(1,0))'],
  ['circle', '<(0,0),1>', '((0,0),2)'],
  ['int4range', '[1,3)', 'empty', '(,)', '[ 1 , 2 ]'],
  ['numrange', '[1.50,2)', '(,1e3]'],
  ['tstzrange', '[2024-01-01,2024-02-01)', '["2024-01-01 00:00+02",]'],
  ['daterange', '[2024-01-01,2024-01-31]', '(infinity,)'],
  ['int4multirange', '{[1,3),[5,6)}', '{}'],
  ['integer[]', '{1,2,NULL}', '[0:1]={1,2}', '{{1},{2}}', '{}'],
  ['text[]', '{a,"b c",NULL,"NULL"}', '{"a\\"b","\\\\"}', '{"x\ny","\t"}', '{""}'],
  ['numeric[]', '{1.50,NaN}'],
  ['timestamptz[]', '{"2024-01-01 00:00:00+02",infinity}'],
  ['jsonb[]', '{"{\\"a\\": 1}",NULL}'],
  ['uuid[]', '{00000000-0000-0000-0000-00000000000a}'],
  ['regclass', 'pg_class', 'pg_catalog.pg_type', '1259', '-'],
  ['regtype', 'int4', 'character varying', 'text[]'],
  ['regproc', 'now', '0'],
  ['regrole', 'postgres'],
  ['pg_snapshot', '10:20:10,14'],
  ['other.pair', '(1,a)', '(,"x ""y""")', '(2,)'],
  ['other.loud', '{1}', '{1,2}'],
];

/** Nothing that any type wants, and all that could break out of a line of COPY. */
const HOSTILE = [
  '\\N',
  '\\.',
  'NULL',
  'null',
  '\\',
  '\\\\',
  '\t',
  '\n',
  '\r\n',
  '"',
  "'",
  ',',
  '{',
  '}',
  '(',
  '\\x41',
  '\\101',
  '\u00a0',
  '\ufeff1',
  'é漢😀',
  '\u0001',
  '$$',
  ';--',
  '%s',
  '',
  ' ',
  '0'.repeat(2_000),
];

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
  // As a load's session is set, so that both read in the same way.
  await bench.query(`set timezone = 'UTC'; set datestyle = 'ISO, YMD'; create schema staging; create schema other;
    create type other.pair as (n integer, t text);
    create domain other.loud as integer[] check (value <> '{}');
    create function other.cast_to(x text, type text, out value text, out failed boolean) language plpgsql as $$
      begin execute format('select (%L::%s)::text', x, type) into value; failed := false;
      exception when others then failed := true; end $$`);
});
afterAll(async () => {
  await bench.close();
});

/** The texts, the same with a character changed, cut or doubled, and hostile ones, alone and within them. */
function near(texts: readonly string[]): readonly string[] {
  const text = fc.constantFrom(...texts);
  const spoilt = fc
    .tuple(
      text,
      fc.nat(60),
      fc.constantFrom('', ' ', '\\', '"', ',', ':', '0', '-', 'x', '\t', '\n', '{', ')'),
      fc.boolean(),
    )
    .map(([one, at, put, over]) => {
      const cut = at % (one.length + 1);
      return one.slice(0, cut) + put + one.slice(cut + (over ? 1 : 0));
    });
  const around = fc.tuple(fc.constantFrom(...HOSTILE), text).map(([one, other]) => `${one}${other}`);
  return [
    ...texts,
    ...HOSTILE,
    ...texts.map((one) => ` \t${one}\n`),
    ...fc.sample(spoilt, 25),
    ...fc.sample(around, 5),
  ];
}

const cell = (text: string): string => `"${text.replaceAll('"', '""')}"`;
/** What C's isspace takes for a blank. */
const bare = (text: string): string => text.replace(/^[ \t\n\v\f\r]+|[ \t\n\v\f\r]+$/g, '');

test.each(TYPES)(
  '%s: a cell becomes what a cast makes of its text, or is refused where the cast is',
  async (type, ...texts) => {
    const cells = near(texts);
    await bench.query(
      `drop table if exists staging.t; create table staging.t (_load_id bigint not null, _row bigint not null, x ${type}, n integer)`,
    );
    const feed = feedOf({
      columns: [column('x'), column('n', 'integer')],
      limits: { badRows: null, badRatio: null, minRows: 0, databaseRows: 10_000 },
    });
    const result = await bench.take('a.csv', `x,n\n${cells.map((one, i) => `${cell(one)},${i}`).join('\n')}\n`, feed);
    expect(result).toMatchObject({ outcome: 'loaded', rows: { read: cells.length, delta: 0 } });
    const loaded = new Map(
      (await bench.query('select n, x::text as x from staging.t')).map((row) => [row['n'], row['x']]),
    );
    const casts = await bench.query(
      `select c.value, c.failed from unnest($1::text[]) with ordinality u(x, n), lateral other.cast_to(u.x, $2) c order by n`,
      [cells.map(bare), type],
    );
    const differing = cells.flatMap((one, i) => {
      const ours = loaded.has(i) ? loaded.get(i) : 'refused';
      const theirs = bare(one) === '' ? null : casts[i]!['failed'] === true ? 'refused' : casts[i]!['value'];
      return ours === theirs ? [] : [{ cell: one.slice(0, 80), ours, theirs }];
    });
    expect(differing).toEqual([]);
    expect(loaded.size).toBeGreaterThanOrEqual(1);
  },
);
