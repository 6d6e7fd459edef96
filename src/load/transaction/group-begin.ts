import type { LoadJob } from '../../core/load.js';
import { fingerprintSql, type TargetTable } from '../../postgres/staging/catalog.js';
import type { Connection } from '../../postgres/connect/connect.js';
import type { ControlNames } from '../../postgres/control/control-schema.js';
import { isServerError } from '../../postgres/connect/errors.js';
import { qualified, quoteLiteral } from '../../postgres/connect/identifiers.js';
import { advisoryKey } from '../../postgres/connect/locks.js';
import { integer, list, text } from '../../postgres/connect/result-rows.js';
import { eachRow, oneRow, Script } from '../../postgres/connect/script.js';
import { pagesSql } from './tally.js';
import { BEGIN, LOAD_SETTINGS, SYNCHRONOUS, transactionTimeout } from './begin.js';

/** What stands once the locks of a group are held. */
export interface GroupBegun {
  /** One for each job, in their order. */
  readonly loadIds: readonly number[];
  /** Pages of each leaf of the table before the loads. */
  readonly pages: readonly number[];
  /** Paths of which earlier receipts would be superseded: those files are loaded alone. */
  readonly replacing: ReadonlySet<string>;
}

/** `begin` for several small files at once, in one round trip too. null = the table is not as `table` says any more. */
export async function beginGroup(
  connection: Connection,
  jobs: readonly LoadJob[],
  table: TargetTable,
  control: ControlNames,
): Promise<GroupBegun | null> {
  const { feed, instanceId } = jobs[0]!;
  // In one order everywhere: two groups that share paths would otherwise wait for each other.
  const paths = jobs.map((job) => advisoryKey('path', feed.name, job.file.path)).sort();
  const locks = [
    ...jobs.map((job) => advisoryKey('load-key', job.loadKey)),
    ...(table.hasUniqueOrExclusion ? [advisoryKey('target', table.schema, table.name)] : []),
    ...paths,
  ];
  const script = new Script();
  script.also(
    BEGIN,
    ...LOAD_SETTINGS,
    ...transactionTimeout(table.serverVersion),
    SYNCHRONOUS,
    `SELECT ${locks.map((key) => `pg_catalog.pg_advisory_xact_lock('${key}'::bigint)`).join(', ')}`,
    `LOCK TABLE ${qualified(table.schema, table.name)} IN ROW EXCLUSIVE MODE`,
  );
  const state = script.add(
    `SELECT ${fingerprintSql(table.schema, table.name)} AS fingerprint, ${pagesSql(table)} AS pages`,
    oneRow((row) => ({ fingerprint: row['fingerprint'], pages: list(row, 'pages').map(Number) })),
  );
  const loadIds = script.add(
    `SELECT pg_catalog.nextval(${control.loadIdSequence}) AS load_id FROM pg_catalog.generate_series(1, ${jobs.length})`,
    eachRow((row) => integer(row, 'load_id')),
  );
  const replacing = script.add(
    `SELECT DISTINCT path FROM ${control.loads} WHERE feed = ${quoteLiteral(feed.name)} AND path IN (${jobs.map((job) => quoteLiteral(job.file.path)).join(', ')}) AND instance_id = ${quoteLiteral(instanceId)} AND status IN ('cleared', 'rejected')`,
    eachRow((row) => text(row, 'path')),
  );
  try {
    await script.run(connection);
  } catch (error) {
    if (isServerError(error) && ['42P01', '3F000'].includes(error.code)) return null;
    throw error;
  }
  const { fingerprint, pages } = state();
  return fingerprint === table.fingerprint ? { loadIds: loadIds(), pages, replacing: new Set(replacing()) } : null;
}
