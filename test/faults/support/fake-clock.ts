import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import process from 'node:process';

const CACHE = process.env['TALLYMAN_TEST_CACHE'] ?? path.join(homedir(), '.cache', 'tallyman-test');
const LIBRARIES = [
  '/usr/lib/x86_64-linux-gnu/faketime',
  '/usr/lib/aarch64-linux-gnu/faketime',
  path.join(CACHE, 'faketime/usr/lib/x86_64-linux-gnu/faketime'),
  path.join(CACHE, 'faketime/usr/lib/aarch64-linux-gnu/faketime'),
];

const library = (): string | null =>
  LIBRARIES.map((dir) => path.join(dir, 'libfaketimeMT.so.1')).find((file) => existsSync(file)) ?? null;

/**
 * libfaketime: installed, or unpacked from the distribution's package into the test cache. `reason` says why it cannot
 * be had.
 */
export function findFakeTime():
  { readonly library: string; readonly reason: null } | { readonly library: null; readonly reason: string } {
  const there = library();
  if (there !== null) return { library: there, reason: null };
  if (process.platform !== 'linux') return { library: null, reason: 'libfaketime is looked for on Linux only' };
  mkdirSync(CACHE, { recursive: true });
  const script =
    'set -e; mkdir -p "$1/faketime-debs" "$1/faketime"; cd "$1/faketime-debs"; apt-get download -q libfaketime || { apt-get update -q; apt-get download -q libfaketime; }; for f in *.deb; do dpkg-deb -x "$f" "$1/faketime"; done';
  const got = spawnSync('bash', ['-c', script, 'get', CACHE], { encoding: 'utf8', timeout: 120_000 });
  rmSync(path.join(CACHE, 'faketime-debs'), { recursive: true, force: true });
  const found = got.status === 0 ? library() : null;
  return found === null
    ? {
        library: null,
        reason: `libfaketime is not installed and cannot be fetched: ${got.stderr.trim().split('\n').at(-1) ?? ''}`,
      }
    : { library: found, reason: null };
}

export interface FakeClock {
  readonly env: NodeJS.ProcessEnv;
  /**
   * The wall clock jumps: `+0`, `-3d`, `+2h`. The monotonic clock and the times of files stay as they are, as when
   * somebody sets the clock.
   */
  set(offset: string): void;
}

export function fakeClock(lib: string, dir: string): FakeClock {
  const file = path.join(dir, 'clock');
  const set = (offset: string): void => writeFileSync(file, `${offset}\n`);
  set('+0');
  return {
    env: {
      LD_PRELOAD: lib,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      DONT_FAKE_MONOTONIC: '1',
      NO_FAKE_STAT: '1',
    },
    set,
  };
}
