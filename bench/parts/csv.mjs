// CSV of four shapes against `psql \copy` and the floor: `psql \copy` of the same rows encoded beforehand as binary
// COPY with the two lineage columns.
import { statSync } from 'node:fs';
import { compare, psql } from '../compare.mjs';
import { binaryFile, createTable, csvFile, rowsOf } from '../generate.mjs';
import { claim } from '../report.mjs';
import { SHAPES } from '../shapes.mjs';
import { loadOne } from '../tallyman.mjs';

export const about = 'CSV: 16 typed, 4 narrow, 200 wide columns, long texts; against psql \\copy and the floor';

export async function run(bench) {
  const tables = [];
  const claims = [];
  for (const shape of bench.shapes) {
    const rows = rowsOf(bench, shape);
    const csv = await csvFile(bench, shape, rows);
    const binary = await binaryFile(bench, shape, csv);
    const { columns } = SHAPES[shape];
    const typed = shape === 'typed16';
    const ddl = createTable(shape, true).replace('create table t', 'create schema staging; create table staging.t');
    const { lines, of, series } = await compare(
      bench,
      {
        psql: {
          label: 'psql \\copy of the CSV',
          ddl: createTable(shape, false),
          run: (url) => psql(bench, url, `\\copy t from '${csv}' csv header`),
        },
        floor: {
          label: 'psql \\copy of binary, encoded beforehand (the floor)',
          ddl: createTable(shape, true),
          run: (url) => psql(bench, url, `\\copy t from '${binary}' binary`),
        },
        tallyman: {
          label: 'tallyman run --once',
          ddl,
          run: (url) => loadOne(bench, { url, file: csv, columns, rows }),
        },
      },
      { base: 'psql', floor: 'floor' },
    );
    tables.push({
      title: `${shape}: ${rows.toLocaleString('en-US')} rows x ${columns.length} columns, ${(statSync(csv).size / 1e6).toFixed(0)} MB`,
      lines,
      readme: shape === 'typed16',
    });
    claims.push(
      claim(`${shape}: claim to commit of \`psql \\copy\``, of('tallyman', 'commit', 'psql'), {
        aim: typed ? 0.7 : 0.8,
      }),
    );
    claims.push(
      claim(`${shape}: claim to commit of the floor`, of('tallyman', 'commit', 'floor'), typed ? { aim: 1.08 } : {}),
    );
    claims.push(
      claim(
        `${shape}: \`run --once\`, whole process, of \`psql \\copy\``,
        of('tallyman', 'seconds', 'psql'),
        typed ? { aim: 0.85 } : {},
      ),
    );
    if (typed && series.tallyman.peak !== undefined)
      claims.push(claim(`${shape}: peak memory`, Math.max(...series.tallyman.peak) / 1e6, { unit: 'MB', aim: 250 }));
  }
  return { title: 'CSV', tables, claims };
}
