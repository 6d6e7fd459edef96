import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import type { Ended } from '../../support/cli.js';

export const MAIN = path.resolve(import.meta.dirname, '../../../dist/main.js');
const CACHE = process.env['TALLYMAN_TEST_CACHE'] ?? path.join(homedir(), '.cache', 'tallyman-test');

/**
 * Where strace is: installed, or unpacked (not installed) from the distribution's package into the test cache. null =
 * `reason` says why it cannot be had.
 */
export function findStrace():
  { readonly program: string; readonly reason: null } | { readonly program: null; readonly reason: string } {
  const unpacked = path.join(CACHE, 'strace', 'usr', 'bin', 'strace');
  for (const program of ['strace', unpacked]) if (spawnSync(program, ['-V']).status === 0) return works(program);
  if (process.platform !== 'linux') return { program: null, reason: 'strace is for Linux' };
  const script =
    'set -e; mkdir -p "$1/strace-debs" "$1/strace"; cd "$1/strace-debs"; apt-get download -q strace libunwind8 || { apt-get update -q; apt-get download -q strace libunwind8; }; for f in *.deb; do dpkg-deb -x "$f" "$1/strace"; done';
  const got = spawnSync('bash', ['-c', script, 'get', CACHE], { encoding: 'utf8', timeout: 120_000 });
  rmSync(path.join(CACHE, 'strace-debs'), { recursive: true, force: true });
  if (got.status !== 0 || !existsSync(unpacked))
    return {
      program: null,
      reason: `strace is not installed and cannot be fetched: ${got.stderr.trim().split('\n').at(-1) ?? ''}`,
    };
  return works(unpacked);
}

/** A container may forbid ptrace. */
function works(program: string): ReturnType<typeof findStrace> {
  const tried = spawnSync(program, ['-f', '-qq', '-o', '/dev/null', 'true'], { encoding: 'utf8' });
  return tried.status === 0
    ? { program, reason: null }
    : { program: null, reason: `strace cannot trace here: ${tried.stderr.trim()}` };
}

export interface Traced extends Ended {
  /** Lines of the trace: one a call. */
  readonly calls: readonly string[];
  /** strace says where it stepped in. */
  readonly injected: boolean;
}

/**
 * Runs the CLI under strace. `inject` is strace's own word (`fdatasync:signal=KILL:when=3`); `paths` limits it to calls
 * on these files.
 */
export async function traced(
  strace: string,
  calls: string,
  inject: string | null,
  args: readonly string[],
  options: { readonly cwd: string; readonly paths?: readonly string[]; readonly timeoutMs?: number },
): Promise<Traced> {
  const dir = mkdtempSync(path.join(tmpdir(), 'tallyman-strace-'));
  const out = path.join(dir, 'trace');
  try {
    const limited = (options.paths ?? []).flatMap((file) => ['-P', file]);
    // For counting only: with the filter, strace 6.1 loses count after the first call and injects nothing at the n-th;
    // and -P knows paths, the filter numbers.
    const filter = limited.length === 0 && inject === null ? ['--seccomp-bpf'] : [];
    const words = [
      '-f',
      ...filter,
      '-qq',
      '-o',
      out,
      ...limited,
      '-e',
      `trace=${calls}`,
      ...(inject === null ? [] : ['-e', `inject=${inject}`]),
      process.execPath,
      MAIN,
      ...args,
    ];
    const child = spawn(strace, words, {
      cwd: options.cwd,
      env: { ...process.env, NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
    const ended = await new Promise<Pick<Ended, 'code' | 'signal'>>((resolve, reject) => {
      const timer = setTimeout(() => {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
        reject(
          new Error(`still running after ${(options.timeoutMs ?? 120_000) / 1_000} s under strace: ${stdout}${stderr}`),
        );
      }, options.timeoutMs ?? 120_000);
      child.once('error', reject);
      child.once('close', (code, signal) => {
        clearTimeout(timer);
        resolve({ code, signal });
      });
    });
    const text = existsSync(out) ? readFileSync(out, 'utf8') : '';
    const found = text.split('\n').filter((line) => /^\d+ +\w+\(|^\d+ +<\.\.\./.test(line));
    return {
      ...ended,
      stdout,
      stderr,
      calls: found,
      injected: text.includes('(INJECTED)') || text.includes('killed by SIGKILL'),
    };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
