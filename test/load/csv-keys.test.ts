import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FeedSpec } from '../../src/core/feed/feed.js';
import { toldDrift } from '../../src/core/report.js';
import { column, feedOf, openBench, type Bench } from './support.js';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(async () => {
  await bench.close();
});

let count = 0;
/** A feed with a table of its own. */
const feedWith = (options: Record<string, unknown>, change: Partial<FeedSpec> = {}): FeedSpec => {
  const table = `t${++count}`;
  return feedOf({
    name: table,
    format: { type: 'csv', options },
    target: { schema: 'staging', table, mode: 'append', create: true, loadIndex: 'none' },
    ...change,
  });
};
const rowsIn = async ({ target }: FeedSpec): Promise<Record<string, unknown>[]> =>
  await bench.query(`select * from staging.${target.table} order by _row`);

describe('preset: pgcopy', () => {
  test('takes what COPY TO of a real PostgreSQL writes, character by character', async () => {
    const { client } = bench.db;
    await client.query('create table public.odd (id integer, a text, b text)');
    const control = Array.from({ length: 31 }, (_, i) => String.fromCharCode(i + 1)).join('');
    const values = [
      control,
      '',
      null,
      '\\N',
      'NULL',
      '\t',
      'a\nb',
      'a\r\nb',
      '\\',
      '\\\\n',
      '"quoted"',
      'é日𝄞',
      '\\.',
      ' x ',
    ];
    for (const [index, value] of values.entries())
      await client.query('insert into public.odd values ($1, $2, $3)', [index, value, values.at(-1 - index)]);
    const dir = (await client.query<{ d: string }>('select current_setting($1) as d', ['data_directory'])).rows[0]!.d;
    await client.query(`copy public.odd to '${dir}/odd.txt'`);
    const text = (await client.query<{ t: string }>('select pg_read_file($1) as t', [`${dir}/odd.txt`])).rows[0]!.t;
    const feed = feedWith({ preset: 'pgcopy' }, { columns: [column('id', 'integer'), column('a'), column('b')] });
    const result = await bench.take('odd.txt', text, feed);
    expect(result).toMatchObject({ outcome: 'loaded', rows: { read: values.length, loaded: values.length } });
    expect(await bench.query(`select id, a, b from staging.${feed.target.table} order by id`)).toEqual(
      await bench.query('select id, a, b from public.odd order by id'),
    );
  });
});

describe('preset: mysql and redshift', () => {
  test('take what SELECT INTO OUTFILE and UNLOAD with ESCAPE write by their manuals', async () => {
    // mysql: an escape before itself, tabs and line feeds; NUL is \0, NULL is \N; a letter as --batch writes it.
    const mysql = feedWith({ preset: 'mysql' }, { columns: [column('id', 'integer'), column('a')] });
    await bench.take('m.txt', '1\ta\\\tb\n2\ta\\\nb\n3\t\\\\N\n4\t\\N\n5\t\n6\ta\\nb\n7\t"x"\n', mysql);
    expect((await rowsIn(mysql)).map(({ a }) => a)).toEqual(['a\tb', 'a\nb', '\\N', null, '', 'a\nb', '"x"']);
    const redshift = feedWith({ preset: 'redshift' }, { columns: [column('id', 'integer'), column('a')] });
    await bench.take('r.txt', '1|a\\|b\n2|a\\\nb\n3|a\\\r\\\nb\n4|\\\\\n5|\n6|"x"\n7|a\\nb\n', redshift);
    expect((await rowsIn(redshift)).map(({ a }) => a)).toEqual(['a|b', 'a\nb', 'a\r\nb', '\\', null, '"x"', 'anb']);
  });

  test('give way to keys that are set beside them', async () => {
    const feed = feedWith({ preset: 'mysql', delimiter: ',', header: true, nulls: ['NULL'] });
    await bench.take('o.csv', 'id,name\n1,NULL\n2,\\N\n', feed);
    expect((await rowsIn(feed)).map(({ name }) => name)).toEqual([null, 'N']);
  });
});

describe('quotes that nobody escaped', () => {
  test('are refused, and with quotes: lenient characters', async () => {
    const text = 'id,name\n1,"48" table"\n2,"plain"\n3,"TV 32""\n4,d\n5,e\n';
    const strict = feedWith({});
    expect(await bench.take('q1.csv', text, strict)).toMatchObject({ rows: { read: 5, loaded: 3, quarantined: 2 } });
    const lenient = feedWith({ quotes: 'lenient' });
    expect(await bench.take('q2.csv', text, lenient)).toMatchObject({ rows: { read: 5, loaded: 5, quarantined: 0 } });
    expect((await rowsIn(lenient)).map(({ name }) => name)).toEqual(['48" table', 'plain', 'TV 32"', 'd', 'e']);
  });
});

