import Database from 'better-sqlite3';
import { messageOf, TallymanError } from '../../../core/errors.js';

/** SQLite's extended code ("SQLITE_IOERR_WRITE"), null for anything else. */
export function sqliteCode(error: unknown): string | null {
  return error instanceof Database.SqliteError ? error.code : null;
}

/** Another process holds the write lock. */
export function isBusy(error: unknown): boolean {
  return sqliteCode(error)?.startsWith('SQLITE_BUSY') ?? false;
}

/** After these the connection's own view of the file may be wrong: it is opened anew by the next call. */
export function needsReopening(error: unknown): boolean {
  const code = sqliteCode(error);
  return code !== null && /^SQLITE_(IOERR|CANTOPEN|READONLY|CORRUPT|NOTADB|PROTOCOL)/.test(code);
}

/** What went wrong with the ledger, in our words. Errors that are ours already pass through. */
export function ledgerError(error: unknown, file: string): TallymanError {
  if (error instanceof TallymanError) return error;
  const code = sqliteCode(error);
  if (code === null) return new TallymanError('INTERNAL', `The ledger failed: ${messageOf(error)}.`, { cause: error });
  const said = `${messageOf(error)} (${code})`;
  // A WAL index that cannot grow is a full disk too.
  if (code === 'SQLITE_FULL' || code === 'SQLITE_IOERR_SHMSIZE')
    return new TallymanError('DISK_FULL', `The ledger ${file} cannot grow: ${said}.`, { cause: error });
  const fix = adviceFor(code);
  return new TallymanError('LEDGER_UNUSABLE', `The ledger ${file} ${whatFailed(code)}: ${said}.`, {
    cause: error,
    ...(fix === null ? {} : { fix }),
  });
}

function whatFailed(code: string): string {
  if (/^SQLITE_(CORRUPT|NOTADB)/.test(code)) return 'is damaged';
  if (/^SQLITE_(BUSY|LOCKED)/.test(code)) return 'is locked by another process';
  if (/^SQLITE_(READONLY|CANTOPEN|PERM)/.test(code)) return 'cannot be opened for writing';
  return 'cannot be read or written';
}

function adviceFor(code: string): string | null {
  if (/^SQLITE_(CORRUPT|NOTADB)/.test(code)) {
    return 'Move ledger.db, ledger.db-wal and ledger.db-shm away together and start again: what is loaded is taken in again from the receipts in PostgreSQL. Held, duplicate and vanished files are forgotten.';
  }
  if (/^SQLITE_(BUSY|LOCKED)/.test(code))
    return 'Look who holds it open (fuser ledger.db): an sqlite3 shell inside a transaction, a backup. Nothing is lost; try again.';
  if (/^SQLITE_(READONLY|CANTOPEN|PERM)/.test(code))
    return 'Give the user that runs tallyman the right to write to data_dir and everything in it.';
  // The file itself may be sound.
  if (code.startsWith('SQLITE_IOERR'))
    return 'Look at the disk under data_dir and its quota, then start again. Leave ledger.db where it is.';
  return null;
}
