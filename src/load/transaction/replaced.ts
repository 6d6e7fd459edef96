import { TallymanError } from '../../core/errors.js';
import type { TargetSpec } from '../../core/feed/target.js';
import type { TargetTable } from '../../postgres/staging/catalog.js';
import type { Connection } from '../../postgres/connect/connect.js';
import { displayName, qualified, quoteIdentifier } from '../../postgres/connect/identifiers.js';
import { integer, text } from '../../postgres/connect/result-rows.js';
import type { ReplacedLoad } from '../../postgres/control/replaced-loads.js';

const LOAD_ID = quoteIdentifier('_load_id');

/**
 * Deletes the rows of these loads. A receipt that names another table than the feed's own is found in the own one where
 * target.formerly has that name; else its rows stand elsewhere, and the load is refused (TARGET_CHANGED): they would
 * stay, and the new ones beside them. Throws TALLY_MISMATCH where more rows bear a load's number than it brought: they
 * are not all its own.
 */
export async function deleteReplaced(
  connection: Connection,
  replaced: readonly ReplacedLoad[],
  table: TargetTable,
  formerly: TargetSpec['formerly'] = [],
): Promise<void> {
  const own = displayName(table.schema, table.name);
  const names = new Set(formerly.map((one) => displayName(one.schema, one.table)));
  const targets = new Map<string, ReplacedLoad[]>();
  for (const load of replaced) {
    // One without rows (rejected, adopted, an empty file) may have a number that stands in the table from before.
    if (load.status === 'rejected' || load.rows === 0) continue;
    targets.set(load.target, [...(targets.get(load.target) ?? []), load]);
  }
  for (const [target, loads] of targets) {
    if (target !== own && (!names.has(target) || (await standIn(connection, target, loads, table.oid)) > 0))
      await refuseElsewhere(connection, target, loads, { own, oid: table.oid, said: names.has(target) });
    else await deleteRows(connection, qualified(table.schema, table.name), loads);
  }
}

/** Rows of these loads that stand in the table of that name, if it is another one than ours; -1 = there is none. */
async function standIn(
  connection: Connection,
  target: string,
  loads: readonly ReplacedLoad[],
  ourOid: number,
): Promise<number> {
  const name = await otherTable(connection, target, ourOid);
  if (name === null) return -1;
  const { rows } = await connection.query(
    `SELECT count(*) AS rows FROM ${name} WHERE ${LOAD_ID} = ANY ($1::bigint[])`,
    [loads.map(({ loadId }) => loadId)],
    { timeoutMs: 0 },
  );
  return integer(rows[0]!, 'rows');
}

/** Throws, unless the other table is there and holds no row of them any more. */
async function refuseElsewhere(
  connection: Connection,
  target: string,
  loads: readonly ReplacedLoad[],
  here: { readonly own: string; readonly oid: number; readonly said: boolean },
): Promise<void> {
  const there = await standIn(connection, target, loads, here.oid);
  if (there === 0) return;
  const ids = loads.map(({ loadId }) => loadId);
  const loadsOf = `load${ids.length === 1 ? '' : 's'} ${ids.join(', ')}`;
  const what = `${loadsOf}, which this one would replace, went into ${target}`;
  const remove = `DELETE FROM ${target} WHERE _load_id IN (${ids.join(', ')})`;
  throw new TallymanError(
    'TARGET_CHANGED',
    there < 0
      ? `${what}, which is not there any more; the feed fills ${here.own} now. Nothing was changed.`
      : `${what}, where ${there} of their rows stand; the feed fills ${here.own} now. Nothing was changed.`,
    {
      fix:
        there < 0
          ? `If the table was renamed or moved, or dropped on purpose, say target: { formerly: ${target} }; then ` +
            `\`tallyman retry FILE_ID\`.`
          : here.said
            ? `target.formerly names a table that is still there. Take the rows away (${remove}), or set ` +
              `target.table back to ${target}; then \`tallyman retry FILE_ID\`.`
            : `Set target.table back to ${target}, or take the old rows away (${remove}); then \`tallyman retry ` +
              `FILE_ID\`.`,
    },
  );
}

async function deleteRows(connection: Connection, name: string, loads: readonly ReplacedLoad[]): Promise<void> {
  const deleting = `DELETE FROM ${name} WHERE ${LOAD_ID} = ANY ($1::bigint[])`;
  const loadIds = loads.map(({ loadId }) => loadId);
  const one = loads.length === 1 ? loads[0]! : null;
  const { rows, rowCount } = await connection.query(
    one === null
      ? `WITH gone AS (${deleting} RETURNING ${LOAD_ID} AS load_id) SELECT load_id, count(*) AS rows FROM gone
        GROUP BY 1`
      : deleting,
    [loadIds],
    { timeoutMs: 0 },
  );
  const gone = new Map(rows.map((row) => [integer(row, 'load_id'), integer(row, 'rows')]));
  for (const load of loads) {
    const deleted = one === null ? (gone.get(load.loadId) ?? 0) : rowCount;
    if (deleted > load.rows)
      throw new TallymanError(
        'TALLY_MISMATCH',
        `load ${load.loadId} is to be replaced and brought ${load.rows} rows into ${name}, but ${deleted} rows ` +
          `there have its _load_id: not all of them are its own, and none was deleted`,
        {
          fix:
            `Find the rows that are not of load ${load.loadId} (two rows with one _row are a sign) and give ` +
            `them _load_id = 0, which no load has; then \`tallyman retry FILE_ID\`.`,
        },
      );
  }
}

async function otherTable(connection: Connection, target: string, ourOid: number): Promise<string | null> {
  const { rows } = await connection.query(
    `SELECT n.nspname::text AS schema, c.relname::text AS name FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE c.oid = pg_catalog.to_regclass($1) AND c.oid <> $2::oid AND c.relkind IN ('r', 'p')
       AND EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attname = '_load_id' AND NOT a.attisdropped)`,
    [target, ourOid],
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
