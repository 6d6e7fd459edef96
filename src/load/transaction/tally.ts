import { TallymanError } from '../../core/errors.js';
import type { TargetTable } from '../../postgres/staging/catalog.js';
import type { Connection } from '../../postgres/connect/connect.js';
import { qualified, quoteIdentifier } from '../../postgres/connect/identifiers.js';
import { integer } from '../../postgres/connect/result-rows.js';

const LOAD_ID = quoteIdentifier('_load_id');

/**
 * Pages before the old end that the tail scan takes in: the last ones may have had room, and so may those that another
 * session's COPY has just added (PostgreSQL 16 adds up to 64 at a time for each that waits, and lets others use them).
 * Looking through 256 takes half a millisecond.
 */
const MARGIN = 256;
/** First version whose planner scans a range of ctid. */
const TID_RANGE = 140_000;

/** How the rows of a load are found again without an index (docs/architecture.md#the-loads-transaction). */
export interface TallyScan {
  readonly table: TargetTable;
  readonly loadId: number;
  /** Pages of each leaf before the load. */
  readonly pages: readonly number[];
  /**
   * Pages of each leaf when the session's load before ended: there a backend goes on, however far others have made the
   * table grow since. null = it is the first.
   */
  readonly ended: readonly number[] | null;
  /** Another control schema may give the same numbers: all of the table is counted. Omitted = no. */
  readonly whole?: boolean;
}

/** SQL (an array of float8) that returns the pages of each leaf as they are now. */
export function pagesSql({ leaves }: Pick<TargetTable, 'leaves'>): string {
  return `ARRAY[${leaves.map((leaf) => `pg_catalog.pg_relation_size(${leaf.oid}::oid) / pg_catalog.current_setting('block_size')::integer`).join(', ')}]::float8[]`;
}

/**
 * True when the new rows are looked for behind the old end of each leaf; rows that landed on older pages with room are
 * then not seen.
 */
export function scansTail({ table, whole }: Pick<TallyScan, 'table' | 'whole'>): boolean {
  return whole !== true && table.serverVersion >= TID_RANGE && table.loadIndex === null && table.leaves.length > 0;
}

/** Condition on one leaf that holds for all rows that the tail scan sees, and for others of the load behind them. */
export function tailCondition(scan: TallyScan, leaf: number): string {
  const from = Math.min(tailStart(scan, leaf), ...(scan.ended === null ? [] : [around(scan.ended[leaf] ?? 0).from]));
  return `ctid >= ${tid(from)} AND ${LOAD_ID} = ${scan.loadId}`;
}

const tid = (page: number): string => `'(${page},0)'::tid`;
const tailStart = ({ pages }: Pick<TallyScan, 'pages'>, leaf: number): number =>
  Math.max(0, (pages[leaf] ?? 0) - MARGIN);
const around = (page: number): { readonly from: number; readonly to: number } => ({
  from: Math.max(0, page - MARGIN),
  to: page + MARGIN,
});

/** Ranges of pages of one leaf in which the rows of the load are looked for, as conditions; none overlaps another. */
function ranges(scan: Omit<TallyScan, 'loadId'>, leaf: number): readonly string[] {
  const tail = tailStart(scan, leaf);
  const behind = `ctid >= ${tid(tail)}`;
  if (scan.ended === null) return [behind];
  const { from, to } = around(scan.ended[leaf] ?? 0);
  return from >= tail ? [behind] : [behind, `ctid >= ${tid(from)} AND ctid < ${tid(Math.min(to, tail))}`];
}

/**
 * SQL (`load_id`, `rows`) that counts the rows of several loads of one transaction in the same way; loads without rows
 * are not in it.
 */
export function countGroupSql(scan: Omit<TallyScan, 'loadId'>, loadIds: readonly number[]): string {
  const { table } = scan;
  const ours = `${LOAD_ID} IN (${loadIds.join(', ')})`;
  if (!scansTail(scan)) return fullCountGroupSql(table, loadIds);
  const rows = table.leaves.flatMap((leaf, i) =>
    ranges(scan, i).map(
      (range) =>
        `SELECT ${LOAD_ID} AS load_id FROM ONLY ${qualified(leaf.schema, leaf.name)} WHERE ${range} AND ${ours}`,
    ),
  );
  return `SELECT load_id, count(*) AS rows FROM (${rows.join(' UNION ALL ')}) AS present GROUP BY load_id`;
}

/** The same from the whole table. */
export function fullCountGroupSql(table: TargetTable, loadIds: readonly number[]): string {
  return `SELECT ${LOAD_ID} AS load_id, count(*) AS rows FROM ${qualified(table.schema, table.name)} WHERE ${LOAD_ID} IN (${loadIds.join(', ')}) GROUP BY load_id`;
}

/** SQL (one scalar `rows`) that counts the rows of the load: the tail where that works, else all. */
export function countSql(scan: TallyScan): string {
  if (!scansTail(scan)) return fullCountSql(scan);
  const ours = `${LOAD_ID} = ${scan.loadId}`;
  const counts = scan.table.leaves.flatMap((leaf, i) =>
    ranges(scan, i).map(
      (range) => `(SELECT count(*) FROM ONLY ${qualified(leaf.schema, leaf.name)} WHERE ${range} AND ${ours})`,
    ),
  );
  return `SELECT (${counts.join(' + ')})::bigint AS rows`;
}

export function fullCountSql({ table, loadId }: TallyScan): string {
  return `SELECT count(*) AS rows FROM ${qualified(table.schema, table.name)} WHERE ${LOAD_ID} = ${loadId}`;
}

/**
 * SQL (`rows`) for how many rows this transaction inserted into the table so far, as PostgreSQL counts them for its
 * statistics: those that were rolled back to a savepoint or deleted again are among them.
 */
export function insertedSql({ leaves }: Pick<TargetTable, 'leaves'>): string {
  const counts = leaves.map((leaf) => `pg_catalog.pg_stat_get_xact_tuples_inserted(${leaf.oid}::oid)`);
  return `SELECT (${['0', ...counts].join(' + ')})::bigint AS rows`;
}

/**
 * Throws TALLY_MISMATCH unless the table holds `expected` rows of this load. `counted`: what countSql gave. Fewer than
 * expected behind the old end means rows on older pages or rows that are not there: one full scan tells. So it does
 * where `alone` is not certain: a trigger may have put more rows of the load on pages where nobody looked.
 */
export async function proveCount(
  connection: Connection,
  scan: TallyScan,
  counted: number,
  expected: number,
  alone: boolean,
): Promise<void> {
  let present = counted;
  if ((present < expected || !alone) && scansTail(scan)) {
    const { rows } = await connection.query(fullCountSql(scan), undefined, { timeoutMs: 0 });
    present = rows[0] === undefined ? 0 : integer(rows[0], 'rows');
  }
  if (present === expected) return;
  throw new TallymanError(
    'TALLY_MISMATCH',
    `${expected} rows were loaded into ${qualified(scan.table.schema, scan.table.name)}, ${present} are there`,
  );
}
