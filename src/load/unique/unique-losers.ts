import { TallymanError } from '../../core/errors.js';
import type { Connection } from '../../postgres/connect/connect.js';
import { isServerError } from '../../postgres/connect/errors.js';
import { qualified, quoteIdentifier } from '../../postgres/connect/identifiers.js';
import { integer, text, type Row } from '../../postgres/connect/result-rows.js';
import { RowSet } from './row-set.js';
import { scansTail, tailCondition, type TallyScan } from '../transaction/tally.js';

/** Past so many rows to compare, PostgreSQL groups all rows of the load instead of looking for these. */
const MOST_NAMED = 50_000;
/** Rows fetched and deleted at a time. */
const PAGE = 10_000;

const ROW = quoteIdentifier('_row');
const LOAD_ID = quoteIdentifier('_load_id');

/** A unique key of the feed. */
export interface UniqueKey {
  /** Names of its columns in the table. */
  readonly columns: readonly string[];
  /** Its columns whose type has no order in SQL (json): compared as text. */
  readonly asText: ReadonlySet<string>;
  /** Its columns whose type has no codec here; some of them have no order in SQL either, which only trying tells. */
  readonly foreign: ReadonlySet<string>;
  /**
   * Only PostgreSQL knows which of its values are equal (citext, interval, a nondeterministic collation): hashes tell
   * nothing, all rows of the load are compared.
   */
  readonly inDatabase: boolean;
}

/** Rows that lost against an earlier one, by key; how many rows in all. */
export interface Losers {
  readonly lost: readonly RowSet[];
  readonly count: number;
}

/**
 * Finds the rows that lose against an earlier row with the same key, by exact comparison in SQL among the rows whose
 * hash repeats, and deletes them. The first one wins, and a row that lost takes no key: of A (1), B (1, 2), C (2) only
 * B goes. `complete`: the tail scan sees all rows of the load. Returns the losers by key; a row may have lost by
 * several, and counts once.
 */
export async function removeUniqueLosers(
  connection: Connection,
  scan: TallyScan,
  keys: readonly UniqueKey[],
  repeats: readonly RowSet[],
  complete: boolean,
): Promise<Losers> {
  const lost = keys.map(() => new RowSet());
  const candidates = keys.flatMap((key, i) =>
    !key.inDatabase && (repeats[i]?.size ?? 0) === 0 ? [] : [{ key, number: i, repeats: repeats[i] ?? new RowSet() }],
  );
  if (candidates.length === 0) return { lost, count: 0 };
  let page = await openCursor(
    connection,
    candidates.some(({ key }) => key.inDatabase),
    (asText) =>
      candidates
        .map(({ key, number, repeats: rows }) => clashesSql(scan, asText(key), number, rows, complete))
        .join(' UNION ALL '),
  );
  const taken = keys.map(() => new RowSet());
  const doomed = new Doomed(connection, scan);
  let row = 0;
  let clashes: { key: number; first: number }[] = [];
  let place = { leaf: '', ctid: '' };
  const judge = async (): Promise<void> => {
    const losing = clashes.filter(({ key, first }) => taken[key]!.has(first));
    if (losing.length === 0) {
      for (const { key, first } of clashes) taken[key]!.add(first);
      return;
    }
    for (const { key } of losing) lost[key]!.add(row);
    await doomed.add(place.leaf, place.ctid);
  };
  for (;;) {
    for (const found of page) {
      const number = integer(found, 'row');
      if (number !== row) {
        if (clashes.length > 0) await judge();
        row = number;
        clashes = [];
        place = { leaf: text(found, 'leaf'), ctid: text(found, 'ctid') };
      }
      clashes.push({ key: integer(found, 'key'), first: integer(found, 'first') });
    }
    if (page.length < PAGE) break;
    page = await fetchPage(connection);
  }
  if (clashes.length > 0) await judge();
  await connection.query('CLOSE tallyman_unique');
  await doomed.flush();
  return { lost, count: doomed.count };
}

/**
 * SQLSTATEs of "could not identify an ordering operator", also for what stands within an array or a row, and of "some
 * of the datatypes only support hashing".
 */
const NO_OPERATOR: ReadonlySet<string> = new Set(['42883', '0A000']);

