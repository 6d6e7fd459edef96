import { TallymanError } from '../../core/errors.js';
import type { LoadJob } from '../../core/load.js';
import type { Connection } from '../../postgres/connect/connect.js';
import { isServerError } from '../../postgres/connect/errors.js';
import { qualified } from '../../postgres/connect/identifiers.js';
import { advisoryKey } from '../../postgres/connect/locks.js';
import { list, text } from '../../postgres/connect/result-rows.js';
import { eachRow, oneRow, Script, type Reader } from '../../postgres/connect/script.js';
import {
  drawAmongOthers,
  isUnmet,
  meetTable,
  readSeen,
  seenIdsSql,
  type DrawnIds,
  type SeenIds,
} from '../../postgres/control/load-ids.js';
import { drawLoadIdsSql } from '../../postgres/control/receipt-write.js';
import {
  replacedPathsSql,
  replacedSql,
  toReplaced,
  unforeseen,
  type ReplacedLoad,
} from '../../postgres/control/replaced-loads.js';
import { fingerprintSql, type TargetTable } from '../../postgres/staging/catalog.js';
import { rollback } from './commit.js';
import { pagesSql } from './tally.js';

/** What stands once the locks are held. */
export interface Begun {
  readonly loadId: number;
  readonly replaced: readonly ReplacedLoad[];
  /** Pages of each leaf of the table before the load, in the order of TargetTable.leaves. */
  readonly pages: readonly number[];
  /** TallyScan.whole. */
  readonly whole: boolean;
}

/** The same for a group. */
export interface GroupBegun {
  /** One for each job, in their order. */
  readonly loadIds: readonly number[];
  readonly pages: readonly number[];
  readonly whole: boolean;
  /** Paths of which earlier receipts would be superseded: those files are loaded alone. */
  readonly replacing: ReadonlySet<string>;
}

/**
 * Session settings of a load, all for this transaction only: start-up parameters would not get through pgbouncer.
 * search_path is left alone, users' triggers need it. DateStyle and TimeZone rule what text COPY makes of types without
 * a codec of ours. JIT would compile the count for longer than it runs.
 */
const SETTINGS = [
  `statement_timeout = 0`,
  `lock_timeout = '10s'`,
  `idle_in_transaction_session_timeout = '5min'`,
  `tcp_keepalives_idle = 30`,
  `tcp_keepalives_interval = 10`,
  `tcp_keepalives_count = 3`,
  `DateStyle = 'ISO, YMD'`,
  `TimeZone = 'UTC'`,
  `jit = off`,
].map((setting) => `SET LOCAL ${setting}`);

/** A receipt must outlive a crash of the server even where the role says otherwise. */
const SYNCHRONOUS = `SELECT pg_catalog.set_config('synchronous_commit', 'on', true) WHERE pg_catalog.current_setting('synchronous_commit') = 'off'`;

/** PostgreSQL 17 has one more way to cut a long transaction short; older ones do not know the setting. */
const UNCUT = `SELECT pg_catalog.set_config('transaction_timeout', '0', true) WHERE pg_catalog.current_setting('transaction_timeout', true) <> '0'`;

/**
 * A backend that works on notices only so that its client is gone; it would keep its locks until it is done. The check
 * needs PostgreSQL 14 and a system that can tell.
 */
const NOTICES = [
  `SELECT pg_catalog.set_config('client_connection_check_interval', '5s', true)`,
  `WHERE pg_catalog.current_setting('client_connection_check_interval', true) = '0'`,
  `AND pg_catalog.version() LIKE '%linux%'`,
].join(' ');

/**
 * The beginning of every transaction that writes a receipt: BEGIN, settings, and the locks, each until the end:
 *
 *     load_key of each job -> feed and path of each job -> the staging table, where two loads at once would hurt
 *
 * Everybody takes them in this order, and those of one kind sorted: two transactions that share several of them can
 * then never wait for each other. load_key comes first, because recovery takes its lock as proof that the transaction
 * has ended.
 */
export function openTransaction(jobs: readonly LoadJob[], table: Pick<TargetTable, 'schema' | 'name'> | null): Script {
  const keys = [
    ...jobs.map((job) => advisoryKey('load-key', job.loadKey)).sort(),
    ...jobs.map((job) => advisoryKey('path', job.feed.name, job.file.path)).sort(),
    ...(table === null ? [] : [advisoryKey('target', table.schema, table.name)]),
  ];
  const script = new Script();
  script.also(
    'BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE',
    ...SETTINGS,
    UNCUT,
    NOTICES,
    SYNCHRONOUS,
    `SELECT ${keys.map((key) => `pg_catalog.pg_advisory_xact_lock('${key}'::bigint)`).join(', ')}`,
  );
  return script;
}

/**
 * Opens the load's transaction in one round trip: settings, locks, the table kept from being altered, and under all
 * that what this load replaces. null = the table is not as `table` says any more: roll back, look again. Throws
 * PathIsKnown.
 */
