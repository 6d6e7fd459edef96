import {
  chmodSync,
  chownSync,
  closeSync,
  fsyncSync,
  linkSync,
  lstatSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import process from 'node:process';
import { TallymanError } from '../../core/errors.js';
import { uniqueIdentity } from './process-identity.js';
import { hasCode } from '../../base/errno.js';
import { makePrivateFolder, openPrivately } from '../../base/host/private-file.js';

/** PostgreSQL refuses to run as root; then its processes are user nobody's. */
const NOBODY = 65_534;

/**
 * DATA_DIR/postgres: data/ (the cluster), password, port, server.log, users/ and stopping/ (users.ts). Mode
 * 0700, all of it of the user that the server runs as.
 */
export interface EmbeddedHome {
  readonly dir: string;
  /** Set when we are root: whom the server runs as (the owner of a cluster that is there, else nobody). */
  readonly user: { readonly uid: number; readonly gid: number } | null;
}

export function openHome(dataDir: string): EmbeddedHome {
  const dir = path.join(dataDir, 'postgres');
  makePrivateFolder(dir);
  const stats = statSync(dir);
  const self = process.getuid?.() ?? stats.uid;
  if (self !== 0) {
    if (stats.uid !== self)
      throw new TallymanError('EMBEDDED_FAILED', `${dir} belongs to user ${stats.uid}, and this is user ${self}.`, {
        fix: `Run tallyman as that user, or: chown -R ${self} ${dataDir}`,
      });
    chmodSync(dir, 0o700);
    return { dir, user: null };
  }
  const user = stats.uid === 0 ? { uid: NOBODY, gid: NOBODY } : { uid: stats.uid, gid: stats.gid };
  chownSync(dir, user.uid, user.gid);
  chmodSync(dir, 0o700);
  return { dir, user };
}

export const dataOf = (home: EmbeddedHome): string => path.join(home.dir, 'data');
export const logOf = (home: EmbeddedHome): string => path.join(home.dir, 'server.log');

/** The descriptor that a program of PostgreSQL gets the home folder as. */
export const HOME_FD = 3;

/**
 * How a program started by us names a file in the home folder. data_dir is root's own (0700), so user nobody could not
 * walk down to it: the program inherits the opened folder and goes through /proc/self/fd, past all that stands above.
 */
export function pathForServer(home: EmbeddedHome, name: string): string {
  return home.user !== null && process.platform === 'linux'
    ? `/proc/self/fd/${HOME_FD}/${name}`
    : path.join(home.dir, name);
}

/** The superuser's password, made once. 128 bits, letters and digits only, so that it needs no quoting in a URL. */
export function readPassword(home: EmbeddedHome): string {
  const file = path.join(home.dir, 'password');
  if (lstatSync(file, { throwIfNoEntry: false }) === undefined)
    writeOnce(home, file, `${randomBytes(16).toString('hex')}\n`);
  return readFileSync(file, 'utf8').trimEnd();
}

/** Whole, durable, and never over a file that is there: two processes may do it at once. */
function writeOnce(home: EmbeddedHome, file: string, content: string): void {
  const fresh = `${file}.${uniqueIdentity()}`;
  const fd = openPrivately(fresh);
  try {
    writeSync(fd, content);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  if (home.user !== null) chownSync(fresh, home.user.uid, home.user.gid);
  try {
    linkSync(fresh, file);
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
  } finally {
    rmSync(fresh, { force: true });
  }
}
