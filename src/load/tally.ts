import { TallymanError } from '../core/errors.js';
import type { TargetTable } from '../postgres/catalog.js';
import type { Connection } from '../postgres/connect.js';
import { qualified, quoteIdentifier } from '../postgres/identifiers.js';
import { integer } from '../postgres/rows.js';

const LOAD_ID = quoteIdentifier('_load_id');

/** Pages before the old end that the tail scan takes in: the last ones may have had room. */
const MARGIN = 32;
/** First version whose planner scans a range of ctid. */
const TID_RANGE = 140_000;

/** How the rows of a load are found again without an index (DESIGN 2.1, Count). */
export interface TallyScan {
  readonly table: TargetTable;
  readonly loadId: number;
  /** Pages of each leaf before the load. */
  readonly pages: readonly number[];
}

/** True when the new rows are looked for behind the old end of each leaf; rows that landed on older pages with room are then not seen. */
export function scansTail({ table }: Pick<TallyScan, 'table'>): boolean {
  return table.serverVersion >= TID_RANGE && table.loadIndex === null && table.leaves.length > 0;
}

/** Condition on one leaf for the tail. */
export function tailCondition({ loadId, pages }: TallyScan, leaf: number): string {
  return `ctid >= ${tailStart(pages, leaf)} AND ${LOAD_ID} = ${loadId}`;
}

const tailStart = (pages: readonly number[], leaf: number): string => `'(${Math.max(0, (pages[leaf] ?? 0) - MARGIN)},0)'::tid`;

/** SQL (`load_id`, `rows`) that counts the rows of several loads of one transaction in the same way; loads without rows are not in it. */
export function countGroupSql(scan: Omit<TallyScan, 'loadId'>, loadIds: readonly number[]): string {
  const { table, pages } = scan;
  const ours = `${LOAD_ID} IN (${loadIds.join(', ')})`;
  const rows = scansTail(scan)
    ? table.leaves.map((leaf, i) => `SELECT ${LOAD_ID} AS load_id FROM ONLY ${qualified(leaf.schema, leaf.name)} WHERE ctid >= ${tailStart(pages, i)} AND ${ours}`).join(' UNION ALL ')
    : `SELECT ${LOAD_ID} AS load_id FROM ${qualified(table.schema, table.name)} WHERE ${ours}`;
  return `SELECT load_id, count(*) AS rows FROM (${rows}) AS present GROUP BY load_id`;
}

/** SQL (one scalar `rows`) that counts the rows of the load: the tail where that works, else all. */
export function countSql(scan: TallyScan): string {
  if (!scansTail(scan)) return fullCountSql(scan);
  const leaves = scan.table.leaves.map((leaf, i) => `(SELECT count(*) FROM ONLY ${qualified(leaf.schema, leaf.name)} WHERE ${tailCondition(scan, i)})`);
  return `SELECT (${leaves.join(' + ')})::bigint AS rows`;
}

export function fullCountSql({ table, loadId }: TallyScan): string {
  return `SELECT count(*) AS rows FROM ${qualified(table.schema, table.name)} WHERE ${LOAD_ID} = ${loadId}`;
}

/**
 * Throws TALLY_MISMATCH unless the table holds `expected` rows of this load. `counted`: what countSql gave. Fewer than expected behind the old end
 * means rows on older pages or rows that are not there: one full scan tells.
 */
export async function proveCount(connection: Connection, scan: TallyScan, counted: number, expected: number): Promise<void> {
  let present = counted;
  if (present < expected && scansTail(scan)) {
    const { rows } = await connection.query(fullCountSql(scan), undefined, { timeoutMs: 0 });
    present = rows[0] === undefined ? 0 : integer(rows[0], 'rows');
  }
  if (present === expected) return;
  throw new TallymanError('TALLY_MISMATCH', `${expected} rows were loaded into ${qualified(scan.table.schema, scan.table.name)}, ${present} are there`);
}
