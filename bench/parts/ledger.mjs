// What a long memory costs. N receipts are put into `tallyman.loads`; tallyman, whose ledger lacks them, takes them in
// by itself (as after the loss of data_dir): its own schema and code fill the ledger. Then at each N: start, lookups,
// small files. 100,000 and 1,000,000; `--full`: 10,000,000 too.
import { mkdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { smallFiles } from '../generate.mjs';
import { must } from '../measure.mjs';
import { claim } from '../report.mjs';
import { freshDatabase, query } from '../server.mjs';
import { SHAPES } from '../shapes.mjs';
import { spread } from '../statistics.mjs';
import { feed, runOnce, workspace } from '../tallyman.mjs';

export const about =
  'ledger of 100,000 and 1,000,000 entries: rebuild, start, lookups, small files; --full: 10,000,000 too';

const shape = 'narrow4';
const { columns } = SHAPES[shape];
/** Receipts written by one statement. */
const AT_ONCE = 1_000_000;
const PROBES = 100_000;
const SMALL = 300;

export async function run(bench) {
  const sizes = (bench.full ? [0, 100_000, 1_000_000, 10_000_000] : [0, 100_000, 1_000_000]).map((size) =>
    Math.round(size * bench.scale),
  );
  const url = await freshDatabase(bench.server.url, 'bench_ledger');
  // One data_dir for all sizes; each round of small files has a drop of its own, and the entries lie in a feed whose
  // folder is empty.
  const dataDir = path.join(bench.work, 'ledger-data');
  const empty = path.join(bench.work, 'ledger-empty');
  mkdirSync(empty);
  const seen = feed({ dir: empty, pattern: '*.csv', columns, target: { table: 't' } });
  const claims = [];
  const first = workspace(bench, { url, dataDir, feeds: { seen } });
  await runOnce(bench, first.config);
  const instance = (await must('cat', [path.join(dataDir, 'instance-id')])).out.trim();
  let there = 0;
  for (const size of sizes) {
    if (size > there) {
      for (let from = there; from < size; from += AT_ONCE)
        await query(url, receipts(empty, instance, from, Math.min(size, from + AT_ONCE)));
      await query(url, 'vacuum analyze tallyman.loads');
      const rebuild = await runOnce(bench, first.config);
      const took = size - there;
      there = size;
      claims.push(
        claim(`ledger that lacks ${took.toLocaleString('en-US')} receipts takes them in`, rebuild.seconds, {
          unit: 's',
        }),
      );
    }
    const at = size.toLocaleString('en-US');
    const start = await runOnce(bench, first.config);
    claims.push(claim(`${at} entries: \`run --once\` with nothing to do`, start.seconds, { unit: 's' }));
    if (start.peak !== null)
      claims.push(claim(`${at} entries: its peak memory`, start.peak / 1e6, { unit: 'MB', aim: 250 }));
    if (size > 0)
      claims.push(
        claim(`${at} entries: 1,000 files of a listing looked up`, await lookups(bench, dataDir, size, empty), {
          unit: 'ms',
        }),
      );
    const small = await smallBatch(bench, url, dataDir, seen, size);
    claims.push(claim(`${at} entries: ${SMALL} small files`, small, { unit: 'files/s' }));
    claims.push(
      claim(`${at} entries: ledger on disk`, statSync(path.join(dataDir, 'ledger.db')).size / 1e6, { unit: 'MB' }),
    );
  }
  first.remove();
  await query(bench.server.url, 'drop database bench_ledger with (force)');
  return { title: 'Ledger', claims };
}

/** Receipts of this instance, as its own loads would have left them. */
const receipts = (dir, instance, from, to) => `
  insert into tallyman.loads (load_key, instance_id, feed, path, file_uri, file_sha256, file_size, file_mtime, file_version, target, status, rows_read, rows_loaded, host, started_at, committed_at)
  select gen_random_uuid(), '${instance}', 'seen', name, 'file://${dir}/' || name, encode(sha256(name::bytea), 'hex'), 1000 + i % 100000, now(), '1-' || i, 'staging.t', 'loaded', 100, 100, 'bench', now(), now()
  from (select i, 'orders-' || i || '.csv' as name from generate_series(${from + 1}, ${to}) i) s`;

/** Through the ledger's own code: milliseconds for 1,000 files of a listing, known and unknown ones. */
async function lookups(bench, dataDir, size, dir) {
  const { openLedger } = await import(path.join(bench.modules, 'ledger', 'sqlite', 'sqlite-ledger.js'));
  const ledger = openLedger(dataDir);
  try {
    const files = Array.from({ length: PROBES }, (_, k) => {
      // Spread over all entries; each hundredth is new.
      const i = 1 + ((k * 7919) % size);
      return {
        path: k % 100 === 0 ? `new-${k}.csv` : `orders-${i}.csv`,
        size: 1000 + (i % 100_000),
        mtimeUs: null,
        version: `1-${i}`,
      };
    });
    const began = performance.now();
    const fresh = await ledger.unknown('seen', files);
    if (fresh.length !== PROBES / 100)
      throw new Error(`the ledger in ${dir} knows ${PROBES - fresh.length} of ${PROBES} files`);
    return ((performance.now() - began) / PROBES) * 1_000;
  } finally {
    await ledger.close();
  }
}

async function smallBatch(bench, url, dataDir, seen, size) {
  const perSecond = [];
  for (let round = 0; round < 3; round++) {
    const dir = path.join(bench.work, `ledger-small-${size}-${round}`);
    smallFiles(dir, shape, SMALL);
    const space = workspace(bench, {
      url,
      dataDir,
      feeds: { seen, [`small_${size}_${round}`]: feed({ dir, pattern: '*.csv', columns, target: { table: 't' } }) },
    });
    const run = await runOnce(bench, space.config);
    if (run.summary.files.loaded !== SMALL) throw new Error(`tallyman: ${JSON.stringify(run.summary)}`);
    perSecond.push(SMALL / run.seconds);
    space.remove();
  }
  return spread(perSecond);
}
