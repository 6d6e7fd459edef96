import type { LoadJob } from '../../core/load.js';
import { fingerprintSql, type TargetTable } from '../../postgres/staging/catalog.js';
import type { Connection } from '../../postgres/connect/connect.js';
import type { ControlNames } from '../../postgres/control/control-schema.js';
import { isServerError } from '../../postgres/connect/errors.js';
import { qualified } from '../../postgres/connect/identifiers.js';
import { advisoryKey } from '../../postgres/connect/locks.js';
import { integer, list } from '../../postgres/connect/result-rows.js';
import { oneRow, Script } from '../../postgres/connect/script.js';
import { pagesSql } from './tally.js';
import { replacedSql, toReplaced, type ReplacedLoad } from './replaced.js';

/** What stands once the locks are held. */
export interface Begun {
  readonly loadId: number;
  readonly replaced: readonly ReplacedLoad[];
  /** Pages of each leaf of the table before the load, in the order of TargetTable.leaves. */
  readonly pages: readonly number[];
}

/**
 * Session settings of a load, all for this transaction only: start-up parameters would not get through pgbouncer
 * (DESIGN 2.1). search_path is left alone, users' triggers need it. DateStyle and TimeZone rule what text COPY makes of
 * types without a codec of ours. JIT would compile the count for longer than it runs.
 */
export const LOAD_SETTINGS = [
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
export const SYNCHRONOUS = `SELECT pg_catalog.set_config('synchronous_commit', 'on', true) WHERE pg_catalog.current_setting('synchronous_commit') = 'off'`;

export const BEGIN = 'BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE';

/** PostgreSQL 17 has one more way to cut a long transaction short. */
export const transactionTimeout = (serverVersion: number): readonly string[] =>
  serverVersion >= 170_000 ? ['SET LOCAL transaction_timeout = 0'] : [];

/**
 * Opens the load's transaction in one round trip: settings, locks (load_key; feed and path; the table where two loads
 * at once would hurt), the table kept from being altered, and under all that what this load replaces. null = the table
 * is not as `table` says any more: roll back, look again.
 */
export async function begin(
  connection: Connection,
  job: LoadJob,
  table: TargetTable,
  control: ControlNames,
): Promise<Begun | null> {
  const locks = [
    advisoryKey('load-key', job.loadKey),
    advisoryKey('path', job.feed.name, job.file.path),
    ...(job.feed.target.mode === 'replace_all' || table.hasUniqueOrExclusion
      ? [advisoryKey('target', table.schema, table.name)]
      : []),
  ];
  const script = new Script();
  script.also(
    BEGIN,
    ...LOAD_SETTINGS,
    ...transactionTimeout(table.serverVersion),
    SYNCHRONOUS,
    ...locks.map((key) => `SELECT pg_catalog.pg_advisory_xact_lock('${key}'::bigint)`),
    `LOCK TABLE ${qualified(table.schema, table.name)} IN ROW EXCLUSIVE MODE`,
  );
  const state = script.add(
    `SELECT ${fingerprintSql(table.schema, table.name)} AS fingerprint, pg_catalog.nextval(${control.loadIdSequence}) AS load_id, ${pagesSql(table)} AS pages`,
    oneRow((row) => ({
      fingerprint: row['fingerprint'],
      loadId: integer(row, 'load_id'),
      pages: list(row, 'pages').map(Number),
    })),
  );
  const replaced = script.add(replacedSql(job, control, job.file.sha256), toReplaced);
  try {
    await script.run(connection);
  } catch (error) {
    // Dropped, or its schema renamed, since it was looked at.
    if (isServerError(error) && ['42P01', '3F000'].includes(error.code)) return null;
    throw error;
  }
  const { fingerprint, loadId, pages } = state();
  return fingerprint === table.fingerprint ? { loadId, pages, replaced: replaced() } : null;
}
