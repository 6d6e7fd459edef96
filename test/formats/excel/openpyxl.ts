import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import process from 'node:process';

const CACHE = process.env['TALLYMAN_TEST_CACHE'] ?? path.join(homedir(), '.cache', 'tallyman-test');
const PACKAGES = path.join(CACHE, 'openpyxl', 'usr', 'lib', 'python3', 'dist-packages');
const SCRIPT = path.join(import.meta.dirname, 'judge.py');

/** What a cell holds: number, text, true or false, moment. Moments to the millisecond. */
export type Told = readonly ['n' | 't' | 'b' | 'd', string];

export type Judged =
  | { readonly cells: Readonly<Record<string, Told>>; readonly error?: undefined }
  | { readonly error: string; readonly cells?: undefined };

export interface Openpyxl {
  /** Cells of the first sheet by `row,column`: the row from 1, the column from 0. */
  read(files: readonly string[]): readonly Judged[];
  /** Names of workbooks that it writes into a folder. */
  make(folder: string, count: number, seed: number): readonly string[];
}

/**
 * Python with openpyxl: installed, or unpacked (not installed) from Debian's package into the test cache. null =
 * `reason` says why it cannot be had.
 */
export function findOpenpyxl(): { readonly openpyxl: Openpyxl | null; readonly reason: string } {
  const found = python();
  if (found !== null) return { openpyxl: judge(found), reason: '' };
  const script =
    'set -e; mkdir -p "$1/openpyxl-debs" "$1/openpyxl"; cd "$1/openpyxl-debs"; apt-get download -q python3-openpyxl python3-et-xmlfile || { apt-get update -q; apt-get download -q python3-openpyxl python3-et-xmlfile; }; for f in *.deb; do dpkg-deb -x "$f" "$1/openpyxl"; done';
  const got = spawnSync('bash', ['-c', script, 'get', CACHE], { encoding: 'utf8', timeout: 120_000 });
  rmSync(path.join(CACHE, 'openpyxl-debs'), { recursive: true, force: true });
  const now = python();
  if (now !== null) return { openpyxl: judge(now), reason: '' };
  const why = got.status === 0 ? 'no python3 runs it' : (got.stderr.trim().split('\n').at(-1) ?? '');
  return {
    openpyxl: null,
    reason: `Excel is not held against openpyxl: it is not installed and cannot be fetched: ${why}`,
  };
}

interface Python {
  readonly program: string;
  readonly env: NodeJS.ProcessEnv;
}

function python(): Python | null {
  // Its XML comes from Python itself: lxml is another package.
  const env = { ...process.env, PYTHONIOENCODING: 'utf-8', OPENPYXL_LXML: 'False' };
  const tries = ['python3', '/usr/bin/python3'].flatMap((program) => [
    { program, env: { ...env, PYTHONPATH: PACKAGES } },
    { program, env },
  ]);
  return (
    tries.find(
      ({ program, env: one }) =>
        spawnSync(program, ['-c', 'import openpyxl'], { env: one, timeout: 60_000 }).status === 0,
    ) ?? null
  );
}

function judge({ program, env }: Python): Openpyxl {
  const run = (args: readonly string[], input: string): unknown => {
    const ended = spawnSync(program, [SCRIPT, ...args], {
      env,
      input,
      encoding: 'utf8',
      maxBuffer: 2 ** 30,
      timeout: 600_000,
    });
    if (ended.status !== 0) throw new Error(`judge.py: ${ended.stderr}`);
    return JSON.parse(ended.stdout) as unknown;
  };
  return {
    read: (files) => run(['read'], files.join('\n')) as readonly Judged[],
    make: (folder, count, seed) => run(['make', folder, String(count), String(seed)], '') as readonly string[],
  };
}
