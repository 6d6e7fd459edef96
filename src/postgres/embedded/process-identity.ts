import { spawnSync } from 'node:child_process';
import { readFileSync, readlinkSync, realpathSync } from 'node:fs';
import process from 'node:process';

/**
 * When a process began, in whatever unit the system tells; with its pid it names one process for good, because pids are
 * used again. null = there is no such process (a zombie counts as none).
 */
export function processStart(pid: number): string | null {
  if (process.platform !== 'linux') return ps(pid, 'lstart=');
  const stat = readProc(pid, 'stat');
  if (stat === null) return null;
  // "pid (command) state ...": the command may hold blanks and brackets. Behind it the state is field 1, the start time
  // field 20.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? null : (fields[19] ?? null);
}

/**
 * True when the process works in that folder (macOS tells no folder: when its command line names it). False when there
 * is no such process.
 */
export function worksIn(pid: number, dir: string): boolean {
  if (process.platform !== 'linux') return ps(pid, 'command=')?.includes(dir) ?? false;
  try {
    return processStart(pid) !== null && readlinkSync(`/proc/${pid}/cwd`) === realpathSync(dir);
  } catch {
    // Gone, or another user's, and so not the one that is looked for.
    return false;
  }
}

/** `pid-start` of this very process. */
function ownIdentity(): string {
  return `${process.pid}-${(processStart(process.pid) ?? '0').replaceAll(/[^0-9A-Za-z]/g, '')}`;
}

let count = 0;

/**
 * `pid-start-n`: a name that nobody else in the world of this computer has, and that tells whether its maker still
 * lives.
 */
export function uniqueIdentity(): string {
  return `${ownIdentity()}-${++count}`;
}

/** True while the process that gave itself this identity lives; for unique ones too. */
export function isAlive(identity: string): boolean {
  const [pid = '', start = ''] = identity.split('-');
  return /^\d+$/.test(pid) && processStart(Number(pid))?.replaceAll(/[^0-9A-Za-z]/g, '') === start;
}

function readProc(pid: number, name: string): string | null {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    // No such process.
    return null;
  }
}

function ps(pid: number, format: string): string | null {
  const { status, stdout } = spawnSync('ps', ['-p', String(pid), '-o', format], {
    encoding: 'utf8',
    timeout: 5000,
    env: { LC_ALL: 'C', PATH: '/bin:/usr/bin' },
  });
  return status === 0 && stdout.trim() !== '' ? stdout.trim() : null;
}