/**
 * Opens the cursor over what `select` finds and returns its first page: by then PostgreSQL has sorted everything.
 * `unsure`: types are among the keys of which nobody here knows whether they have an order; where one has none, all of
 * that kind are compared as text.
 */
async function openCursor(
  connection: Connection,
  unsure: boolean,
  select: (asText: (key: UniqueKey) => UniqueKey) => string,
): Promise<readonly Row[]> {
  const open = async (sql: string): Promise<readonly Row[]> => {
    await connection.query(`DECLARE tallyman_unique NO SCROLL CURSOR FOR ${sql} ORDER BY row, key`, undefined, {
      timeoutMs: 0,
    });
    return fetchPage(connection);
  };
  const asWritten = select((key) => key);
  if (!unsure) return open(asWritten);
  await connection.query('SAVEPOINT tallyman_unique');
  try {
    return await open(asWritten);
  } catch (error) {
    if (!isServerError(error) || !NO_OPERATOR.has(error.code)) throw error;
    await connection.query('ROLLBACK TO SAVEPOINT tallyman_unique');
    return open(select((key) => ({ ...key, asText: new Set([...key.asText, ...key.foreign]) })));
  }
}

const fetchPage = async (connection: Connection): Promise<readonly Row[]> =>
  (await connection.query(`FETCH FORWARD ${PAGE} FROM tallyman_unique`, undefined, { timeoutMs: 0 })).rows;

/**
 * Rows that share their key with another row: row, key number, the first row with this key, and where the row stands.
 * NULLs never clash.
 */
function clashesSql(scan: TallyScan, key: UniqueKey, number: number, repeats: RowSet, complete: boolean): string {
  const { table } = scan;
  const values = key.columns.map((name) =>
    key.asText.has(name) ? `${quoteIdentifier(name)}::text` : quoteIdentifier(name),
  );
  const ones = values.map((_, i) => `k${i}`);
  const tail = complete && scansTail(scan) && table.leaves.length === 1 && table.relkind === 'r';
  const where = [
    tail ? tailCondition(scan, 0) : `${LOAD_ID} = ${scan.loadId}`,
    ...values.map((value) => `${value} IS NOT NULL`),
  ].join(' AND ');
  const from = `(SELECT tableoid::regclass::text AS leaf, ctid, ${ROW} AS row, ${values.map((value, i) => `${value} AS k${i}`).join(', ')} FROM ${qualified(table.schema, table.name)} WHERE ${where}) AS l`;
  const named =
    key.inDatabase || repeats.size > MOST_NAMED
      ? ''
      : ` WHERE (${ones.join(', ')}) IN (SELECT ${ones.join(', ')} FROM ${from} WHERE row = ANY ('{${[...repeats.rows()].join(',')}}'::bigint[]))`;
  const grouped = `SELECT leaf, ctid::text AS ctid, row, ${number} AS key, min(row) OVER w AS first, count(*) OVER w AS size FROM ${from}${named} WINDOW w AS (PARTITION BY ${ones.join(', ')})`;
  return `SELECT row, key, first, leaf, ctid FROM (${grouped}) AS g WHERE size > 1`;
}

/** Rows to delete, by where they stand: a table without index on _row would be scanned for each page otherwise. */
class Doomed {
  count = 0;
  readonly #connection: Connection;
  readonly #scan: TallyScan;
  readonly #pages = new Map<string, string[]>();
  #waiting = 0;

  constructor(connection: Connection, scan: TallyScan) {
    this.#connection = connection;
    this.#scan = scan;
  }

  async add(leaf: string, ctid: string): Promise<void> {
    const page = this.#pages.get(leaf);
    if (page === undefined) this.#pages.set(leaf, [ctid]);
    else page.push(ctid);
    this.count++;
    this.#waiting++;
    if (this.#waiting >= PAGE) await this.flush();
  }

  async flush(): Promise<void> {
    for (const [leaf, ctids] of this.#pages) {
      const { rowCount } = await this.#connection.query(
        `DELETE FROM ONLY ${leaf} WHERE ctid = ANY ($1::tid[]) AND ${LOAD_ID} = ${this.#scan.loadId}`,
        [ctids],
      );
      if (rowCount !== ctids.length)
        throw new TallymanError(
          'TALLY_MISMATCH',
          `${ctids.length} rows that are not unique should go, ${rowCount} went`,
        );
    }
    this.#pages.clear();
    this.#waiting = 0;
  }
}
