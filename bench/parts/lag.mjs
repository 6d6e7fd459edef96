// How long the main thread's event loop lags while two large loads run. `node --import bench/lag-hook.mjs` counts it,
// beside the product: nothing in it changes.
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { createTable, csvFile, rowsOf } from '../generate.mjs';
import { claim } from '../report.mjs';
import { freshDatabase, query } from '../server.mjs';
import { SHAPES } from '../shapes.mjs';
import { daemon, feed, workspace } from '../tallyman.mjs';

export const about = "lag of the daemon's event loop while two large loads run";

const shape = 'typed16';
const { columns } = SHAPES[shape];
const HOOK = pathToFileURL(path.join(import.meta.dirname, '..', 'lag-hook.mjs')).href;
const IDLE_MS = 3_000;

export async function run(bench) {
  const rows = rowsOf(bench, shape, 0.5);
  const csv = readFileSync(await csvFile(bench, shape, rows));
  const url = await freshDatabase(bench.server.url, 'bench_lag');
  await query(
    url,
    `create schema staging; ${['t0', 't1'].map((name) => createTable(shape, true).replace('table t ', `table staging.${name} `)).join('; ')}`,
  );
  const feeds = Object.fromEntries(
    ['t0', 't1'].map((name) => [name, feed({ dir: './drop', pattern: `${name}.csv`, columns })]),
  );
  const space = workspace(bench, { url, feeds });
  const lagFile = path.join(space.dir, 'lag.json');
  const names = ['t0.csv', 't1.csv'];
  mkdirSync(path.join(space.dir, 'unseen'));
  for (const name of names) writeFileSync(path.join(space.dir, 'unseen', name), csv);
  const tallyman = daemon(bench, space.config, { nodeArgs: ['--import', HOOK], env: { TALLYMAN_BENCH_LAG: lagFile } });
  try {
    await sleep(IDLE_MS); // its start is over
    const idle = await lag(tallyman, lagFile, () => sleep(IDLE_MS));
    const busy = await lag(tallyman, lagFile, async () => {
      for (const name of names) renameSync(path.join(space.dir, 'unseen', name), path.join(space.drop, name));
      while ((await loads(url)) < names.length) {
        tallyman.alive();
        await sleep(100);
      }
    });
    await tallyman.stop();
    bench.log(`idle ${JSON.stringify(idle)}, busy ${JSON.stringify(busy)}`);
    return {
      title: 'Event loop of the main thread',
      claims: [
        claim('event loop lag while two large loads run, 99 of 100', busy.p99, { unit: 'ms', aim: 50 }),
        claim('the same, longest', busy.max, { unit: 'ms' }),
        claim('the same without loads, 99 of 100', idle.p99, { unit: 'ms' }),
      ],
      notes: [
        `${rows.toLocaleString('en-US')} rows a file; ${busy.count.toLocaleString('en-US')} looks, one each 10 ms`,
      ],
    };
  } finally {
    space.remove();
    rmSync(lagFile, { force: true });
  }
}

const loads = async (url) =>
  Number(
    (
      await query(url, `select count(*) as n from tallyman.loads where status = 'loaded'`).catch(() => ({
        rows: [{ n: 0 }],
      }))
    ).rows[0].n,
  );

/** SIGUSR2 makes the hook write what it counted since the last signal. */
async function lag(tallyman, file, work) {
  await told(tallyman, file);
  await work();
  return await told(tallyman, file);
}

async function told(tallyman, file) {
  rmSync(file, { force: true });
  tallyman.child.kill('SIGUSR2');
  for (let i = 0; i < 500; i++) {
    try {
      return JSON.parse(readFileSync(file, 'utf8'));
    } catch {
      await sleep(20); // not written yet
    }
  }
  throw new Error(`the lag hook gave nothing: ${tallyman.log()}`);
}
