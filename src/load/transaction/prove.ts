import { TallymanError } from '../../core/errors.js';
import { databaseError, isServerError, publicMessage } from '../../postgres/connect/errors.js';
import { rowFault } from '../../postgres/connect/row-fault.js';
import { integer, list, type Row } from '../../postgres/connect/result-rows.js';
import { oneRow, Script, type Answer } from '../../postgres/connect/script.js';
import { clearedContentSql, replacedSql, toReplaced } from '../../postgres/control/replaced-loads.js';
import type { TargetTable } from '../../postgres/staging/catalog.js';
import { proveQuarantined } from '../copy/quarantine-copy.js';
import { NotTogether, type Member } from '../group-member.js';
import { countsOf, judgeFile } from '../read/read-file.js';
import type { RunningGroup, RunningLoad } from '../running.js';
import { hashOf } from './receipt.js';
import { deleteReplaced, missingFrom } from './replaced.js';
import { RunAgain } from './run-again.js';
import { countGroupSql, countSql, fullCountGroupSql, insertedSql, pagesSql, proveCount, scansTail } from './tally.js';

/** The file against its limits and its sender's words; every refused row is in the quarantine then. */
export async function judgeLoad({ parts, file, reached, quarantine, record }: RunningLoad): Promise<void> {
  judgeFile(parts.job, file, reached);
  await quarantine.flush();
  proveQuarantined(quarantine.written, record.count);
}

/**
 * Constraints, count, and the loads to be replaced once more, in one round trip. Throws DEFERRED_CONSTRAINT,
 * TALLY_MISMATCH, RunAgain. By content some loads that are replaced show only now that the hash is known; their rows go
 * here.
 */
export async function proveTally(load: RunningLoad): Promise<void> {
  const { connection, job, scan } = load;
  const script = new Script();
  script.also(FIRE_ALL);
  const counted = script.add(
    countSql(scan),
    oneRow((row) => integer(row, 'rows')),
  );
  const inserted = addInserted(script, scan.table);
  const pages = addPages(script, scan.table);
  const now = script.add(replacedSql(job, hashOf(load)), toReplaced);
  try {
    await script.run(connection, { timeoutMs: 0 });
  } catch (error) {
    if (isServerError(error) && rowFault(error) === 'row')
      throw new TallymanError('DEFERRED_CONSTRAINT', publicMessage(error), { cause: databaseError(error) });
    throw error;
  }
  const present = now();
  const { gone, added } = missingFrom(load.replaced, present);
  if (gone.length > 0 || added.some((one) => one.status === 'loaded')) throw new RunAgain('replaced-changed');
  let rows = counted();
  if (added.length > 0) {
    await deleteReplaced(connection, added, scan.table, job.feed.target.formerly);
    // Triggers of that DELETE may have changed what was counted.
    rows = integer((await connection.query(countSql(scan), undefined, { timeoutMs: 0 })).rows[0] ?? {}, 'rows');
  }
  await proveCount(connection, scan, rows, load.loaded, !scan.table.hasTriggers || inserted() === load.loaded);
  load.replaced = present;
  load.parts.session.ended(job.feed, pages());
  const { read, loaded, quarantined, delta } = countsOf(load.reached, load.loaded);
  if (delta !== 0)
    throw new TallymanError(
      'TALLY_MISMATCH',
      `${read} rows were read, ${loaded} loaded and ${quarantined} quarantined`,
    );
}

/**
 * Each load's rows are counted in the table, in one round trip with the last look at what a load of this content would
 * replace. Fewer at the table's end is no proof of a mismatch (tally.ts): then one full count tells, for all of them.
 */
export async function proveGroup({ connection, session, scan, members }: RunningGroup): Promise<void> {
  const { table } = scan;
  const { job } = members[0]!;
  const loadIds = members.map((member) => member.loadId);
  const script = new Script();
  script.also(FIRE_ALL);
  const found = script.add(countGroupSql(scan, loadIds), (rows) => rows);
  const inserted = addInserted(script, table);
  const pages = addPages(script, table);
  const hashes = members.map((member) => member.sha256);
  const replaces = script.add(clearedContentSql(job, hashes), (rows) => rows.length > 0);
  await script.run(connection, { timeoutMs: 0 });
  if (replaces()) throw new NotTogether('one of them replaces a load');
  let counted = found();
  const loaded = members.reduce((sum, member) => sum + member.rows.loaded, 0);
  const doubtful = !balances(counted, members) || (table.hasTriggers && inserted() !== loaded);
  if (doubtful && scansTail(scan))
    counted = (await connection.query(fullCountGroupSql(table, loadIds), undefined, { timeoutMs: 0 })).rows;
  if (!balances(counted, members)) throw new NotTogether('the count of one does not balance');
  session.ended(job.feed, pages());
}

/**
 * Whatever was deferred happens here and not behind the count, at COMMIT: constraints, where a violation can still be
 * told from a refused COMMIT, and triggers of any event on any table that this transaction came to, which may add or
 * take rows. Those of later statements fire with them.
 */
const FIRE_ALL = 'SET CONSTRAINTS ALL IMMEDIATE';

/** Pages of the table's leaves as they are now. */
const addPages = (script: Script, table: TargetTable): Answer<readonly number[]> =>
  script.add(
    `SELECT ${pagesSql(table)} AS pages`,
    oneRow((row) => list(row, 'pages').map(Number)),
  );

/** Rows that this transaction put into the table, whoever did. */
const addInserted = (script: Script, table: TargetTable): Answer<number> =>
  script.add(
    insertedSql(table),
    oneRow((row) => integer(row, 'rows')),
  );

/** Each load has as many rows in the table as it should. */
function balances(counted: readonly Row[], members: readonly Member[]): boolean {
  const rows = new Map(counted.map((row) => [integer(row, 'load_id'), integer(row, 'rows')]));
  return members.every((member) => (rows.get(member.loadId) ?? 0) === member.rows.loaded);
}