describe('rows with more cells than columns', () => {
  const text = 'id,name\n1,a\n2,b,c,"d ""e"""\n3,d,,\n4,e,\n5,f,,x\n';

  test('are refused', async () => {
    const feed = feedWith({});
    expect(await bench.take('l1.csv', text, feed)).toMatchObject({ rows: { read: 5, loaded: 3, quarantined: 2 } });
  });

  test('with long_rows: drop are loaded without the surplus, counted as drift', async () => {
    const feed = feedWith({ long_rows: 'drop' });
    const result = await bench.take('l2.csv', text, feed);
    expect(result).toMatchObject({ rows: { read: 5, loaded: 5, quarantined: 0 } });
    expect('drift' in result ? result.drift : []).toContainEqual({
      kind: 'ignored',
      column: 'column_3',
      message: '2 rows have more cells than the 2 columns: dropped',
    });
  });

  test('with long_rows: rescue keep it in _rescued, beside unknown columns', async () => {
    const feed = feedWith({ long_rows: 'rescue' });
    const result = await bench.take('l3.csv', text, feed);
    expect(result).toMatchObject({ rows: { read: 5, loaded: 5, quarantined: 0 } });
    expect('drift' in result ? result.drift : []).toContainEqual({
      kind: 'unknown',
      column: 'column_3',
      message: '2 rows have more cells than the 2 columns: kept in _rescued',
    });
    expect((await rowsIn(feed)).map(({ _rescued }) => _rescued)).toEqual([
      null,
      { column_3: 'c', column_4: 'd "e"' },
      null,
      null,
      { column_3: null, column_4: 'x' },
    ]);
    const both = feedWith({ long_rows: 'rescue' }, { onUnknownColumn: 'rescue' });
    await bench.take('l4.csv', 'id,name,column_4\n1,a,u,v\n2,b,w\n', both);
    expect((await rowsIn(both)).map(({ _rescued }) => _rescued)).toEqual([
      { column_4: 'u', column_4_2: 'v' },
      { column_4: 'w' },
    ]);
  });
});

describe('what stands among the records and is no data', () => {
  const counts = (read: number, loaded: number, skipped: number, quarantined = 0): object => ({
    outcome: 'loaded',
    rows: { read, loaded, quarantined, skipped, delta: 0 },
  });
  const byRule = (result: Awaited<ReturnType<Bench['take']>>): unknown =>
    'drift' in result ? toldDrift(result.drift) : null;

  test('skip_after_header passes over lines below the header', async () => {
    const feed = feedWith({ skip_after_header: 2 });
    const result = await bench.take('s.csv', 'id,name\n--,"--\n(int),(text)\n1,a\n2,b\n', feed);
    expect(result).toMatchObject(counts(2, 2, 0));
    expect(byRule(result)).toMatchObject({ lines_skipped: 2, rows_skipped: {} });
  });

  test('repeated headers are counted as skipped, in totals and unique keys they are nothing', async () => {
    const text = 'id,name\n1,a\n"id",name\n2,b\nid,name\nid,name\n3,c\nid,x\n4,d\n';
    const feed = feedWith(
      { repeated_header: 'skip' },
      { columns: [column('id', 'integer', { unique: true }), column('name')] },
    );
    const result = await bench.take('h.csv', text, feed);
    expect(result).toMatchObject(counts(8, 4, 3, 1));
    expect(byRule(result)).toMatchObject({ rows_skipped: { repeated_header: 3 } });
    expect((await rowsIn(feed)).map(({ _row, id }) => [Number(_row), id])).toEqual([
      [1, 1],
      [3, 2],
      [6, 3],
      [8, 4],
    ]);
    const plain = feedWith({});
    expect(await bench.take('h2.csv', text, plain)).toMatchObject(counts(8, 4, 0, 4));
  });

  test('footers are the records at the end that match one of the expressions, and only there', async () => {
    const text = 'id,name\n1,a\nTotal 1\n2,b\n"Total",2\nMade by "x\n';
    const feed = feedWith({ footer: ['^Total', '^Made by'] });
    const result = await bench.take('f.csv', text, feed);
    expect(result).toMatchObject(counts(5, 2, 2, 1));
    expect(byRule(result)).toMatchObject({ rows_skipped: { footer: 2 } });
  });

  test('a trailer that control takes stands behind the footers, and its count is of the data', async () => {
    const control = feedOf().control;
    const feed = feedWith(
      { footer: '^Total' },
      {
        control: {
          ...(control ?? {}),
          header: null,
          trailer: '^TRL,(?<rows>\\d+)',
          rowsOffset: 0,
          manifest: null,
          metadata: null,
          checksum: null,
          totals: { id: 'sum' },
        },
      },
    );
    const trailer = { trailer: '^TRL,(?<rows>\\d+),(?<sum>\\d+)' };
    const said = { ...feed, control: { ...feed.control!, ...trailer } };
    const result = await bench.take('t.csv', 'id,name\n1,a\n2,b\nTotal,x\nTRL,2,3\n', said);
    expect(result).toMatchObject(counts(3, 2, 1));
    expect(result).toMatchObject({ rows: { declared: 2 } });
  });

  test('a file of nothing but footers is held in bounded memory: the last hundred are footers', async () => {
    const feed = feedWith({ header: false, footer: '.' }, { columns: [column('a')], limits: { ...feedOf().limits } });
    const lines = Array.from({ length: 30_000 }, (_, i) => `v${i}`).join('\n');
    expect(await bench.take('m.csv', lines, feed)).toMatchObject(counts(30_000, 29_900, 100));
  });
});
