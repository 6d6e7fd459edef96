import { TallymanError } from '../../core/errors.js';
import type { DatabaseSpec } from '../../core/database.js';
import type { ReceiptRef } from '../../core/receipts.js';
import { withConnection, type Connection } from '../connect/connect.js';
import { controlNames } from './control-schema.js';
import { databaseError, isServerError } from '../connect/errors.js';
import { displayName } from '../connect/identifiers.js';
import { advisoryKey } from '../connect/locks.js';
import { RECEIPT_COLUMNS, toReceipt } from './receipt-row.js';
import { flag, integer } from '../connect/result-rows.js';
import { inTransaction } from '../connect/transaction.js';

export interface ResolveTimes {
  /** One wait for the lock. PostgreSQL duration. */
  readonly lockTimeout: string;
  /** After this the old backend is ended. Milliseconds. */
  readonly patienceMs: number;
  /** After this it is given up. Milliseconds. */
  readonly giveUpMs: number;
}

/** How long recovery waits (docs/architecture.md#recovery). */
const TIMES: ResolveTimes = { lockTimeout: '5s', patienceMs: 30_000, giveUpMs: 120_000 };

/**
 * What became of a load whose COMMIT got no answer: its receipt, or null when it was rolled back. A load takes the lock
 * on its load_key first and waits for the answer before it sends anything else, so while its backend lives the lock is
 * held; once we have it, that transaction has ended and a new statement sees its receipt, or there never will be one.
 * On a connection of its own: the wait blocks nobody else. Throws DATABASE_BUSY on a standby (it may lack the latest
 * commits) and when the old backend cannot be ended.
 */
export async function resolveLoad(
  spec: DatabaseSpec,
  loadKey: string,
  times: ResolveTimes = TIMES,
): Promise<ReceiptRef | null> {
  const started = performance.now();
  for (;;) {
    const waited = performance.now() - started;
    try {
      const answer = await withConnection(
        spec,
        (connection) => lookUnderLock(connection, spec.controlSchema, loadKey, times),
        'recovery',
      );
      if (answer !== 'held') return answer;
      if (waited >= times.giveUpMs)
        throw new TallymanError(
          'DATABASE_BUSY',
          `load ${loadKey}: its old backend still works after ${Math.round(waited / 1000)} s and could not be ended.`,
        );
      if (waited >= times.patienceMs)
        await withConnection(spec, (connection) => endHolder(connection, loadKey), 'recovery');
    } catch (error) {
      throw databaseError(error, `finding out what became of load ${loadKey}`);
    }
  }
}

async function lookUnderLock(
  connection: Connection,
  schema: string,
  loadKey: string,
  times: ResolveTimes,
): Promise<ReceiptRef | null | 'held'> {
  try {
    return await inTransaction(
      connection,
      'write',
      { statement_timeout: '0', lock_timeout: times.lockTimeout },
      async () => {
        const { rows: found } = await connection.query(
          'SELECT pg_catalog.pg_is_in_recovery() AS standby, pg_catalog.to_regclass($1) IS NOT NULL AS present',
          [controlNames(schema).loads],
        );
        const state = found[0]!;
        if (flag(state, 'standby'))
          throw new TallymanError('DATABASE_BUSY', 'this server is a standby, which may lack the latest commits');
        if (!flag(state, 'present'))
          throw new TallymanError(
            'DATABASE_CHANGED',
            `${displayName(schema, 'loads')} is not there: this is another database, or somebody dropped it`,
          );
        await connection.query('SELECT pg_advisory_xact_lock($1::bigint)', [advisoryKey('load-key', loadKey)]);
        // A statement of its own: its snapshot is taken after the lock was granted.
        const { rows } = await connection.query(
          `SELECT ${RECEIPT_COLUMNS} FROM ${controlNames(schema).loads} WHERE load_key = $1::uuid`,
          [loadKey],
        );
        return rows[0] === undefined ? null : toReceipt(rows[0]);
      },
    );
  } catch (error) {
    if (isServerError(error) && error.code === '55P03') return 'held';
    throw error;
  }
}

/** Ends the session that holds the load's lock: its client is gone or hangs, and nobody reads its answer. */
async function endHolder(connection: Connection, loadKey: string): Promise<void> {
  const { rows } = await connection.query(
    `SELECT l.pid FROM pg_catalog.pg_locks l
     WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND l.pid <> pg_catalog.pg_backend_pid()
       AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
       AND l.classid::bigint = (($1::bigint >> 32) & 4294967295) AND l.objid::bigint = ($1::bigint & 4294967295)`,
    [advisoryKey('load-key', loadKey)],
  );
  for (const row of rows) await connection.query('SELECT pg_catalog.pg_terminate_backend($1)', [integer(row, 'pid')]);
}
