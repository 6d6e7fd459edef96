// Many small files: files a second of `run --once`, against a shell loop of psql; and one small file at a time into a
// running daemon.
import { renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { compare, shell } from '../compare.mjs';
import { createTable, smallFiles } from '../generate.mjs';
import { claim } from '../report.mjs';
import { freshDatabase, query } from '../server.mjs';
import { prng, SHAPES } from '../shapes.mjs';
import { spread } from '../statistics.mjs';
import { daemon, feed, runOnce, workspace } from '../tallyman.mjs';
import pg from 'pg';

export const about =
  'files of 20 to 200 rows: files a second against a psql loop, and the time from drop to commit of a single one';

const shape = 'typed16';
const { columns } = SHAPES[shape];
/** The shell loop is run over the first of them only: it does the same for each. */
const LOOP_FILES = 300;
const DROPS = 60;

export async function run(bench) {
  const dir = path.join(bench.work, 'small');
  const rows = smallFiles(dir, shape, bench.files);
  const loop = Math.min(LOOP_FILES, bench.files);
  const { series } = await compare(
    bench,
    {
      psql: {
        label: 'psql loop',
        ddl: createTable(shape, false),
        run: (url) =>
          shell(
            bench,
            `for f in $(ls "$2" | head -n ${loop}); do psql "$1" -v ON_ERROR_STOP=1 -qc "\\copy t from '$2/$f' csv header" || exit 1; done`,
            url,
            dir,
          ),
      },
      two: { label: 'tallyman', run: (url) => all(bench, url, dir, rows, 2) },
      four: { label: 'tallyman', run: (url) => all(bench, url, dir, rows, 4) },
    },
    { base: 'psql', rounds: Math.min(bench.rounds, 3) },
  );
  const perSecond = (name, files) => spread(series[name].seconds.map((seconds) => files / seconds));
  const times = (name) =>
    spread(series[name].seconds.map((seconds, i) => bench.files / seconds / (loop / series.psql.seconds[i])));
  const claims = [
    claim(`psql loop, first ${loop} of the small files`, perSecond('psql', loop), { unit: 'files/s' }),
    claim(
      `${bench.files.toLocaleString('en-US')} small files, \`run --once\`, concurrency 2 (the default)`,
      perSecond('two', bench.files),
      { unit: 'files/s', aim: 300, better: 'higher' },
    ),
    claim('small files, concurrency 4', perSecond('four', bench.files), { unit: 'files/s' }),
    claim('small files, times the psql loop', times('two'), { unit: 'x', aim: 9, better: 'higher' }),
  ];
  if (series.two.client !== undefined)
    claims.push(
      claim('small files, CPU of tallyman a file', spread(series.two.client.map((s) => (s / bench.files) * 1e3)), {
        unit: 'ms',
      }),
      claim('small files, CPU of the server a file', spread(series.two.server.map((s) => (s / bench.files) * 1e3)), {
        unit: 'ms',
      }),
    );
  const drops = await latency(bench);
  claims.push(
    claim(`one small file into a running daemon, drop to COMMIT, median of ${DROPS}`, drops, { unit: 'ms', aim: 150 }),
    claim('the same, 95 of 100', drops.p95, { unit: 'ms' }),
  );
  return { title: 'Small files', claims };
}

async function all(bench, url, dir, rows, concurrency) {
  const space = workspace(bench, { url, concurrency, feeds: { t: feed({ dir, pattern: '*.csv', columns }) } });
  try {
    const run = await runOnce(bench, space.config);
    if (run.summary.files.loaded !== bench.files || run.summary.rows.loaded !== rows)
      throw new Error(`tallyman: expected ${bench.files} files, ${rows} rows: ${JSON.stringify(run.summary)}`);
    return { seconds: run.seconds, client: run.client, server: run.server, peak: run.peak };
  } finally {
    space.remove();
  }
}

/** From the rename into the drop until the receipt's committed_at: both are this machine's clock. Milliseconds. */
async function latency(bench) {
  const url = await freshDatabase(bench.server.url, 'bench_latency');
  const space = workspace(bench, { url, feeds: { t: feed({ dir: './drop', pattern: '*.csv', columns }) } });
  const tallyman = daemon(bench, space.config);
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  const random = prng(11);
  const taken = [];
  try {
    for (let i = -1; i < DROPS; i++) {
      const unseen = path.join(space.dir, 'unseen.csv');
      const name = `drop-${i}.csv`;
      writeFileSync(
        unseen,
        `${columns.map(([column]) => column).join(',')}\n${Array.from({ length: 100 }, (_, row) => SHAPES[shape].row(row, random)).join('\n')}\n`,
      );
      const dropped = Date.now();
      renameSync(unseen, path.join(space.drop, name));
      const committed = await committedAt(client, name, tallyman);
      // The first one waits for the daemon's start.
      if (i >= 0) taken.push(committed - dropped);
      // Not in step with any timer of the daemon.
      await sleep(100 + random(400));
    }
    await tallyman.stop();
  } finally {
    await client.end();
    space.remove();
  }
  await query(bench.server.url, 'drop database bench_latency with (force)');
  const sorted = [...taken].sort((a, b) => a - b);
  bench.log(`drops, ms: ${sorted.join(' ')}`);
  return { ...spread(taken), p95: sorted[Math.floor(sorted.length * 0.95)] };
}

async function committedAt(client, name, tallyman) {
  for (const until = process.hrtime.bigint() + 60_000_000_000n; process.hrtime.bigint() < until; await sleep(10)) {
    tallyman.alive();
    const there = (await client.query(`select to_regclass('tallyman.loads') is not null as there`)).rows[0].there;
    const row = there
      ? (
          await client.query(
            `select extract(epoch from committed_at) * 1000 as at from tallyman.loads where path = $1 and status = 'loaded'`,
            [name],
          )
        ).rows[0]
      : undefined;
    if (row !== undefined) return Number(row.at);
  }
  throw new Error(`${name} was not loaded within a minute: ${tallyman.log()}`);
}