export async function begin(
  connection: Connection,
  job: LoadJob,
  table: TargetTable,
  control: KnownControl,
): Promise<Begun | null> {
  const hashes = [job.file.sha256, job.content?.sha256 ?? null].filter((hash) => hash !== null);
  const begun = await beginMet(connection, [job], table, control, replacedSql(job, hashes), toReplaced);
  if (begun === null) return null;
  const { loadIds, found, ...rest } = begun;
  const unknown = unforeseen(job, found);
  if (unknown.length > 0) throw new PathIsKnown(unknown);
  return { ...rest, loadId: loadIds[0]!, replaced: found };
}

/** There are live loads of the path of which the decision knew nothing. */
export class PathIsKnown extends Error {
  override readonly name = 'PathIsKnown';
  readonly loadIds: readonly number[];

  constructor(loadIds: readonly number[]) {
    super(`loads ${loadIds.join(', ')}`);
    this.loadIds = loadIds;
  }
}

/** `begin` for several small files of one feed at once, in one round trip too. */
export async function beginGroup(
  connection: Connection,
  jobs: readonly LoadJob[],
  table: TargetTable,
  control: KnownControl,
): Promise<GroupBegun | null> {
  const toPath = eachRow((row) => text(row, 'path'));
  const begun = await beginMet(connection, jobs, table, control, replacedPathsSql(jobs), toPath);
  if (begun === null) return null;
  const { found, ...rest } = begun;
  return { ...rest, replacing: new Set(found) };
}

/** What a session remembers of the control schema from one load to the next. */
export interface KnownControl {
  /** The database has another control schema: load_ids are drawn past its own. */
  others: boolean;
}

/** A table that is met anew by each of so many tries is written to by somebody who gives numbers of his own. */
const MOST_TRIES = 5;

interface BegunWith<T> {
  readonly loadIds: readonly number[];
  readonly pages: readonly number[];
  readonly whole: boolean;
  readonly found: T;
}

/** Begins once no row of the table can have this load's number (postgres/control/load-ids.ts). */
async function beginMet<T>(
  connection: Connection,
  jobs: readonly LoadJob[],
  table: TargetTable,
  control: KnownControl,
  look: string,
  read: Reader<T>,
): Promise<BegunWith<T> | null> {
  const { controlSchema } = jobs[0]!.database;
  for (let run = 1; run <= MOST_TRIES; run++) {
    const drawn = control.others ? await drawAmongOthers(connection, controlSchema, jobs.length) : null;
    const begun = await beginWith(connection, jobs, table, drawn, look, read);
    if (begun === null) return null;
    const { seen, ...rest } = begun;
    control.others = seen.others;
    const unmet = isUnmet(seen, table);
    if (!unmet && (drawn !== null || !seen.others)) return { ...rest, whole: drawn?.apart === false };
    await rollback(connection);
    if (unmet) await meetTable(connection, controlSchema, table, seen);
  }
  throw new TallymanError(
    'LOAD_FAILED',
    `${qualified(table.schema, table.name)}: somebody else keeps adding rows with _load_ids that were not given yet`,
    { fix: 'Find out who writes into the table; then `tallyman retry FILE_ID`.' },
  );
}

/** `drawn`: null = load_ids are drawn here. `look`: a statement that is run once the locks are held, and its reader. */
async function beginWith<T>(
  connection: Connection,
  jobs: readonly LoadJob[],
  table: TargetTable,
  drawn: DrawnIds | null,
  look: string,
  read: Reader<T>,
): Promise<(Omit<BegunWith<T>, 'whole'> & { readonly seen: SeenIds }) | null> {
  const { feed, database } = jobs[0]!;
  const alone = feed.serial || table.hasUniqueOrExclusion;
  const script = openTransaction(jobs, alone ? table : null);
  script.also(`LOCK TABLE ${qualified(table.schema, table.name)} IN ROW EXCLUSIVE MODE`);
  const { controlSchema } = database;
  const loadIdsSql =
    drawn === null ? drawLoadIdsSql(controlSchema, jobs.length) : `ARRAY[${drawn.ids.join(', ')}]::bigint[]`;
  const state = script.add(
    `SELECT ${fingerprintSql(table.schema, table.name)} AS fingerprint, ${loadIdsSql} AS load_ids,
      ${pagesSql(table)} AS pages, ${seenIdsSql(controlSchema, table)}`,
    oneRow((row) => {
      const loadIds = list(row, 'load_ids').map(Number);
      return {
        fingerprint: row['fingerprint'],
        loadIds,
        pages: list(row, 'pages').map(Number),
        seen: readSeen(row, loadIds),
      };
    }),
  );
  const found = script.add(look, read);
  try {
    await script.run(connection);
  } catch (error) {
    // Dropped, without its lineage columns, or its schema renamed, since it was looked at.
    if (isServerError(error) && ['42P01', '42703', '3F000'].includes(error.code)) return null;
    throw error;
  }
  const { fingerprint, ...begun } = state();
  return fingerprint === table.fingerprint ? { ...begun, found: found() } : null;
}
