import type { CopyBuffer } from '../core/codec.js';
import { TallymanError } from '../core/errors.js';
import type { LoadJob, LoadResult } from '../core/load.js';
import { receiptsSql, toCommitted } from '../postgres/control/receipt-write.js';
import { clearedContentSql } from '../postgres/control/replaced-loads.js';
import type { TargetTable } from '../postgres/staging/catalog.js';
import type { Connection } from '../postgres/connect/connect.js';
import { integer, list, type Row } from '../postgres/connect/result-rows.js';
import { eachRow, oneRow, Script } from '../postgres/connect/script.js';
import { agree } from './read/agreement.js';
import { presentColumns } from './attempt.js';
import { commit, OutcomeUnknown, rollback } from './transaction/commit.js';
import { stagingColumns } from './read/compile.js';
import { CopyStream } from './copy/copy-stream.js';
import { append, type CopyTarget } from './copy/copy-target.js';
import { beginGroup, type GroupBegun } from './transaction/begin.js';
import { MemberPlans, readMember, type Member } from './group-member.js';
import { FileInput } from './read/file-input.js';
import type { LoadHooks } from './load-file.js';
import { openReader } from './read/open-reader.js';
import { outcomeOf } from './outcome.js';
import { copyQuarantine, proveQuarantined } from './copy/quarantine-copy.js';
import type { LoadSession } from './transaction/session.js';
import { countGroupSql, fullCountGroupSql, pagesSql, scansTail, type TallyScan } from './transaction/tally.js';

/** Encoded bytes of a group; what is past it is loaded alone. Compressed files can be larger than they look. */
const MOST_BYTES = 16 * 1024 * 1024;

/** This way does not serve: each file is loaded alone, and what is wrong shows there, at its own file. */
class NotTogether extends Error {
  override readonly name = 'NotTogether';
}

/**
 * Puts several small files of one feed into staging in one transaction: one BEGIN, one COPY, one count, one INSERT of
 * receipts and one COMMIT for all, with a load_id, a tally and a receipt for each. For a file of 100 rows these round
 * trips and the fsync are what takes the time.
 *
 * Only what goes smoothly goes this way. A file that must be rejected, that replaces another, that repeats a unique
 * key, that needs another table, or that PostgreSQL refuses is loaded alone afterwards (load-file.ts), and so are all
 * of a group whose transaction fails: null in the result. Never throws. Jobs are of one feed and replace nothing.
 */
export async function loadGroup(
  jobs: readonly LoadJob[],
  hooks: LoadHooks,
  session: LoadSession,
): Promise<readonly (LoadResult | null)[]> {
  const began = performance.now();
  const results: (LoadResult | null)[] = jobs.map(() => null);
  let members: readonly Member[] = [];
  let connection: Connection | null = null;
  try {
    hooks.signal.throwIfAborted();
    const { database, feed } = jobs[0]!;
    connection = await session.connection(database);
    const { table, begun } = await beginOn(connection, jobs, hooks, session);
    const plans = new MemberPlans(feed, table, await presentColumns(session, connection, jobs[0]!));
    const out: CopyBuffer = { buf: Buffer.allocUnsafeSlow(256 * 1024), pos: 0 };
    const read: Member[] = [];
    for (const [index, job] of jobs.entries()) {
      if (out.pos > MOST_BYTES) break;
      if (begun.replacing.has(job.file.path)) continue;
      const member = await readMember({ job, index, loadId: begun.loadIds[index]!, hooks, plans, out });
      if (member !== null) read.push(member);
    }
    members = read;
    if (members.length === 0 || plans.target === null) throw new NotTogether('no file of it goes smoothly');
    await copyRows(connection, plans.target, out, members);
    await copyBadRows(connection, database.controlSchema, members);
    session.ended(
      feed,
      await proveCounts(connection, { table, pages: begun.pages, ended: session.endOf(feed) }, members),
    );
    hooks.signal.throwIfAborted();
    const elapsedMs = performance.now() - began;
    const receipts = members.map(({ job, loadId, sha256, rows, dialect }) => ({
      job,
      receipt: { loadId, status: 'loaded' as const, sha256, rows, dialect, errorCode: null, replaces: [], elapsedMs },
    }));
    const script = new Script();
    const written = script.add(receiptsSql(receipts), eachRow(toCommitted));
    await commit(connection, script, hooks.onCommit ?? ((): void => undefined));
    const committed = new Map(written().map((one) => [one.loadId, one.committedAt]));
    const seconds = (performance.now() - began) / 1000;
    for (const { index, loadId, sha256, rows, record, drift, dialect } of members) {
      const committedAt = committed.get(loadId);
      if (committedAt === undefined) throw new TallymanError('INTERNAL', `load ${loadId} got no receipt`);
      results[index] = {
        outcome: 'loaded',
        loadId,
        committedAt,
        replaced: [],
        sha256,
        rows,
        errors: record.report(),
        drift,
        dialect,
        seconds,
      };
    }
    return results;
  } catch (error) {
    if (connection !== null) await rollback(connection);
    const outcome = outcomeOf(error, hooks.signal.aborted);
    if (error instanceof OutcomeUnknown) {
      for (const { index } of members) results[index] = outcome;
      return results;
    }
    // The database is away for each of them: one after the other would only wait for it as often.
    if (outcome.outcome === 'unreachable' && (hooks.signal.aborted || connection?.lost !== false))
      return jobs.map(() => outcome);
    return jobs.map(() => null);
  }
}

