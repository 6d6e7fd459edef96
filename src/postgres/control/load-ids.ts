import { TallymanError } from '../../core/errors.js';
import type { Connection } from '../connect/connect.js';
import { databaseError, classify } from '../connect/errors.js';
import { displayName, qualified, quoteIdentifier, quoteLiteral } from '../connect/identifiers.js';
import { advisoryKey } from '../connect/locks.js';
import { flag, integer, list, textOrNull } from '../connect/result-rows.js';
import { inTransaction } from '../connect/transaction.js';
import type { TargetTable } from '../staging/catalog.js';
import { controlNames } from './control-schema.js';

/**
 * A load's rows are told from all others by their `_load_id` alone, so no two loads into one table may have the same.
 * The sequence of one control schema sees to its own loads. It does not know of rows that stand in the table already (a
 * control schema that was dropped, restored or moved), nor of another control schema over the same table. Therefore
 *
 * - a table, and each partition of it, is met once before its first load: the sequence goes past what stands in it;
 * - the end of the table is looked at before each load: a newer number there than ours was given by somebody else;
 * - where the database has another control schema, load_ids are drawn past its sequence too, one at a time.
 */

const LOAD_ID = quoteIdentifier('_load_id');
/** Pages of each leaf in which a foreign `_load_id` is looked for before each load. */
const LAST_PAGES = 8;
/** Steps that a sequence is brought forward one by one: what others draw meanwhile can then never be given twice. */
const MOST_STEPS = 1_000_000;
/** load_ids stay exact in JavaScript, with room for more loads than anybody has. */
const MOST_LOAD_ID = 2n ** 53n - 2n ** 32n;
/** First version whose planner scans a range of ctid. */
const TID_RANGE = 140_000;

/** What a load sees of load_ids once it has its locks. */
export interface SeenIds {
  /** oids of the leaves that were met; null = the table never was. */
  readonly met: readonly number[] | null;
  /** A number at the table's end of which no receipt of ours knows; null = none. */
  readonly stranger: number | null;
  /** True when the database has another control schema. */
  readonly others: boolean;
}

/** SQL columns for readSeen(): they take no part of the table but its end. */
export function seenIdsSql(schema: string, table: TargetTable): string {
  const { targets, loads, loadIdSequence } = controlNames(schema);
  const name = quoteLiteral(displayName(table.schema, table.name));
  const newest = newestSql(table);
  return [
    `(SELECT m.leaves FROM ${targets} m WHERE m.target = ${name}) AS met`,
    newest === null
      ? `NULL::bigint AS newest, false AS newest_known`
      : `${newest} AS newest, EXISTS (SELECT FROM ${loads} l WHERE l.load_id = ${newest}) AS newest_known`,
    `EXISTS (${otherSequencesSql(loadIdSequence)}) AS others`,
  ].join(', ');
}

/** `ids`: the load_ids that this load has. */
export function readSeen(row: Readonly<Record<string, unknown>>, ids: readonly number[]): SeenIds {
  const newest = row['newest'] === null ? null : Number(row['newest']);
  const others = flag(row, 'others');
  // Among others ids are drawn before the look: one of our own loads may have come in between, and has its receipt.
  const foreign = newest !== null && newest >= Math.min(...ids) && !(others && flag(row, 'newest_known'));
  return { met: row['met'] === null ? null : list(row, 'met').map(Number), stranger: foreign ? newest : null, others };
}

/** True when the table may hold `_load_id`s that this control schema never gave: meetTable() comes first. */
export const isUnmet = ({ met, stranger }: SeenIds, { leaves }: TargetTable): boolean =>
  stranger !== null || met === null || leaves.some((leaf) => !met.includes(leaf.oid));

/** The highest number at the end of the table, cheaply; null = there is no cheap way. */
function newestSql(table: TargetTable): string | null {
  if (table.loadIndex === 'btree') return `(SELECT max(${LOAD_ID}) FROM ${qualified(table.schema, table.name)})`;
  if (table.serverVersion < TID_RANGE || table.leaves.length === 0) return null;
  const ends = table.leaves.map((leaf) => {
    const first =
      `pg_catalog.pg_relation_size(${leaf.oid}::oid) / ` +
      `pg_catalog.current_setting('block_size')::integer - ${LAST_PAGES}`;
    const from = `(SELECT ('(' || GREATEST(0, ${first}) || ',0)')::tid)`;
    return `(SELECT max(${LOAD_ID}) FROM ONLY ${qualified(leaf.schema, leaf.name)} WHERE ctid >= ${from})`;
  });
  return ends.length === 1 ? ends[0]! : `GREATEST(${ends.join(', ')})`;
}

/** Sequences of other control schemas in this database, by the name that each of them has. */
const otherSequencesSql = (own: string): string =>
  `SELECT c.oid FROM pg_catalog.pg_class c WHERE c.relname = 'loads_load_id_seq' AND c.relkind = 'S' AND c.oid <>
    ${own}::pg_catalog.regclass`;

/**
 * Takes the sequence past every `_load_id` that stands in the table, and remembers the table as met. Looks through the
 * leaves that it has not met yet, or through all of them when a number of a stranger was seen. Outside a transaction.
 */
