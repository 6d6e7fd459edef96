import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import { VERSION } from '../../base/built.js';
import { hasCode } from '../../base/errno.js';
import { createPrivately, makePrivateFolder, replacePrivately } from '../../base/host/private-file.js';
import { messageOf, TallymanError } from '../../core/errors.js';
import { DAEMON, type Holder, type Workers } from '../../core/ledger/workers.js';
import { isBusy, sqliteCode } from './store/sqlite-errors.js';

/** Held until release(), or until the process is gone, however it went. */
export interface Lock {
  release(): void;
}

/**
 * Who asks whether a worker lives holds its file for microseconds; only then does the worker have to wait at all. It
 * waits here without hearing of signals: no longer than that.
 */
const CLAIM_WAIT_MS = 100;
const LOCK_WAIT_MS = 50;
const CLAIM_NAME = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}$/;

/**
 * The lock on a data_dir: `run` takes it. An SQLite file held with an exclusive lock, because the kernel frees it when
 * the process dies, SIGKILL included, and nobody ever steals it by the clock. Throws ALREADY_RUNNING with the pid of
 * the one that holds it.
 */
export function acquireLock(dataDir: string): Lock {
  const file = lockFile(dataDir);
  const pidFile = path.join(dataDir, 'tallyman.pid');
  makeFolder(dataDir);
  const db = hold(file, LOCK_WAIT_MS);
  if (db === null) {
    const { pid, since } = readHolder(pidFile);
    const time = since === null ? '' : `, since ${since}`;
    throw new TallymanError(
      'ALREADY_RUNNING',
      `Another tallyman ${pid === null ? '' : `(pid ${pid}${time}) `}runs on ${dataDir}.`,
    );
  }
  try {
    // Beside the lock and not in it: nobody else can read a file under an exclusive lock.
    replacePrivately(pidFile, JSON.stringify({ pid: process.pid, since: new Date().toISOString(), version: VERSION }));
  } catch (error) {
    db.close();
    throw unusable(pidFile, error);
  }
  return lockOf(db, () => {
    rmSync(pidFile, { force: true });
  });
}

/**
 * The lock of one `load` command, so that its entries are told from those of a dead one. `name` becomes a file name
 * (letters, digits, `._-`); it is the worker's name in the ledger, so of two that take the same one the second gets
 * ALREADY_RUNNING until the first is done.
 */
export function acquireClaimLock(dataDir: string, name: string): Lock {
  const file = claimFile(dataDir, name);
  makeFolder(path.dirname(file));
  const db = holdNamed(file);
  if (db === null) throw new TallymanError('ALREADY_RUNNING', `The claim ${name} is held by another process.`);
  return lockOf(db, () => {
    rmSync(file, { force: true });
  });
}

/** The workers of a data_dir: they live as long as they hold their locks. */
export const lockWorkers = (dataDir: string): Workers => ({
  lives: (worker) => Promise.resolve(worker === DAEMON ? isHeld(lockFile(dataDir)) : isClaimHeld(dataDir, worker)),
});

/** Who works on the data_dir now; null = nobody. Not to be asked by the one that holds the lock itself. */
export const lockHolder = (dataDir: string): Holder | null =>
  isHeld(lockFile(dataDir)) ? readHolder(path.join(dataDir, 'tallyman.pid')) : null;

/** Does the process that took this claim still live? */
export const isClaimHeld = (dataDir: string, name: string): boolean => isHeld(claimFile(dataDir, name));

function isHeld(file: string): boolean {
  if (!existsSync(file)) return false;
  let db: Database.Database;
  try {
    db = new Database(file, { timeout: 0, fileMustExist: true });
  } catch (error) {
    if (!existsSync(file)) return false;
    throw unusable(file, error);
  }
  try {
    // A shared lock: two that look at the same time do not take each other for the holder.
    db.prepare('select count(*) from sqlite_master').get();
    return false;
  } catch (error) {
    if (isBusy(error)) return true;
    throw unusable(file, error);
  } finally {
    db.close();
  }
}

/**
 * A lock whose file its holder removes when it is done: whoever waited for that one holds a file then that nobody finds
 * any more, and begins anew. null = another one holds it.
 */
function holdNamed(file: string): Database.Database | null {
  const deadline = Date.now() + CLAIM_WAIT_MS;
  for (;;) {
    const before = identityOf(file);
    const db = hold(file, Math.max(0, deadline - Date.now()));
    if (db === null) return null;
    if (before !== null && before === identityOf(file)) return db;
    db.close();
  }
}

/** Tells a file from another one that had its name; null = there is none. */
function identityOf(file: string): string | null {
  const stat = statSync(file, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? null : `${stat.dev}:${stat.ino}:${stat.birthtimeNs}`;
}

/** null = another one holds it. The handle is the lock: whoever drops it, drops the lock. */
function hold(file: string, waitMs: number): Database.Database | null {
  let db: Database.Database | null = null;
  try {
    // Only when it is missing: closing any second descriptor of the file would free the lock that this process may
    // already hold (fcntl).
    if (!existsSync(file)) createPrivately(file);
    db = new Database(file, { timeout: waitMs });
    db.pragma('locking_mode = exclusive');
    // Nothing is ever written, so nothing can be left behind to be rolled back.
    db.pragma('journal_mode = memory');
    db.exec('begin exclusive');
    return db;
  } catch (error) {
    db?.close();
    if (isBusy(error)) return null;
    throw unusable(file, error);
  }
}

/**
 * Locks that are held. Without a reference from here the garbage collector would close a handle whose owner forgot it,
 * and free the lock.
 */
const held = new Set<Database.Database>();

function lockOf(db: Database.Database, clean: () => void): Lock {
  held.add(db);
  return {
    release() {
      if (!held.delete(db)) return;
      clean();
      db.close();
    },
  };
}

/** What is not known is null: the note is being written or was taken away this moment, or is an older program's. */
function readHolder(pidFile: string): Holder {
  try {
    const value: unknown = JSON.parse(readFileSync(pidFile, 'utf8'));
    const note = typeof value === 'object' && value !== null ? new Map<string, unknown>(Object.entries(value)) : null;
    const [pid, since, version] = ['pid', 'since', 'version'].map((key) => note?.get(key));
    return {
      pid: typeof pid === 'number' ? pid : null,
      since: typeof since === 'string' ? since : null,
      version: typeof version === 'string' ? version : null,
    };
  } catch {
    // The lock itself has spoken, only the name is missing.
    return { pid: null, since: null, version: null };
  }
}

const lockFile = (dataDir: string): string => path.join(dataDir, 'tallyman.lock');

function claimFile(dataDir: string, name: string): string {
  if (!CLAIM_NAME.test(name)) throw new TallymanError('USAGE', `"${name}" cannot name a claim.`);
  return path.join(dataDir, 'claims', `${name}.lock`);
}

function makeFolder(dir: string): void {
  try {
    makePrivateFolder(dir);
  } catch (error) {
    throw unusable(dir, error);
  }
}

const unusable = (file: string, error: unknown): TallymanError =>
  isFull(error)
    ? new TallymanError('DISK_FULL', `${file}: ${messageOf(error)}`, { cause: error })
    : new TallymanError('LEDGER_UNUSABLE', `${file} cannot be used as a lock: ${messageOf(error)}.`, {
        cause: error,
        fix: 'Give the user that runs tallyman the right to write to data_dir.',
      });

const isFull = (error: unknown): boolean =>
  hasCode(error, 'ENOSPC', 'EDQUOT') || /^SQLITE_(FULL|IOERR_SHMSIZE)/.test(sqliteCode(error) ?? '');
