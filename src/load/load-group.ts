import type { CopyBuffer } from '../core/codec.js';
import { TallymanError } from '../core/errors.js';
import type { LoadJob, LoadResult } from '../core/load.js';
import type { Connection } from '../postgres/connect/connect.js';
import type { TargetTable } from '../postgres/staging/catalog.js';
import { MemberPlans, NotTogether, readMember, type Member } from './group-member.js';
import type { LoadHooks } from './hooks.js';
import { outcomeOf } from './outcome.js';
import { agree } from './read/agreement.js';
import { stagingColumns } from './read/compile.js';
import { FileInput } from './read/file-input.js';
import { nothingReached, startReading } from './read/read-file.js';
import type { RunningGroup } from './running.js';
import { STEPS } from './steps.js';
import { whileAwake } from './transaction/awake.js';
import { beginGroup, type GroupBegun } from './transaction/begin.js';
import { afterCommit, OutcomeUnknown, rollback } from './transaction/commit.js';
import type { LoadSession } from './transaction/session.js';

/** Encoded bytes of a group; what is past it is loaded alone. Compressed files can be larger than they look. */
const MOST_BYTES = 16 * 1024 * 1024;

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
  let group: RunningGroup | null = null;
  let connection: Connection | null = null;
  try {
    hooks.signal.throwIfAborted();
    connection = await session.connection(jobs[0]!.database);
    group = await open(jobs, hooks, session, connection, began);
    for (const step of STEPS) await step.group?.(group);
    const done = group;
    return afterCommit(() => resultsOf(jobs, done));
  } catch (error) {
    if (connection !== null) await rollback(connection);
    const outcome = outcomeOf(error, hooks.signal.aborted);
    if (error instanceof OutcomeUnknown) {
      const asked = new Set(group?.members.map(({ index }) => index));
      return jobs.map((_, index) => (asked.has(index) ? outcome : null));
    }
    // The database is away for each of them: one after the other would only wait for it as often.
    // So is a lock that was waited for in vain.
    if (
      outcome.outcome === 'unreachable' &&
      (hooks.signal.aborted || connection?.lost !== false || outcome.reach === 'table')
    )
      return jobs.map(() => outcome);
    return jobs.map(() => null);
  }
}

/** BEGIN, and the files that go smoothly, read, checked and encoded. Throws NotTogether when there is none. */
async function open(
  jobs: readonly LoadJob[],
  hooks: LoadHooks,
  session: LoadSession,
  connection: Connection,
  began: number,
): Promise<RunningGroup> {
  const { feed } = jobs[0]!;
  const { table, begun } = await beginOn(connection, jobs, hooks, session);
  const plans = new MemberPlans(feed, table, await session.presentColumns(connection, feed));
  const out: CopyBuffer = { buf: Buffer.allocUnsafeSlow(256 * 1024), pos: 0 };
  const members: Member[] = [];
  const contents = new Set<string>();
  for (const [index, job] of jobs.entries()) {
    if (out.pos > MOST_BYTES) break;
    if (begun.replacing.has(job.file.path)) continue;
    const loadId = begun.loadIds[index]!;
    const start = out.pos;
    const member = await whileAwake(
      connection,
      readMember({ job, index, loadId, hooks, plans, encoding: connection.encoding, out }),
    );
    if (member === null) continue;
    // The same in another packing, both in this group: the second one is told so once the first is loaded.
    const twin = member.contentSha256 !== null && contents.has(member.contentSha256);
    if (twin && member.rows.read > 0 && !job.duplicateAllowed) {
      out.pos = start;
      continue;
    }
    if (member.contentSha256 !== null) contents.add(member.contentSha256);
    members.push(member);
  }
  const { target } = plans;
  if (members.length === 0 || target === null) throw new NotTogether('no file of it goes smoothly');
  return {
    connection,
    session,
    scan: { table, pages: begun.pages, whole: begun.whole, ended: session.endOf(feed) },
    target,
    out,
    members,
    signal: hooks.signal,
    began,
    onCommit: hooks.onCommit ?? ((): void => undefined),
    committed: new Map(),
  };
}

/** null = the file was left out. */
function resultsOf(jobs: readonly LoadJob[], { members, committed, began }: RunningGroup): (LoadResult | null)[] {
  const results: (LoadResult | null)[] = jobs.map(() => null);
  const seconds = (performance.now() - began) / 1000;
  for (const { index, loadId, sha256, contentSha256, rows, record, drift, dialect } of members) {
    const receipt = committed.get(loadId);
    if (receipt === undefined) throw new TallymanError('INTERNAL', `load ${loadId} got no receipt`);
    const errors = record.report();
    results[index] = {
      outcome: 'loaded',
      ...receipt,
      replaced: [],
      sha256,
      contentSha256,
      rows,
      errors,
      drift,
      dialect,
      seconds,
    };
  }
  return results;
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
    const begun = await beginGroup(connection, jobs, table, session.control);
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
  try {
    const file = await startReading({ ...hooks, job, input }, nothingReached());
    try {
      const { layout, empty } = file.reader;
      const agreement = agree(job.feed, layout, empty, await session.presentColumns(connection, job.feed));
      return await session.table(connection, job.feed, stagingColumns(agreement, job.feed));
    } finally {
      await file.close();
    }
  } finally {
    await input.close();
  }
}
