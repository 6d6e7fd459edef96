// What a command costs before it does anything: `--version`, `status` and `run --once` with nothing to do, in
// alternation with `node -e 0`, as ratios to it in seconds and in CPU seconds.
import process from 'node:process';
import { must } from '../measure.mjs';
import { claim } from '../report.mjs';
import { freshDatabase, query } from '../server.mjs';
import { alternate, ratio, spread } from '../statistics.mjs';
import { feed, runOnce, workspace } from '../tallyman.mjs';

export const about = 'start: --version, status and run --once with nothing to do, against `node -e 0`';

/** Runs for each round that is asked for: they are short, and CPU seconds come in hundredths. */
const EACH = 4;
/** At most so many times `node -e 0`. */
const AIMS = { '--version': 2, status: 4, 'run --once': 5 };

export async function run(bench) {
  const url = await freshDatabase(bench.server.url, 'bench_start');
  const space = workspace(bench, { url, feeds: { t: feed({ dir: './drop', pattern: '*.csv' }) } });
  // Ledger, receipts and tables are there from now on.
  await runOnce(bench, space.config);
  const node =
    (...args) =>
    async () => {
      const { seconds, client } = await must(process.execPath, args);
      return { seconds, client };
    };
  const found = await alternate(bench.rounds * EACH, {
    node: node('-e', '0'),
    '--version': node(bench.main, '--version'),
    status: node(bench.main, 'status', '-c', space.config),
    'run --once': node(bench.main, 'run', '--once', '-c', space.config),
  });
  space.remove();
  await query(bench.server.url, 'drop database bench_start with (force)');
  const sum = (values) => values.reduce((a, b) => a + b, 0);
  const claims = Object.entries(AIMS).flatMap(([name, aim]) => [
    claim(`\`${name}\`: seconds, times \`node -e 0\``, ratio(found[name].seconds, found.node.seconds), { aim }),
    ...(found.node.client.includes(null)
      ? []
      : [
          claim(`\`${name}\`: CPU seconds, times \`node -e 0\``, sum(found[name].client) / sum(found.node.client), {
            aim,
          }),
        ]),
  ]);
  claims.push(claim('`node -e 0`', spread(found.node.seconds), { unit: 's' }));
  return { title: 'Start', claims, notes: ['status and run --once: one feed, nothing to do, a database on this host'] };
}