export async function meetTable(
  connection: Connection,
  schema: string,
  table: TargetTable,
  seen: SeenIds,
): Promise<void> {
  const name = displayName(table.schema, table.name);
  const { targets } = controlNames(schema);
  const met = seen.stranger === null ? (seen.met ?? []) : [];
  try {
    await inTransaction(connection, 'write', { statement_timeout: '0', lock_timeout: '10s' }, async () => {
      let past = 0n;
      for (const leaf of table.leaves.filter(({ oid }) => !met.includes(oid))) {
        const { rows } = await connection.query(
          `SELECT max(${LOAD_ID})::text AS past FROM ${qualified(leaf.schema, leaf.name)}`,
          undefined,
          { timeoutMs: 0 },
        );
        const highest = BigInt(textOrNull(rows[0]!, 'past') ?? '0');
        if (highest > past) past = highest;
      }
      if (past >= MOST_LOAD_ID) throw noRoom(name, past);
      await lockIds(connection);
      await advance(connection, schema, Number(past));
      await connection.query(
        `INSERT INTO ${targets} (target, leaves) VALUES ($1, $2::bigint[])
         ON CONFLICT (target) DO UPDATE SET leaves = excluded.leaves, met_at = pg_catalog.now()`,
        [name, table.leaves.map(({ oid }) => oid)],
      );
    });
  } catch (error) {
    throw databaseError(
      error,
      `looking through the _load_ids of ${name}`,
      classify(error) === 'rights' ? rightsFix(schema) : undefined,
    );
  }
}

/** load_ids drawn beside other control schemas. */
export interface DrawnIds {
  readonly ids: readonly number[];
  /** False = one of the other sequences may not be read, so that its loads could have the same numbers. */
  readonly apart: boolean;
}

/** Draws load_ids past those of every control schema of this database. Outside a transaction. */
export async function drawAmongOthers(connection: Connection, schema: string, count: number): Promise<DrawnIds> {
  const { loadIdSequence: own } = controlNames(schema);
  try {
    return await inTransaction(connection, 'write', { statement_timeout: '0', lock_timeout: '10s' }, async () => {
      await lockIds(connection);
      const { rows: found } = await connection.query(
        `SELECT COALESCE(max(pg_catalog.pg_sequence_last_value(o.oid)) FILTER (WHERE o.may), 0) AS past,
           COALESCE(bool_and(o.may), true) AS apart
         FROM (SELECT c.oid, pg_catalog.has_sequence_privilege(c.oid, 'USAGE, SELECT') AS may
               FROM (${otherSequencesSql(own)}) c) o`,
      );
      await advance(connection, schema, integer(found[0]!, 'past'));
      const { rows } = await connection.query(
        `SELECT ARRAY(SELECT pg_catalog.nextval(${own}) FROM pg_catalog.generate_series(1, ${count})) AS ids`,
      );
      return { ids: list(rows[0]!, 'ids').map(Number), apart: flag(found[0]!, 'apart') };
    });
  } catch (error) {
    throw databaseError(
      error,
      'drawing load_ids beside another control schema',
      classify(error) === 'rights' ? rightsFix(schema) : undefined,
    );
  }
}

/** Until the end of the transaction. */
const lockIds = (connection: Connection): Promise<unknown> =>
  connection.query('SELECT pg_catalog.pg_advisory_xact_lock($1::bigint)', [advisoryKey('load-ids')]);

/** The sequence goes on behind `past`, and behind every receipt; never back. */
async function advance(connection: Connection, schema: string, past: number): Promise<void> {
  const { loads, loadIdSequence: own } = controlNames(schema);
  const { rows } = await connection.query(
    `SELECT COALESCE(pg_catalog.pg_sequence_last_value(${own}::pg_catalog.regclass), 0) AS last, (SELECT
      COALESCE(max(load_id), 0) FROM ${loads}) AS given`,
  );
  const to = Math.max(past, integer(rows[0]!, 'given'));
  const steps = to - integer(rows[0]!, 'last');
  if (steps <= 0) return;
  // Loads beside this one draw all the time: setting the sequence could take it back behind them.
  if (steps <= MOST_STEPS)
    await connection.query(
      `SELECT max(pg_catalog.nextval(${own})) AS last FROM pg_catalog.generate_series(1, $1::bigint)`,
      [steps],
    );
  else await connection.query(`SELECT pg_catalog.setval(${own}, $1::bigint)`, [to]);
}

function noRoom(name: string, past: bigint): TallymanError {
  return new TallymanError(
    'CONTRACT_MISFIT',
    `The staging table ${name} holds rows with _load_id ${past}, behind which no further load_id can be given. ` +
      `Run: UPDATE ${name} SET _load_id = 0 WHERE _load_id >= ${MOST_LOAD_ID};`,
    { fix: 'Run the UPDATE in the message (no load has the number 0), or use another target.table.' },
  );
}

function rightsFix(schema: string): string {
  const s = quoteIdentifier(schema);
  return (
    `As its owner: GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA ${s} TO the_role; GRANT USAGE, ` +
    `UPDATE ON ALL SEQUENCES IN SCHEMA ${s} TO the_role;`
  );
}
