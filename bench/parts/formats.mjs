// NDJSON against what PostgreSQL's users do (`\copy` into jsonb, then a typed INSERT ... SELECT), and Parquet against
// `psql \copy` of the CSV of the same rows.
import { compare, psql, shell } from '../compare.mjs';
import { createTable, csvFile, ndjsonFile, parquetFile, rowsOf } from '../generate.mjs';
import { claim } from '../report.mjs';
import { SHAPES } from '../shapes.mjs';
import { loadOne } from '../tallyman.mjs';

export const about = 'NDJSON against jsonb + INSERT ... SELECT, Parquet against psql \\copy of the CSV';

const shape = 'typed16';
const { columns } = SHAPES[shape];

export async function run(bench) {
  const parts = [await ndjson(bench), await parquet(bench)];
  return {
    title: 'JSON and Parquet',
    tables: parts.map(({ table }) => table),
    claims: parts.flatMap(({ claims }) => claims),
  };
}

async function ndjson(bench) {
  const rows = rowsOf(bench, shape, 0.25);
  const file = await ndjsonFile(bench, shape, await csvFile(bench, shape, rows));
  const typed = `insert into t select ${columns.map(([name, type]) => `(j->>'${name}')::${type}`).join(', ')} from raw`;
  // Quote and delimiter that no JSON text holds: each line is one jsonb.
  const copy = `\\copy raw from '${file}' csv quote e'\\x01' delimiter e'\\x02'`;
  const { lines, of } = await compare(
    bench,
    {
      psql: {
        label: 'psql \\copy into jsonb, then INSERT ... SELECT',
        ddl: `${createTable(shape, false)}; create table raw (j jsonb)`,
        run: (url) => shell(bench, `psql "$1" -v ON_ERROR_STOP=1 -q -c "$2" -c "$3"`, url, copy, typed),
      },
      tallyman: {
        label: 'tallyman run --once',
        run: (url) => loadOne(bench, { url, file, columns, rows, format: { type: 'json' } }),
      },
    },
    { base: 'psql' },
  );
  return {
    table: { title: `NDJSON: ${rows.toLocaleString('en-US')} rows`, lines },
    claims: [
      claim('NDJSON: claim to commit of `\\copy` into jsonb + INSERT ... SELECT', of('tallyman', 'commit', 'psql'), {
        aim: 0.3,
      }),
    ],
  };
}

async function parquet(bench) {
  const rows = rowsOf(bench, shape, 0.5);
  const csv = await csvFile(bench, shape, rows);
  const file = await parquetFile(bench, shape, csv);
  const { lines, of, series } = await compare(
    bench,
    {
      psql: {
        label: 'psql \\copy of the CSV',
        ddl: createTable(shape, false),
        run: (url) => psql(bench, url, `\\copy t from '${csv}' csv header`),
      },
      tallyman: {
        label: 'tallyman run --once, Parquet',
        run: (url) => loadOne(bench, { url, file, columns, rows, format: { type: 'parquet' } }),
      },
    },
    { base: 'psql' },
  );
  const claims = [
    claim('Parquet: claim to commit of `psql \\copy` of the CSV', of('tallyman', 'commit', 'psql'), { aim: 0.8 }),
  ];
  if (series.tallyman.peak !== undefined)
    claims.push(
      claim('Parquet: peak memory, reader process included', Math.max(...series.tallyman.peak) / 1e6, { unit: 'MB' }),
    );
  return { table: { title: `Parquet: ${rows.toLocaleString('en-US')} rows`, lines }, claims };
}
