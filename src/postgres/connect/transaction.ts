import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from './connect.js';
import { isServerError } from './errors.js';
import { advisoryKey } from './locks.js';

/** A DDL statement that waits for a lock makes every later reader of the table wait behind it. */
const DDL_LOCK_TIMEOUT = '3s';
const TRIES = 4;

/**
 * Both said in full, whatever the role's defaults are: `write` sees each commit at once, `snapshot` reads all of it at
 * one moment.
 */
const BEGIN = {
  write: 'BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE',
  snapshot: 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY',
} as const;

/**
 * `BEGIN`, work, `COMMIT`; `ROLLBACK` when the work throws, and then the error goes on. `settings` are SET LOCAL. A
 * COMMIT that PostgreSQL answers with ROLLBACK throws.
 */
export async function inTransaction<T>(
  connection: Connection,
  mode: keyof typeof BEGIN,
  settings: Readonly<Record<string, string>>,
  work: () => Promise<T>,
): Promise<T> {
  const locals = Object.entries(settings).map(([name, value]) => `; SET LOCAL ${name} = '${value}'`);
  await connection.queryAll(`${BEGIN[mode]}${locals.join('')}`);
  let result: T;
  try {
    result = await work();
  } catch (error) {
    if (!connection.lost) await connection.query('ROLLBACK').catch(() => connection.destroy());
    throw error;
  }
  const end = await connection.query('COMMIT');
  if (end.command !== 'COMMIT') throw new Error(`COMMIT was answered with ${end.command}`);
  return result;
}

/**
 * A short transaction that changes tables: one at a time in the whole database (advisory lock), never waiting longer
 * than 3 s for a lock, tried 4 times when somebody else was faster. `work` must look again at what is there: it may run
 * after another's change.
 */
export async function changeTables<T>(connection: Connection, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await inTransaction(
        connection,
        'write',
        { lock_timeout: DDL_LOCK_TIMEOUT, statement_timeout: '0' },
        async () => {
          await connection.query('SELECT pg_advisory_xact_lock($1::bigint)', [advisoryKey('ddl')]);
          return work();
        },
      );
    } catch (error) {
      if (attempt >= TRIES || connection.lost || !isServerError(error) || !RACES.has(error.code)) throw error;
      await sleep(100 * attempt);
    }
  }
}

/**
 * Deadlock, "tuple concurrently updated", and "already exists" in its forms: a CREATE outside the advisory lock won.
 */
const RACES = new Set(['40P01', '23505', '42P06', '42P07', '42710', '42701', 'XX000']);
