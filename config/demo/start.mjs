// `npm start`: installs, builds, loads the demo's files into an embedded PostgreSQL in ./tallyman-data, shows what
// happened and how to look at it, and keeps watching. Ctrl-C ends it; started again, it goes on where it was.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { build, install, modules, root } from '../setup.mjs';

install();
build();

const main = path.join(root, 'dist', 'main.js');
const config = path.join(root, 'config', 'demo', 'tallyman.yaml');
const drop = path.join('config', 'demo', 'drop');
const say = (text) => process.stdout.write(`${text}\n`);
const tallyman = (...args) =>
  spawnSync(process.execPath, [main, ...args, '-c', config], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });

// The server stays up between the steps as long as one process uses it: importing what starts it here spares three
// starts.
const { startEmbedded } = await import(path.join(modules(), 'postgres', 'embedded', 'start.js'));
let server;
try {
  server = await startEmbedded(path.join(root, 'tallyman-data'), { info: () => undefined });
} catch (error) {
  process.stderr.write(`tallyman: ${error.message}\n${error.fix ? `  what to do: ${error.fix}\n` : ''}`);
  process.exit(error.exit ?? 1);
}

say(`\nLoading what lies in ${drop} into an embedded PostgreSQL:\n`);
const once = tallyman('run', '--once');
// 0 all well, 3 some rows were quarantined: the demo has bad rows on purpose. 11: it runs already.
if (![0, 3].includes(once.status)) {
  await server.release();
  process.exit(once.status ?? 1);
}
say('\nThe ledger, newest first:\n');
tallyman('files');
say('\nIn quarantine, grouped:\n');
tallyman('quarantine');

const onPath = (name) =>
  (process.env.PATH ?? '').split(path.delimiter).some((dir) => dir !== '' && existsSync(path.join(dir, name)));
say(`\nThe rows are in PostgreSQL:\n  ${server.url}`);
if (onPath('psql')) {
  say(`\n  psql '${server.url}' -c 'select * from staging.orders order by _load_id, _row limit 5'`);
  say(`  psql '${server.url}' -c 'select * from tallyman.tally'`);
}
const refused = refusedFile();
if (refused !== null)
  say(
    `\nThe refused rows, for the supplier:\n  node dist/main.js quarantine export ${refused} --format html -o refused.html -c config/demo/tallyman.yaml`,
  );
say(`\nNow watching. Copy a file into ${path.join(drop, 'orders')} and it loads within two seconds, for example:`);
say(
  `  cp ${path.join(drop, 'orders', 'orders_20261119.csv')} ${path.join(drop, 'orders', 'orders_20261120.csv')} && echo '9001,Someone New,10.00,EUR,20/11/2026 10:00:00' >> ${path.join(drop, 'orders', 'orders_20261120.csv')}`,
);
say('Ctrl-C ends it; nothing is lost.\n');

/** The newest file with rows in quarantine. */
function refusedFile() {
  const { stdout } = spawnSync(process.execPath, [main, 'files', '--json', '-c', config], {
    cwd: root,
    encoding: 'utf8',
  });
  return JSON.parse(stdout).items.find((file) => file.rows.quarantined > 0)?.file_id ?? null;
}

const daemon = spawn(process.execPath, [main, 'run', '-c', config], {
  cwd: root,
  stdio: ['ignore', 'inherit', 'inherit'],
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => daemon.kill(signal));
const code = await new Promise((resolve) =>
  daemon.once('exit', (exit, signal) => resolve(exit ?? (signal === 'SIGINT' ? 130 : 143))),
);
await server.release();
process.exit(code);
