// Four large files at once: does it go faster with more loads at once, and how does psql do with four connections?
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { cpus } from 'node:os';
import { compare, shell } from '../compare.mjs';
import { createTable, csvFile, rowsOf } from '../generate.mjs';
import { claim } from '../report.mjs';
import { SHAPES } from '../shapes.mjs';
import { feed, runOnce, workspace } from '../tallyman.mjs';

export const about =
  'four large files at once, with 1, 2 and 4 loads at a time, against psql \\copy one after the other and four at once';

const shape = 'typed16';
const { columns } = SHAPES[shape];
const FILES = 4;

export async function run(bench) {
  const rows = rowsOf(bench, shape, 0.25);
  const csv = await csvFile(bench, shape, rows);
  const dir = path.join(bench.work, 'four');
  mkdirSync(dir);
  const names = Array.from({ length: FILES }, (_, i) => path.join(dir, `four-${i}.csv`));
  // One content is loaded once: each file has some more rows than the one before.
  const text = readFileSync(csv);
  const last = text.subarray(text.lastIndexOf(10, text.length - 2) + 1);
  names.forEach((file, i) => writeFileSync(file, Buffer.concat([text, ...Array.from({ length: i }, () => last)])));
  const ddl = Array.from({ length: FILES }, (_, i) =>
    createTable(shape, false).replace('table t ', `table t${i} `),
  ).join('; ');
  const copy = (i) => `psql "$1" -v ON_ERROR_STOP=1 -qc "\\copy t${i} from '${names[i]}' csv header"`;
  const ours = (concurrency) => async (url) => {
    const feeds = Object.fromEntries(
      names.map((file, i) => [`t${i}`, feed({ dir, pattern: path.basename(file), columns })]),
    );
    const space = workspace(bench, { url, feeds, concurrency });
    try {
      const run = await runOnce(bench, space.config);
      if (run.summary.files.loaded !== FILES) throw new Error(`tallyman: ${JSON.stringify(run.summary)}`);
      return { seconds: run.seconds, client: run.client, server: run.server, peak: run.peak };
    } finally {
      space.remove();
    }
  };
  const { lines, of, series } = await compare(
    bench,
    {
      psql: {
        label: 'psql \\copy, one after the other',
        ddl,
        run: (url) => shell(bench, names.map((_, i) => copy(i)).join(' && '), url),
      },
      psql4: {
        label: 'psql \\copy, four at once',
        ddl,
        run: (url) =>
          shell(
            bench,
            `${names.map((_, i) => `${copy(i)} & p${i}=$!;`).join(' ')} ${names.map((_, i) => `wait $p${i}`).join(' && ')}`,
            url,
          ),
      },
      one: { label: 'tallyman, concurrency 1', run: ours(1) },
      two: { label: 'tallyman, concurrency 2', run: ours(2) },
      four: { label: 'tallyman, concurrency 4', run: ours(4) },
    },
    { base: 'psql', rounds: Math.min(bench.rounds, 5) },
  );
  const claims = [
    claim(
      `four files: \`run --once\` with concurrency 4 of four \`psql \\copy\` at once, ${cpus().length} cores`,
      of('four', 'seconds', 'psql4'),
    ),
    claim('four files: concurrency 4 of concurrency 1', of('four', 'seconds', 'one')),
  ];
  if (series.four.peak !== undefined)
    claims.push(claim('four files: peak memory, concurrency 4', Math.max(...series.four.peak) / 1e6, { unit: 'MB' }));
  return {
    title: 'Four large files at once',
    tables: [{ title: `${FILES} x ${rows.toLocaleString('en-US')} rows, a table each`, lines }],
    claims,
  };
}
