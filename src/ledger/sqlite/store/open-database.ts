import { existsSync, statSync } from 'node:fs';
import Database from 'better-sqlite3';
import { createPrivately } from '../../../base/host/private-file.js';
import { TallymanError } from '../../../core/errors.js';
import { migrate } from './migrations.js';

/** quick_check reads the whole file: 64 MiB take about 0.2 s. Larger ledgers get only the checks that take no time. */
const FULL_CHECK_BYTES = 64 * 1024 * 1024;
/**
 * At the opening: another process may be migrating or recovering the log. Later waits are short, because they block the
 * event loop; Store repeats them.
 */
const OPEN_BUSY_MS = 5_000;
const BUSY_MS = 20;
const TABLES = ['meta', 'feed', 'entry', 'receipt', 'history', 'detail', 'action', 'request', 'state_count'];

/** Opens ledger.db, creates (0600) and migrates it; throws what SQLite throws, or LEDGER_UNUSABLE for a damaged one. */
export function openDatabase(file: string): Database.Database {
  // SQLite would create it readable by all; log and index take on the rights of the file itself.
  createPrivately(file);
  const db = new Database(file, { timeout: OPEN_BUSY_MS });
  try {
    db.pragma('journal_mode = wal');
    // FULL: a COMMIT that was answered survives a power loss. In WAL mode that is one fsync a transaction.
    db.pragma('synchronous = full');
    db.pragma('foreign_keys = on');
    db.pragma('temp_store = memory');
    db.pragma('cache_size = -32768');
    // A log that a long checkpoint has let grow shrinks again.
    db.pragma('journal_size_limit = 67108864');
    check(db, file);
    migrate(db);
    db.pragma(`busy_timeout = ${BUSY_MS}`);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function check(db: Database.Database, file: string): void {
  if (statSync(file).size <= FULL_CHECK_BYTES) {
    const found = db.pragma('quick_check(1)', { simple: true });
    if (found !== 'ok') throw damaged(file, String(found));
    return;
  }
  const pages = Number(db.pragma('page_count', { simple: true }));
  const size = pages * Number(db.pragma('page_size', { simple: true }));
  // The log may hold pages that the file lacks, so only a file that is shorter than its own header says, without a log,
  // is cut off.
  if (statSync(file).size < size && !existsSync(`${file}-wal`))
    throw damaged(file, 'the file is shorter than its header says');
  for (const table of TABLES) {
    // The first and the last leaf of each table.
    db.prepare(`select 1 from ${table} limit 1`).get();
    if (table === 'entry') db.prepare('select * from entry order by file_id desc limit 1').get();
  }
}

const damaged = (file: string, what: string): TallymanError =>
  new TallymanError('LEDGER_UNUSABLE', `The ledger ${file} is damaged: ${what}.`, {
    fix: 'Move ledger.db, ledger.db-wal and ledger.db-shm away together and start again: what is loaded is taken in again from the receipts in PostgreSQL. Held, duplicate and vanished files are forgotten.',
  });
