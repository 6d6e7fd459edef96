// Other ways to get the same CSV in: csv-parse with a text COPY, and pgloader where it is on the PATH. On an eighth of
// the rows: they are slow.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { compare, psql } from '../compare.mjs';
import { createTable, csvFile, onPath, rowsOf } from '../generate.mjs';
import { must } from '../measure.mjs';
import { claim } from '../report.mjs';
import { query } from '../server.mjs';
import { SHAPES } from '../shapes.mjs';
import { loadOne } from '../tallyman.mjs';

export const about = 'the same CSV through csv-parse + text COPY, and through pgloader where it is installed';

export async function run(bench) {
  const shape = 'typed16';
  const { columns } = SHAPES[shape];
  const rows = rowsOf(bench, shape, 1 / 8);
  const csv = await csvFile(bench, shape, rows);
  const ddl = createTable(shape, false);
  const complete = async (url, measured) => {
    const found = Number((await query(url, 'select count(*) as n from t')).rows[0].n);
    if (found !== rows) throw new Error(`${found} of ${rows} rows arrived`);
    return measured;
  };
  const contestants = {
    psql: { label: 'psql \\copy of the CSV', ddl, run: (url) => psql(bench, url, `\\copy t from '${csv}' csv header`) },
    tallyman: { label: 'tallyman run --once', run: (url) => loadOne(bench, { url, file: csv, columns, rows }) },
    csvparse: {
      label: 'csv-parse, text COPY, no checks',
      ddl,
      run: async (url) =>
        complete(
          url,
          await own(bench, process.execPath, [path.join(import.meta.dirname, '..', 'peer-csv-parse.mjs'), csv, url]),
        ),
    },
  };
  const notes = [];
  if (onPath('pgloader'))
    contestants.pgloader = {
      label: 'pgloader',
      ddl,
      run: async (url) => complete(url, await own(bench, 'pgloader', ['--quiet', loadFile(bench, csv, url, columns)])),
    };
  else notes.push('pgloader is not on the PATH: left out');
  const { lines, of } = await compare(bench, contestants, { base: 'psql' });
  const claims = [claim("csv-parse script, time of tallyman's whole process", of('csvparse', 'seconds', 'tallyman'))];
  if (contestants.pgloader !== undefined)
    claims.push(claim("pgloader, time of tallyman's whole process", of('pgloader', 'seconds', 'tallyman')));
  return {
    title: 'Other ways',
    tables: [{ title: `${shape}: ${rows.toLocaleString('en-US')} rows`, lines }],
    claims,
    notes,
  };
}

async function own(bench, command, args) {
  const { seconds, client, server, peak } = await must(command, args, { server: bench.server, cwd: bench.work });
  return { seconds, client, server, peak };
}

function loadFile(bench, csv, url, columns) {
  const file = path.join(bench.work, 'pgloader.load');
  const names = columns.map(([name]) => name).join(', ');
  writeFileSync(
    file,
    `LOAD CSV FROM '${csv}' HAVING FIELDS (${names})\n INTO ${url}?sslmode=disable\n TARGET TABLE public.t\n TARGET COLUMNS (${names})\n` +
      ` WITH skip header = 1, fields optionally enclosed by '"', fields escaped by double-quote, fields terminated by ',';\n`,
  );
  return file;
}
