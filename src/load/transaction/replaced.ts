import type { LoadJob } from '../../core/load.js';
import type { TargetTable } from '../../postgres/staging/catalog.js';
import type { Connection } from '../../postgres/connect/connect.js';
import type { ControlNames } from '../../postgres/control/control-schema.js';
import { displayName, qualified, quoteIdentifier, quoteLiteral } from '../../postgres/connect/identifiers.js';
import { integer, text, type Row } from '../../postgres/connect/result-rows.js';

/**
 * A load that this one takes the place of: its rows go when this one's come. Of a rejected one only the receipt and the
 * quarantine are left to settle.
 */
export interface ReplacedLoad {
  readonly loadId: number;
  /** As `loads.target` says: the feed may have had another table then. */
  readonly target: string;
  readonly status: string;
}

/**
 * SQL that reads which loads the job replaces (core/load.ts, ReplaceRule), and the path's earlier rejections, in order
 * of load_id. Each way is a branch of its own, so that each finds its index among millions of receipts. Paths belong to
 * this instance: the same path on another host is another file. `sha256`: null = not known yet.
 */
export function replacedSql(job: LoadJob, control: ControlNames, sha256: string | null): string {
  const { replaces } = job;
  const keep = replaces.keep ?? [];
  const feed = `feed = ${quoteLiteral(job.feed.name)}`;
  const path = `${feed} AND path = ${quoteLiteral(job.file.path)} AND instance_id = ${quoteLiteral(job.instanceId)}`;
  const ways = [
    `${path} AND (status = 'cleared' OR (status = 'rejected'${keep.length === 0 ? '' : ` AND load_id NOT IN (${keep.map(Number).join(', ')})`}))`,
    ...(sha256 === null ? [] : [`${feed} AND file_sha256 = ${quoteLiteral(sha256)} AND status = 'cleared'`]),
    ...(replaces.path ? [`${path} AND status = 'loaded'`] : []),
    ...(replaces.feed ? [`${feed} AND status = 'loaded'`] : []),
    ...(replaces.loadIds.length === 0
      ? []
      : [`load_id IN (${replaces.loadIds.map(Number).join(', ')}) AND status IN ('loaded', 'cleared', 'rejected')`]),
  ];
  return `${ways.map((way) => `SELECT load_id, target, status FROM ${control.loads} WHERE ${way}`).join(' UNION ')} ORDER BY load_id`;
}

export function toReplaced(rows: readonly Row[]): readonly ReplacedLoad[] {
  return rows.map((row) => ({
    loadId: integer(row, 'load_id'),
    target: text(row, 'target'),
    status: text(row, 'status'),
  }));
}

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
