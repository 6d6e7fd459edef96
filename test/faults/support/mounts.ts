import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import process from 'node:process';

/** Why file systems cannot be mounted here; null = they can. */
export function cannotMount(): string | null {
  if (process.platform !== 'linux') return 'mounts are tried on Linux only';
  if (process.getuid?.() !== 0) return 'mounting needs root';
  const tried = spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], { encoding: 'utf8' });
  return tried.status === 0 ? null : `mount is not allowed here: ${tried.stderr.trim()}`;
}

function run(program: string, ...args: string[]): void {
  const { status, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
}

/** A file system in memory of `size` (`4m`) at `dir`. */
export function mountTmpfs(dir: string, size: string): void {
  mkdirSync(dir, { recursive: true });
  run('mount', '-t', 'tmpfs', '-o', `size=${size},mode=0755`, 'tmpfs', dir);
}

export const remount = (dir: string, options: string): void => run('mount', '-o', `remount,${options}`, dir);

/**
 * Lazily: it goes from the tree now, and for those who have files open when they close them. No error where nothing is
 * mounted.
 */
export function unmount(dir: string): void {
  spawnSync('umount', ['-l', dir]);
}

/** Shows the folder `from` at `dir` too. */
export function bindMount(from: string, dir: string): void {
  run('mount', '--bind', from, dir);
}
