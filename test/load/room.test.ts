import { afterAll, beforeAll, expect, test } from 'vitest';
import { csv } from '../../src/formats/csv/index.js';
import { checkFile } from '../../src/load/dry-run.js';
import { column, feedOf, openBench, type Bench } from './support.js';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench.close());

test('a table with more room than the contract takes and refuses what the contract does, like a dry run', async () => {
  await bench.query(
    `create schema staging; create table staging.wide (_load_id bigint not null, _row bigint not null,
       i bigint, n numeric(20,6), s text, d timestamp, t text, k numeric, c char(3))`,
  );
  const feed = feedOf({
    target: { ...feedOf().target, table: 'wide' },
    limits: { ...feedOf().limits, badRatio: 1 },
    columns: [
      column('i', 'integer'),
      column('n', 'numeric(5,2)', { max: '500' }),
      column('s', 'varchar(4)'),
      column('d', 'date'),
      column('t', 'integer', { min: '5', max: '20' }),
      column('k', 'smallint'),
      column('c', 'text', { enum: ['EUR'] }),
    ],
  });
  const good = '12,1.5,abcd,2024-02-03,10,7,EUR';
  const rows = [
    good,
    '3000000000,1.5,abcd,2024-02-03,10,7,EUR',
    '12,1.555,abcd,2024-02-03,10,7,EUR',
    '12,501,abcd,2024-02-03,10,7,EUR',
    '12,1.5,abcde,2024-02-03,10,7,EUR',
    '12,1.5,abcd,2024-02-03 10:00:00,10,7,EUR',
    '12,1.5,abcd,2024-02-03,x,7,EUR',
    '12,1.5,abcd,2024-02-03,21,7,EUR',
    '12,1.5,abcd,2024-02-03,10,1.5,EUR',
    ',,,,,,',
  ];
  const job = bench.job(bench.put('wide.csv', `i,n,s,d,t,k,c\n${rows.join('\n')}\n`), feed);
  const hooks = { formats: [csv], decoders: [], onProgress: () => undefined, signal: new AbortController().signal };
  const dry = await checkFile(job, hooks);
  const real = await bench.load(job);
  expect(real).toMatchObject({ outcome: 'loaded', rows: { read: 10, loaded: 2, quarantined: 8 } });
  if (dry.outcome !== 'checked' || real.outcome !== 'loaded') throw new Error('not checked');
  expect([dry.rows, dry.errors]).toEqual([real.rows, real.errors]);
  expect(
    await bench.query('select i::text, n::text, s, d::text, t, k::text, c from staging.wide where _row = 1'),
  ).toEqual([{ i: '12', n: '1.500000', s: 'abcd', d: '2024-02-03 00:00:00', t: '10', k: '7', c: 'EUR' }]);
});

test('a table with less room is a misfit before the first byte is read, with the ALTER', async () => {
  await bench.query(
    'create table staging.narrow (_load_id bigint not null, _row bigint not null, id integer, price numeric(12,2))',
  );
  const feed = feedOf({
    target: { ...feedOf().target, table: 'narrow' },
    columns: [column('id', 'integer'), column('price', 'numeric(14,4)')],
  });
  const result = await bench.take('n.csv', 'id,price\n1,1.2345\n', feed);
  expect(result).toMatchObject({ outcome: 'misfit', error: { code: 'CONTRACT_MISFIT' } });
  expect(JSON.stringify(result)).toContain('ALTER COLUMN \\"price\\" TYPE numeric(14,4)');
});
