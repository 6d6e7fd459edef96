import { TallymanError } from '../core/errors.js';
import type { LoadResult } from '../core/load.js';
import type { Connection } from '../postgres/connect/connect.js';
import { QuarantineRecord } from '../quarantine/record.js';
import { QuarantineFlush } from './copy/quarantine-copy.js';
import { agree } from './read/agreement.js';
import { compileRows, stagingColumns } from './read/compile.js';
import { contentOf, countsOf, driftOf, startReading, type OpenedFile, type Reached } from './read/read-file.js';
import type { AttemptParts, RunningLoad } from './running.js';
import { STEPS } from './steps.js';
import { begin } from './transaction/begin.js';
import { afterCommit, rollback } from './transaction/commit.js';
import { hashOf } from './transaction/receipt.js';
import { RunAgain } from './transaction/run-again.js';

/**
 * One transaction from BEGIN to COMMIT. Throws what stands in its way, the transaction then rolled back: TallymanError
 * of the file (a rejection), RunAgain, LostRace, OutcomeUnknown, database errors. `reached` is filled in on the way.
 */
export async function attempt(parts: AttemptParts, reached: Reached): Promise<LoadResult> {
  const file = await startReading(parts, reached);
  let connection: Connection | null = null;
  try {
    connection = await parts.session.connection(parts.job.database);
    const load = await open(parts, file, reached, connection);
    for (const step of STEPS) await step.alone(load);
    return afterCommit(() => resultOf(load));
  } catch (error) {
    if (connection !== null) await rollback(connection);
    throw error;
  } finally {
    await file.close();
  }
}

/** The table as the file needs it, and BEGIN. */
async function open(
  parts: AttemptParts,
  file: OpenedFile,
  reached: Reached,
  connection: Connection,
): Promise<RunningLoad> {
  const { job, session, progress } = parts;
  const { feed } = job;
  const { reader } = file;
  const agreement = agree(feed, reader.layout, reader.empty, await session.presentColumns(connection, feed));
  const table = await session.table(connection, feed, stagingColumns(agreement, feed));
  const plan = compileRows(
    feed,
    agreement,
    (name) => table.columns.find((column) => column.name === name)?.type ?? null,
  );
  const begun = await begin(connection, job, table, session.control);
  if (begun === null) {
    session.forgetTable(feed);
    throw new RunAgain('table-changed');
  }
  const { loadId, replaced } = begun;
  const record = new QuarantineRecord(loadId, (row) => reader.memberOf?.(row) ?? null, connection.encoding?.fit);
  reached.loadId = loadId;
  reached.record = record;
  return {
    parts,
    job,
    connection,
    record,
    quarantine: new QuarantineFlush(connection, job.database.controlSchema, record),
    progress,
    loadId,
    file,
    reached,
    agreement,
    plan,
    scan: { table, loadId, pages: begun.pages, whole: begun.whole, ended: session.endOf(feed) },
    replaced,
    loaded: 0,
    repeats: [],
    committed: null,
  };
}

function resultOf(load: RunningLoad): LoadResult {
  const { parts, file, reached, committed } = load;
  if (committed === null) throw new TallymanError('INTERNAL', 'the steps of a load ended without its receipt');
  return {
    outcome: 'loaded',
    ...committed,
    replaced: load.replaced.map((one) => one.loadId),
    sha256: hashOf(load),
    contentSha256: contentOf(reached, reached.sha256),
    rows: countsOf(reached, load.loaded),
    errors: load.record.report(),
    drift: driftOf(file, load.agreement),
    dialect: file.reader.dialect(),
    seconds: (performance.now() - parts.began) / 1000,
  };
}
