// The cost of a file against the size of its table: counts and receipts of a load must not read what earlier loads
// left. Tables of 0, 1,000,000 and 10,000,000 rows (`--full`: 100,000,000 too) with a receipt for each 1,000 of them,
// and the largest once more after a purge of half of them.
import path from 'node:path';
import { createTable, smallFiles } from '../generate.mjs';
import { claim } from '../report.mjs';
import { freshDatabase, query } from '../server.mjs';
import { SHAPES } from '../shapes.mjs';
import { spread } from '../statistics.mjs';
import { feed, runOnce, workspace } from '../tallyman.mjs';

export const about =
  'claim to commit of a small file into tables of up to 10,000,000 rows (--full: 100,000,000), and into a purged one';

const shape = 'narrow4';
const { columns } = SHAPES[shape];
const FILES = 100;
const AT_ONCE = 10_000_000;
const ROWS_A_LOAD = 1_000;

export async function run(bench) {
  const sizes = (bench.full ? [0, 1_000_000, 10_000_000, 100_000_000] : [0, 1_000_000, 10_000_000]).map((size) =>
    Math.round(size * bench.scale),
  );
  const url = await freshDatabase(bench.server.url, 'bench_reconcile');
  await query(url, `create schema staging; ${createTable(shape, true).replace('table t ', 'table staging.t ')}`);
  const claims = [];
  const dataDir = path.join(bench.work, 'reconcile-data');
  const measured = async (what, turn) =>
    claims.push(
      claim(`small file into ${what}: claim to commit`, await load(bench, url, dataDir, turn), { unit: 'ms' }),
    );
  await load(bench, url, dataDir, 'warm');
  let there = 0;
  for (const size of sizes) {
    for (; there < size; there = Math.min(size, there + AT_ONCE))
      await fill(url, there, Math.min(size, there + AT_ONCE));
    await query(url, 'vacuum analyze');
    await measured(`a table of ${size.toLocaleString('en-US')} rows`, `rows_${size}`);
  }
  const last = sizes.at(-1);
  await query(url, `delete from staging.t where _load_id > 0 and _load_id % 2 = 0`);
  await query(url, 'vacuum analyze staging.t');
  await measured(`a table of ${last.toLocaleString('en-US')} rows of which half were purged`, 'purged');
  await query(bench.server.url, 'drop database bench_reconcile with (force)');
  const [first, ...others] = claims;
  const largest = others[others.length - 2] ?? first;
  claims.push(claim('small file: the largest table, of the empty one', largest.value.median / first.value.median));
  return { title: 'Reconciliation', claims };
}

/**
 * Rows and receipts as loads of 1,000 rows would have left them; of another host, so that the ledger need not know
 * them.
 */
async function fill(url, from, to) {
  await query(
    url,
    `insert into staging.t select i / ${ROWS_A_LOAD} + 1000000, i % ${ROWS_A_LOAD} + 1, i, i % 5000, '2026-01-01'::timestamptz + i * interval '1 second', i / 7.0 from generate_series(${from}::bigint, ${to - 1}::bigint) i`,
  );
  await query(
    url,
    `insert into tallyman.loads (load_id, load_key, instance_id, feed, path, file_uri, file_sha256, file_size, file_version, target, status, rows_read, rows_loaded, started_at, committed_at)
     select i + 1000000, gen_random_uuid(), 'bench', 'earlier', i || '.csv', 'file:///' || i, encode(sha256(i::text::bytea), 'hex'), 1000, '1', 'staging.t', 'loaded', ${ROWS_A_LOAD}, ${ROWS_A_LOAD}, now(), now()
     from generate_series(${Math.ceil(from / ROWS_A_LOAD)}::bigint, ${Math.floor((to - 1) / ROWS_A_LOAD)}::bigint) i`,
  );
}

/** Claim to commit of each of the small files, milliseconds. */
async function load(bench, url, dataDir, turn) {
  const dir = path.join(bench.work, `reconcile-${turn}`);
  smallFiles(dir, shape, FILES);
  const space = workspace(bench, {
    url,
    dataDir,
    concurrency: 1,
    feeds: { [`f_${turn}`]: feed({ dir, pattern: '*.csv', columns, target: { table: 't' } }) },
  });
  try {
    const run = await runOnce(bench, space.config);
    const loaded = run.reports.filter(({ state }) => state === 'loaded');
    if (loaded.length !== FILES) throw new Error(`tallyman: ${JSON.stringify(run.summary)}`);
    return spread(loaded.map(({ seconds }) => seconds.load * 1e3));
  } finally {
    space.remove();
  }
}
