import { TallymanError } from '../../core/errors.js';
import type { IgnoredFile } from '../../core/receipts.js';
import type { Connection } from '../connect/connect.js';
import { qualified } from '../connect/identifiers.js';
import { advisoryKey } from '../connect/locks.js';
import { integer, text } from '../connect/result-rows.js';
import { inTransaction } from '../connect/transaction.js';
import { controlNames } from './control-schema.js';
import { insertIgnored } from './ignored.js';

const SETTINGS = { statement_timeout: '0', lock_timeout: '10s', synchronous_commit: 'on' };

/**
 * Receipts.unload. Under the lock of the path, as a load has it: a later version that replaces this one waits, or has
 * been before. Deferred triggers are fired before the count, so that none brings rows back behind it.
 */
export function unloadRows(
  connection: Connection,
  schema: string,
  loadId: number,
  file: IgnoredFile,
  by: { readonly instanceId: string; readonly host: string; readonly note: string },
): Promise<number> {
  const { loads, quarantine } = controlNames(schema);
  return inTransaction(connection, 'write', SETTINGS, async () => {
    await connection.query('SELECT pg_catalog.pg_advisory_xact_lock($1::bigint)', [
      advisoryKey('path', file.feed, file.path),
    ]);
    const { rows: found } = await connection.query(
      `SELECT status, target FROM ${loads} WHERE load_id = $1 FOR UPDATE`,
      [loadId],
    );
    const receipt = found[0];
    const status = receipt === undefined ? 'not in the database' : text(receipt, 'status');
    if (receipt === undefined || !['loaded', 'cleared'].includes(status))
      throw new TallymanError('WRONG_STATE', `load ${loadId} of ${file.path} is ${status}: it has no rows to unload`);
    const target = text(receipt, 'target');
    const table = await tableOf(connection, target);
    if (table === null)
      throw new TallymanError(
        'WRONG_STATE',
        `load ${loadId} of ${file.path} is in ${target}, and there is no such table with a column _load_id now`,
        { fix: 'Was the table renamed or moved? Give it its name back for as long as this takes.' },
      );
    await connection.query(`DELETE FROM ${table} WHERE _load_id = $1`, [loadId], { timeoutMs: 0 });
    await connection.query('SET CONSTRAINTS ALL IMMEDIATE', undefined, { timeoutMs: 0 });
    const { rows: left } = await connection.query(
      `SELECT count(*) AS rows FROM ${table} WHERE _load_id = $1`,
      [loadId],
      { timeoutMs: 0 },
    );
    const stay = integer(left[0] ?? {}, 'rows');
    if (stay > 0)
      throw new TallymanError(
        'TALLY_MISMATCH',
        `${stay} rows of load ${loadId} stay in ${target} although they were deleted`,
      );
    await connection.query(
      `UPDATE ${quarantine} SET status = 'discarded', note = $2 WHERE load_id = $1 AND status = 'open'`,
      [loadId, by.note],
    );
    await connection.query(`UPDATE ${loads} SET status = 'cleared' WHERE load_id = $1`, [loadId]);
    // A rebuilt ledger must know that a person decided this, or it would take the file again.
    await insertIgnored(connection, loads, [{ ...file, target }], by);
    // Looked up: it is there already when this is run again because the answer to COMMIT was lost.
    const { rows } = await connection.query(`SELECT load_id FROM ${loads} WHERE load_key = $1::uuid`, [file.loadKey]);
    return integer(rows[0] ?? {}, 'load_id');
  });
}

/** The table that a receipt names, quoted; null = there is none, or it is not one of ours. */
async function tableOf(connection: Connection, target: string): Promise<string | null> {
  const { rows } = await connection.query(
    `SELECT n.nspname::text AS schema, c.relname::text AS name
     FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE c.oid = pg_catalog.to_regclass($1) AND EXISTS (
       SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attname = '_load_id' AND NOT a.attisdropped)`,
    [target],
  );
  const row = rows[0];
  return row === undefined ? null : qualified(text(row, 'schema'), text(row, 'name'));
}
