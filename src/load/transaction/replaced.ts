import type { TargetTable } from '../../postgres/staging/catalog.js';
import type { Connection } from '../../postgres/connect/connect.js';
import { displayName, qualified, quoteIdentifier } from '../../postgres/connect/identifiers.js';
import { text } from '../../postgres/connect/result-rows.js';
import type { ReplacedLoad } from '../../postgres/control/replaced-loads.js';

/**
 * Deletes the rows of these loads, each from the table that its receipt names; a table that is not there any more holds
 * none.
 */
export async function deleteReplaced(
  connection: Connection,
  replaced: readonly ReplacedLoad[],
  table: TargetTable,
): Promise<void> {
  const own = displayName(table.schema, table.name);
  const targets = new Map<string, number[]>();
  for (const load of replaced) {
    if (load.status === 'rejected') continue;
    targets.set(load.target, [...(targets.get(load.target) ?? []), load.loadId]);
  }
  for (const [target, loadIds] of targets) {
    const name = target === own ? qualified(table.schema, table.name) : await otherTable(connection, target);
    if (name !== null)
      await connection.query(
        `DELETE FROM ${name} WHERE ${quoteIdentifier('_load_id')} = ANY ($1::bigint[])`,
        [loadIds],
        { timeoutMs: 0 },
      );
  }
}

async function otherTable(connection: Connection, target: string): Promise<string | null> {
  const { rows } = await connection.query(
    `SELECT n.nspname::text AS schema, c.relname::text AS name FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE c.oid = pg_catalog.to_regclass($1) AND EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attname = '_load_id' AND NOT a.attisdropped)`,
    [target],
  );
  const row = rows[0];
  return row === undefined ? null : qualified(text(row, 'schema'), text(row, 'name'));
}

/** What differs between the set read under the locks and the set just before the receipt. */
export function missingFrom(
  before: readonly ReplacedLoad[],
  now: readonly ReplacedLoad[],
): { readonly gone: readonly ReplacedLoad[]; readonly added: readonly ReplacedLoad[] } {
  const key = (load: ReplacedLoad): string => `${load.loadId} ${load.status}`;
  const then = new Set(before.map(key));
  const present = new Set(now.map(key));
  return { gone: before.filter((load) => !present.has(key(load))), added: now.filter((load) => !then.has(key(load))) };
}
