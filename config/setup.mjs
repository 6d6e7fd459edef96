// What `npm start` and `npm test` need before anything else: packages installed as the lock file says, and dist/ built.
// Plain Node, because at this point nothing else is there. `node config/setup.mjs` does both; `--build` builds even
// when dist/ looks fresh.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
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

/** Compiles src/ to dist/ when a source file is newer than the last build. */
export function build(force = false) {
  const stamp = path.join(root, 'dist', '.tsbuildinfo');
  if (
    !force &&
    existsSync(stamp) &&
    existsSync(path.join(root, 'dist', 'main.js')) &&
    statSync(stamp).mtimeMs >= newest(path.join(root, 'src'))
  )
    return;
  process.stderr.write('tallyman: building\n');
  run(process.execPath, [
    path.join(root, 'node_modules', 'typescript', 'bin', 'tsc'),
    '-p',
    path.join(root, 'config', 'tsconfig.build.json'),
  ]);
}

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
