import type { TargetSpec } from '../../core/feed/target.js';
import type { ReceiptRef } from '../../core/receipts.js';
import type { Connection } from '../connect/connect.js';
import { controlNames } from './control-schema.js';
import { isServerError } from '../connect/errors.js';
import { displayName } from '../connect/identifiers.js';
import { receiptColumns, toReceipt } from './receipt-row.js';
import { integer, text, textOrNull } from '../connect/result-rows.js';
import { inTransaction } from '../connect/transaction.js';

export interface LiveCount {
  readonly receipt: ReceiptRef;
  readonly target: string;
  /** Rows in the table now; null = the table is gone. */
  readonly present: number | null;
}

/** A full count of a large table takes minutes; a quarter of a day is a hang. */
const COUNT_TIMEOUT_MS = 6 * 3_600_000;
/** Up to so many loads an index on _load_id may be of use; for more, one pass over the table. */
const FEW_LOADS = 100;

/**
 * Live receipts of the feed beside what stands in its tables, all at one moment: a load that commits meanwhile is in
 * both or in neither. Loads that were replaced come along when rows of theirs are still there.
 */
export function liveCounts(
  connection: Connection,
  schema: string,
  feed: string,
  target: TargetSpec | undefined,
): Promise<readonly LiveCount[]> {
  const own = target === undefined ? null : displayName(target.schema, target.table);
  const formerly = new Set((target?.formerly ?? []).map((one) => displayName(one.schema, one.table)));
  return inTransaction(connection, 'snapshot', { statement_timeout: '0' }, async () => {
    const { rows } = await connection.query(
      `SELECT ${await receiptColumns(connection, schema)}, target FROM ${controlNames(schema).loads}
       WHERE feed = $1 AND (status = 'loaded' OR (status = 'superseded' AND rows_loaded > 0)) ORDER BY load_id`,
      [feed],
    );
    const loads = rows.map((row) => {
      const receipt = toReceipt(row);
      const named = text(row, 'target');
      // What was replaced may be nowhere: all places count.
      const also = own !== null && (formerly.has(named) || receipt.status === 'superseded') ? [own] : [];
      return { receipt, target: named, places: new Set([named, ...also]) };
    });
    const counts = new Map<string, ReadonlyMap<number, number> | null>();
    for (const place of new Set(loads.flatMap((load) => [...load.places]))) {
      const ids = loads.filter((load) => load.places.has(place)).map((load) => load.receipt.loadId);
      counts.set(place, await countTarget(connection, place, ids));
    }
    return loads.flatMap(({ receipt, target, places }) => {
      const found = [...places].flatMap((place) => counts.get(place) ?? []);
      const present = found.reduce((sum, inPlace) => sum + (inPlace.get(receipt.loadId) ?? 0), 0);
      if (receipt.status !== 'loaded' && present === 0) return [];
      return [{ receipt, target, present: found.length === 0 ? null : present }];
    });
  });
}

async function countTarget(
  connection: Connection,
  target: string,
  loadIds: readonly number[],
): Promise<ReadonlyMap<number, number> | null> {
  // The name goes through the catalog and comes back quoted: what stands in `target` never becomes SQL. Without
  // _load_id it is another table.
  const { rows: found } = await connection.query(
    `SELECT (SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
       WHERE c.oid = pg_catalog.to_regclass($1) AND c.relkind IN ('r', 'p')
       AND EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attname = '_load_id' AND NOT a.attisdropped)) AS name`,
    [target],
  );
  const name = textOrNull(found[0]!, 'name');
  if (name === null) return null;
  const few = loadIds.length <= FEW_LOADS;
  const counted = await connection.query(
    `SELECT _load_id::bigint AS load_id, count(*) AS present FROM ${name}${few ? ' WHERE _load_id = ANY($1::bigint[])' : ''} GROUP BY 1`,
    few ? [loadIds] : undefined,
    { timeoutMs: COUNT_TIMEOUT_MS },
  );
  return new Map(counted.rows.map((row) => [integer(row, 'load_id'), integer(row, 'present')]));
}

/** True when the control schema, or the table asked, is simply not there (yet). */
export function isMissing(error: unknown): boolean {
  return isServerError(error) && (error.code === '42P01' || error.code === '3F000');
}