/** What the session remembers of the table may be old: then once more. */
async function beginOn(
  connection: Connection,
  jobs: readonly LoadJob[],
  hooks: LoadHooks,
  session: LoadSession,
): Promise<{ readonly table: TargetTable; readonly begun: GroupBegun }> {
  const { feed } = jobs[0]!;
  for (let run = 1; run <= 2; run++) {
    const table = await tableOf(jobs[0]!, hooks, session, connection);
    const begun = await beginGroup(connection, jobs, table);
    if (begun !== null) return { table, begun };
    await rollback(connection);
    session.forgetTable(feed);
  }
  throw new NotTogether('the table keeps changing');
}

/** The feed's table, made or widened as the first file asks. */
async function tableOf(
  job: LoadJob,
  hooks: LoadHooks,
  session: LoadSession,
  connection: Connection,
): Promise<TargetTable> {
  const known = await session.lookAt(connection, job.feed);
  if (known !== null) return known;
  const input = await FileInput.open(job);
  const pass = input.pass(hooks.signal);
  try {
    const reader = await openReader(hooks, job.feed, pass.bytes, input);
    try {
      const agreement = agree(job.feed, reader.layout, reader.empty, await presentColumns(session, connection, job));
      return await session.table(connection, job.feed, stagingColumns(agreement));
    } finally {
      await reader.close();
    }
  } finally {
    await pass.stop();
    await input.close();
  }
}

async function copyRows(
  connection: Connection,
  target: CopyTarget,
  out: CopyBuffer,
  members: readonly Member[],
): Promise<void> {
  const accepted = members.reduce((sum, member) => sum + member.rows.loaded, 0);
  if (accepted === 0) return;
  append(out, target.trailer);
  const stream = new CopyStream(connection, target.sql);
  let copied: number;
  try {
    await stream.write(out.buf.subarray(0, out.pos));
    copied = await stream.finish();
  } catch (error) {
    await stream.abort('the group was given up');
    throw error;
  }
  if (copied !== accepted)
    throw new TallymanError('TALLY_MISMATCH', `${accepted} rows were sent, PostgreSQL took ${copied}`);
}

async function copyBadRows(connection: Connection, schema: string, members: readonly Member[]): Promise<void> {
  const refused = members.reduce((sum, member) => sum + member.record.count, 0);
  if (refused === 0) return;
  proveQuarantined(
    await copyQuarantine(connection, schema, Buffer.concat(members.map((member) => member.record.take()))),
    refused,
  );
}

/**
 * Each load's rows are counted in the table, in one round trip with the last look at what a load of this content would
 * replace. Fewer at the table's end is no proof of a mismatch (tally.ts): then one full count tells, for all of them.
 * Gives the pages of the table's leaves as they are now.
 */
async function proveCounts(
  connection: Connection,
  scan: Omit<TallyScan, 'loadId'>,
  members: readonly Member[],
): Promise<readonly number[]> {
  const loadIds = members.map((member) => member.loadId);
  const hashes = members.map((member) => member.sha256);
  const script = new Script();
  if (scan.table.hasDeferrable) script.also('SET CONSTRAINTS ALL IMMEDIATE');
  const found = script.add(countGroupSql(scan, loadIds), (rows) => rows);
  const pages = script.add(
    `SELECT ${pagesSql(scan.table)} AS pages`,
    oneRow((row) => list(row, 'pages').map(Number)),
  );
  const replaces = script.add(clearedContentSql(members[0]!.job, hashes), (rows) => rows.length > 0);
  await script.run(connection, { timeoutMs: 0 });
  if (replaces()) throw new NotTogether('one of them replaces a load');
  let counted = found();
  if (!balances(counted, members) && scansTail(scan))
    counted = (await connection.query(fullCountGroupSql(scan.table, loadIds), undefined, { timeoutMs: 0 })).rows;
  if (!balances(counted, members)) throw new NotTogether('the count of one does not balance');
  return pages();
}

/** Each load has as many rows in the table as it should. */
function balances(counted: readonly Row[], members: readonly Member[]): boolean {
  const rows = new Map(counted.map((row) => [integer(row, 'load_id'), integer(row, 'rows')]));
  return members.every((member) => (rows.get(member.loadId) ?? 0) === member.rows.loaded);
}
