import type { LoadJob } from '../../core/load.js';
import { TallymanError } from '../../core/errors.js';
import { databaseError, isServerError, publicMessage } from '../../postgres/connect/errors.js';
import { rowFault } from '../../postgres/connect/row-fault.js';
import { integer, list, type Row } from '../../postgres/connect/result-rows.js';
import { eachRow, oneRow, Script, type Answer } from '../../postgres/connect/script.js';
import { clearedContentSql, liveUnpackedSql, replacedSql, toReplaced } from '../../postgres/control/replaced-loads.js';
import type { TargetTable } from '../../postgres/staging/catalog.js';
import { proveQuarantined } from '../copy/quarantine-copy.js';
import { NotTogether, type Member } from '../group-member.js';
import { contentOf, countsOf, judgeFile } from '../read/read-file.js';
import type { RunningGroup, RunningLoad } from '../running.js';
import { LostRace } from './commit.js';
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
  const hashes = hashesOf(hashOf(load), contentOf(load.reached, hashOf(load)));
  const now = script.add(replacedSql(job, hashes), toReplaced);
  const unpacked = addUnpacked(script, job, hashes.slice(1));
  try {
    await script.run(connection, { timeoutMs: 0 });
  } catch (error) {
    if (isServerError(error) && rowFault(error) === 'row')
      throw new TallymanError('DEFERRED_CONSTRAINT', publicMessage(error), { cause: databaseError(error) });
    throw error;
  }
  const present = now();
  const others = unpacked().filter((loadId) => !present.some((one) => one.loadId === loadId));
  if (others.length > 0 && !job.duplicateAllowed && load.reached.read > 0) throw new LostRace(others.join(', '));
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
  const hashes = members.flatMap(({ sha256, contentSha256 }) => hashesOf(sha256, contentSha256));
  const unpacked = addUnpacked(script, job, hashesOfPacked(members));
  const replaces = script.add(clearedContentSql(job, hashes), (rows) => rows.length > 0);
  await script.run(connection, { timeoutMs: 0 });
  if (unpacked().length > 0) throw new NotTogether('the content of one is loaded');
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

/** The delivered bytes, and what is packed in them where it is something else. */
const hashesOf = (sha256: string, content: string | null): readonly string[] =>
  content === null || content === sha256 ? [sha256] : [sha256, content];

const hashesOfPacked = (members: readonly Member[]): readonly string[] =>
  members
    .filter(({ job, rows }) => !job.duplicateAllowed && rows.read > 0)
    .flatMap(({ sha256, contentSha256 }) => hashesOf(sha256, contentSha256).slice(1));

/**
 * load_ids of live loads that delivered, plain, what is packed here, and whose receipts do not say so (an earlier
 * version of this program wrote them): no unique index stands in their way. `packed`: sha256 of what is.
 */
function addUnpacked(script: Script, job: LoadJob, packed: readonly string[]): Answer<readonly number[]> {
  if (packed.length === 0) return () => [];
  return script.add(
    liveUnpackedSql(job, packed),
    eachRow((row) => integer(row, 'load_id')),
  );
}

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
