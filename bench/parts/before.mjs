// This build beside an earlier one, load by load in alternation: what a change costs the loads that do not use it.
import path from 'node:path';
import { compare } from '../compare.mjs';
import { csvFile, ndjsonFile, parquetFile, rowsOf, smallFiles } from '../generate.mjs';
import { claim } from '../report.mjs';
import { SHAPES } from '../shapes.mjs';
import { feed, loadOne, runOnce, workspace } from '../tallyman.mjs';

export const about = 'CSV, NDJSON, Parquet and small files of this build and of an earlier one';

const shape = 'typed16';
const { columns } = SHAPES[shape];

export async function run(bench) {
  const csv = await csvFile(bench, shape, rowsOf(bench, shape));
  const half = await csvFile(bench, shape, rowsOf(bench, shape, 0.5));
  const quarter = await csvFile(bench, shape, rowsOf(bench, shape, 0.25));
  const ndjson = await ndjsonFile(bench, shape, quarter);
  const parquet = await parquetFile(bench, shape, half);
  const dir = path.join(bench.work, 'small');
  const smallRows = smallFiles(dir, shape, bench.files);
  const loads = {
    CSV: (build, url) => loadOne(build, { url, file: csv, columns, rows: rowsOf(bench, shape) }),
    NDJSON: (build, url) =>
      loadOne(build, { url, file: ndjson, columns, rows: rowsOf(bench, shape, 0.25), format: { type: 'json' } }),
    Parquet: (build, url) =>
      loadOne(build, { url, file: parquet, columns, rows: rowsOf(bench, shape, 0.5), format: { type: 'parquet' } }),
    'small files': (build, url) => small(build, url, dir, smallRows),
  };
  const tables = [];
  const claims = [];
  for (const [name, load] of Object.entries(loads)) {
    const { lines, of, series } = await compare(
      bench,
      {
        before: { label: 'the build before', run: (url) => load({ ...bench, main: bench.before }, url) },
        now: { label: 'this build', run: (url) => load(bench, url) },
      },
      { base: 'before' },
    );
    tables.push({ title: `${name}, against the build before`, lines });
    const held = (text, metric) => claim(`${name}: ${text} of the build before`, of('now', metric, 'before', metric));
    if (series.now.commit !== undefined) claims.push(held('claim to commit', 'commit'));
    claims.push(held('whole process', 'seconds'));
    if (series.now.client !== undefined) claims.push(held('CPU of tallyman', 'client'));
    if (series.now.server !== undefined) claims.push(held('CPU of the server', 'server'));
  }
  return { title: 'Against the build before', tables, claims };
}

async function small(build, url, dir, rows) {
  const space = workspace(build, { url, feeds: { t: feed({ dir, pattern: '*.csv', columns }) } });
  try {
    const { summary, seconds, client, server, peak } = await runOnce(build, space.config);
    if (summary.files.loaded !== build.files || summary.rows.loaded !== rows)
      throw new Error(`tallyman: expected ${build.files} files, ${rows} rows: ${JSON.stringify(summary)}`);
    return { seconds, client, server, peak };
  } finally {
    space.remove();
  }
}
