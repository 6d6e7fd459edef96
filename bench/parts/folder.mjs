// A folder full of files that the ledger knows already: how long from the start of the daemon until a new one among
// them is found. 200,000 files; `--full`: 1,000,000.
import { mkdirSync, writeFileSync, writeSync, openSync, closeSync, rmSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { onEnd } from '../cleanup.mjs';
import { must } from '../measure.mjs';
import { claim } from '../report.mjs';
import { freshDatabase, query } from '../server.mjs';
import { SHAPES } from '../shapes.mjs';
import { daemon, feed, workspace } from '../tallyman.mjs';

export const about = 'start-up over a folder of 200,000 ledgered files until a new one is found; --full: 1,000,000';

const { columns } = SHAPES.narrow4;
const NEW = ['a.csv', 'm.csv', 'z.csv'];

export async function run(bench) {
  const count = Math.round((bench.full ? 1_000_000 : 200_000) * bench.scale);
  const url = await freshDatabase(bench.server.url, 'bench_folder');
  const dir = path.join(bench.work, 'folder');
  mkdirSync(dir);
  // rm is several times as fast as Node here.
  const remove = onEnd(() => must('rm', ['-rf', dir]).then(() => undefined));
  bench.log(`making ${count.toLocaleString('en-US')} files`);
  // Empty ones: a file with bytes takes a block of disk, and nothing here reads them.
  for (let i = 0; i < count; i++) closeSync(openSync(path.join(dir, `orders-${i}.csv`), 'w'));
  const space = workspace(bench, { url, feeds: { t: feed({ dir, pattern: '*.csv', columns }) } });
  bench.log('tallyman ledger adopt');
  const adopt = await must(
    process.execPath,
    [bench.main, 'ledger', 'adopt', '--feed', 't', '--json', '-c', space.config],
    { server: bench.server },
  );
  if (JSON.parse(adopt.out).adopted !== count) throw new Error(`tallyman: ${adopt.out}`);
  const at = `${count.toLocaleString('en-US')} ledgered files`;
  try {
    // The first start also learns each receipt; after that it is the listing that takes the time.
    const first = await start(bench, space, dir, '1');
    const again = await start(bench, space, dir, '2');
    const claims = [
      claim(`${at}: \`ledger adopt\` of all`, adopt.seconds, { unit: 's' }),
      claim(`${at}: daemon's start to the first new file found`, Math.min(...again.seconds), { unit: 's', aim: 15 }),
      claim(`${at}: to the last of ${NEW.length} new files found`, Math.max(...again.seconds), { unit: 's' }),
      claim(`${at}: the first start after \`ledger adopt\`, to the first`, Math.min(...first.seconds), {
        unit: 's',
        aim: 15,
      }),
      claim(`${at}: the first start after \`ledger adopt\`, to the last`, Math.max(...first.seconds), { unit: 's' }),
    ];
    if (again.peak !== null)
      claims.push(
        claim(`${at}: peak memory`, again.peak / 1e6, { unit: 'MB', aim: 250 }),
        claim(`${at}: peak memory of the first start`, first.peak / 1e6, { unit: 'MB' }),
      );
    return { title: 'A folder of known files', claims };
  } finally {
    space.remove();
    await remove();
    rmSync(dir, { recursive: true, force: true });
    await query(bench.server.url, 'drop database bench_folder with (force)').catch((error) => bench.log(error.message));
  }
}

/**
 * Puts new files among the others and starts the daemon: seconds until each is found, and the most memory that it held.
 */
async function start(bench, space, dir, round) {
  const names = NEW.map((name) => `${round}-${name}`);
  for (const name of names)
    writeFileSync(
      path.join(dir, name),
      `${columns.map(([column]) => column).join(',')}\n${round},2,2026-01-01T00:00:00Z,${name.charCodeAt(2)}\n`,
    );
  const tallyman = daemon(bench, space.config);
  try {
    const found = await foundAt(path.join(space.dataDir, 'ledger.db'), tallyman, names);
    await sleep(1_000); // the loads are over, and the memory of the listing has shown
    return { seconds: found.map((ms) => (ms - tallyman.startedAt) / 1000), peak: tallyman.memory.peak };
  } finally {
    await tallyman.stop();
  }
}

/** discovered_at of the new files, as the ledger has it: milliseconds since 1970. */
async function foundAt(file, tallyman, names) {
  const ledger = new Database(file, { readonly: true });
  try {
    const ask = ledger
      .prepare('select discovered_at from entry where feed_id = (select feed_id from feed where name = ?) and path = ?')
      .pluck();
    for (const until = performance.now() + 300_000; performance.now() < until; await sleep(50)) {
      tallyman.alive();
      const found = names.map((name) => ask.get('t', name));
      if (found.every((at) => at !== undefined)) return found;
    }
    throw new Error(`the new files were not found within 5 minutes: ${tallyman.log()}`);
  } finally {
    ledger.close();
  }
}
