import { closeSync, constants, lstatSync, mkdirSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { hasCode } from '../errno.js';

/**
 * Files that only this user reads, never written through a symbolic link: whoever may make a name in a folder must not
 * decide which file is written.
 */
const { O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_TRUNC, O_WRONLY } = constants;
const MODE = 0o600;

/** A new file, or over the one that is there. Throws ELOOP for a link. */
export const openPrivately = (file: string): number => openSync(file, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, MODE);

/** For a log: what is there stays. Throws ELOOP for a link. */
export const appendPrivately = (file: string): number =>
  openSync(file, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, MODE);

/** An empty file, unless one is there. Throws EEXIST for anything else of that name. */
export function createPrivately(file: string): void {
  try {
    closeSync(openSync(file, O_WRONLY | O_CREAT | O_EXCL, MODE));
  } catch (error) {
    if (!hasCode(error, 'EEXIST') || !lstatSync(file).isFile()) throw error;
  }
}

/** Whole or not at all, in the place of whatever has that name, a link too. */
export function replacePrivately(file: string, text: string): void {
  const fresh = `${file}.${process.pid}.tmp`;
  rmSync(fresh, { force: true });
  try {
    writeFileSync(fresh, text, { flag: 'wx', mode: MODE });
    renameSync(fresh, file);
  } catch (error) {
    rmSync(fresh, { force: true });
    throw error;
  }
}

/** Made with those above it when it is missing; what is there must be a folder itself and no link (ENOTDIR). */
export function makePrivateFolder(dir: string): void {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  if (lstatSync(dir).isDirectory()) return;
  throw Object.assign(new Error(`${path.basename(dir)} is a symbolic link`), { code: 'ENOTDIR' });
}
