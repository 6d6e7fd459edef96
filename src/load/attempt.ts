import { BatchEncoder } from '../columns/rows/batch-encoder.js';
import { TallymanError } from '../core/errors.js';
import type { RecordReader } from '../core/format.js';
import type { LoadJob, LoadResult } from '../core/load.js';
import type { RowCounts } from '../core/report.js';
import { classify, isServerError } from '../postgres/connect/errors.js';
import type { Connection } from '../postgres/connect/connect.js';
import type { TargetTable } from '../postgres/staging/catalog.js';
import { refusesBeyond } from '../postgres/staging/staging-plan.js';
import { QuarantineRecord } from '../quarantine/record.js';
import { agree, type Agreement } from './read/agreement.js';
import { RunAgain } from './transaction/run-again.js';
import { begin, type Begun } from './transaction/begin.js';
import { ChunkedCopy } from './copy/chunked-copy.js';
import { rollback } from './transaction/commit.js';
import { compileRows, encoderPlan, stagingColumns, type RowPlan } from './read/compile.js';
import type { LoadContext } from './context.js';
import { Control } from './control/control.js';
import { copyTarget } from './copy/copy-target.js';
import { commitLoad, proveTally } from './transaction/finish.js';
import type { FileInput } from './read/file-input.js';
import { judgeAtEnd, judgeWhileReading } from './limits.js';
import { openReader, type ReadParts } from './read/open-reader.js';
import type { Progress } from './progress.js';
import { copyQuarantine, proveQuarantined } from './copy/quarantine-copy.js';
import { deleteReplaced } from './transaction/replaced.js';
import { RowLoop, type RowWriter } from './copy/row-loop.js';
import type { LoadSession } from './transaction/session.js';
import { countSql, scansTail, type TallyScan } from './transaction/tally.js';
import { integer } from '../postgres/connect/result-rows.js';
import { removeUniqueLosers } from './unique/unique-losers.js';
import { recordUniqueLosers } from './unique/unique-pass.js';
import { UniqueTracker } from './unique/unique-tracker.js';
import { WholeCopy } from './copy/whole-copy.js';

/** What an attempt works with. */
export interface AttemptParts extends ReadParts {
  readonly job: LoadJob;
  readonly session: LoadSession;
  readonly input: FileInput;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  /** Chunks although the catalog shows nothing that could refuse a row: it did all the same. */
  readonly forceChunks: boolean;
  /** performance.now() when the load began. */
  readonly began: number;
  /** COMMIT is about to be sent. */
  readonly onCommit: () => void;
}

/** How far an attempt got: what a rejection tells. */
export interface Reached {
  loadId: number | null;
  read: number;
  record: QuarantineRecord;
  reader: RecordReader | null;
  sha256: string | null;
  /** Of the sender or the format; null = unsaid. */
  declared: number | null;
}

/**
 * One transaction from BEGIN to COMMIT. Throws what stands in its way, the transaction then rolled back: TallymanError
 * of the file (a rejection), RunAgain, LostRace, OutcomeUnknown, database errors. `reached` is filled in on the way.
 */
export async function attempt(parts: AttemptParts, reached: Reached): Promise<LoadResult> {
  const { job, session, input, signal } = parts;
  const said = new Control(job);
  const pass = input.pass(signal, said.algorithms);
  let connection: Connection | null = null;
  try {
    const reader = await openReader(parts, job.feed, pass.bytes, input, said.cuts);
    reached.reader = reader;
    connection = await session.connection(job.database);
    const agreement = agree(job.feed, reader.layout, reader.empty, await presentColumns(session, connection, job));
    const early = reader.layout.drift.length;
    const table = await session.table(connection, job.feed, stagingColumns(agreement));
    const plan = compileRows(
      job.feed,
      agreement,
      (name) => table.columns.find((column) => column.name === name)?.type ?? null,
    );

    const begun = await begin(connection, job, table);
    if (begun === null) {
      session.forgetTable(job.feed);
      throw new RunAgain('table-changed');
    }
    reached.loadId = begun.loadId;
    const record = new QuarantineRecord(begun.loadId, (row) => reader.memberOf?.(row) ?? null);
    reached.record = record;
    const quarantine = new QuarantineFlush(connection, job.database.controlSchema, record);
    const context: LoadContext = {
      job,
      connection,
      record,
      progress: parts.progress,
      flushQuarantine: () => quarantine.flush(),
    };
    await deleteReplaced(connection, begun.replaced, table);

    said.expect(agreement.columns, agreement.cellOf, reader.empty);
    const rows = await copyRows(parts, context, reached, {
      reader,
      agreement,
      table,
      plan,
      begun,
      said,
      consumed: () => pass.consumed,
    });
    const sha256 = await pass.finish();
    reached.sha256 = sha256;
    const scan: TallyScan = { table, loadId: begun.loadId, pages: begun.pages, ended: session.endOf(job.feed) };
    const lost = await settleUnique(parts, context, {
      scan,
      plan,
      agreement,
      unique: rows.unique,
      copied: rows.copied,
    });
    judgeAtEnd(job.feed.limits, reached.read, record.count);
    reached.declared = said.declared(reader.declaredRows);
    said.check(reader.declaredRows, reached.read, pass.digests);
    await quarantine.flush();
    proveQuarantined(quarantine.written, record.count);

    const loaded = rows.copied - lost;
    const { replaced, pages } = await proveTally(context, scan, begun.replaced, sha256, loaded);
    session.ended(job.feed, pages);
    const counts: RowCounts = {
      read: reached.read,
      loaded,
      quarantined: record.count,
      skipped: 0,
      declared: reached.declared,
      delta: reached.read - loaded - record.count,
    };
    if (counts.delta !== 0)
      throw new TallymanError(
        'TALLY_MISMATCH',
        `${counts.read} rows were read, ${counts.loaded} loaded and ${counts.quarantined} quarantined`,
      );
    signal.throwIfAborted();
    const dialect = reader.dialect();
    const receipt = { loadId: begun.loadId, sha256, rows: counts, dialect, elapsedMs: performance.now() - parts.began };
    const committed = await commitLoad(context, replaced, receipt, parts.onCommit);
    return {
      outcome: 'loaded',
      ...committed,
      sha256,
      rows: counts,
      errors: record.report(),
      drift: [...agreement.drift, ...reader.layout.drift.slice(early)],
      dialect,
      seconds: (performance.now() - parts.began) / 1000,
    };
  } catch (error) {
    if (connection !== null) await rollback(connection);
    throw error;
  } finally {
    await reached.reader?.close();
    await pass.stop();
  }
}

/** Names of the columns of a table that is there, where the feed has no contract of its own. */
export async function presentColumns(
  session: LoadSession,
  connection: Connection,
  job: LoadJob,
): Promise<readonly string[] | null> {
  if (job.feed.columns !== null) return null;
  const table = await session.lookAt(connection, job.feed);
  return table === null
    ? null
    : table.columns.map((column) => column.name).filter((name) => name !== '_load_id' && name !== '_row');
}

interface Rows {
  readonly reader: RecordReader;
  readonly agreement: Agreement;
  readonly table: TargetTable;
  readonly plan: RowPlan;
  readonly begun: Begun;
  readonly said: Control;
  readonly consumed: () => number;
}

/** Every record of the file: accepted ones into the table, refused ones into the record. */
async function copyRows(
  parts: AttemptParts,
  context: LoadContext,
  reached: Reached,
  what: Rows,
): Promise<{ readonly copied: number; readonly unique: UniqueTracker | null }> {
  const { reader, agreement, table, plan } = what;
  const { feed } = parts.job;
  const chunks = parts.forceChunks || refusesBeyond(table, stagingColumns(agreement));
  const encoder = new BatchEncoder(encoderPlan(reader.layout, agreement, plan, what.begun.loadId, chunks));
  const unique = plan.uniqueKeys.length === 0 ? null : new UniqueTracker(plan.uniqueKeys.length, parts.job.workDir);
  const target = copyTarget(table.schema, table.name, plan.copied, plan.mode);
  const chunked = chunks ? new ChunkedCopy(context, target, encoder) : null;
  const writer: RowWriter = chunked ?? new WholeCopy(context, target);
  const loop = new RowLoop(encoder, context.record, unique);
  context.progress.start();
  try {
    for (let batch = await reader.next(); batch !== null; batch = await reader.next()) {
      what.said.add(batch);
      await loop.batch(batch, writer, () => context.progress.reach(what.consumed(), loop.read, context.record.count));
      reached.read = loop.read;
      judgeWhileReading(feed.limits, loop.read, context.record.count);
      parts.signal.throwIfAborted();
    }
    context.progress.end();
    const copied = await writer.finish();
    const expected = loop.accepted - (chunked?.refused ?? 0);
    if (copied !== expected)
      throw new TallymanError('TALLY_MISMATCH', `${expected} rows were sent, PostgreSQL took ${copied}`);
    return { copied, unique };
  } catch (error) {
    unique?.close();
    await writer.abort('the load was given up');
    if (!chunks && isServerError(error) && classify(error) === 'row') throw new RunAgain('refused-rows');
    throw error;
  }
}

/** Rows whose unique key an earlier row has leave the table for the quarantine; gives how many. */
async function settleUnique(
  parts: AttemptParts,
  context: LoadContext,
  what: {
    readonly scan: TallyScan;
    readonly plan: RowPlan;
    readonly agreement: Agreement;
    readonly unique: UniqueTracker | null;
    readonly copied: number;
  },
): Promise<number> {
  const { plan, agreement, scan } = what;
  const repeats = what.unique?.finish() ?? [];
  if (repeats.every((rows) => rows.size === 0)) return 0;
  const { rows } = scansTail(scan) ? await context.connection.query(countSql(scan)) : { rows: [] };
  const complete = rows[0] !== undefined && integer(rows[0], 'rows') === what.copied;
  const { lost, count } = await removeUniqueLosers(context.connection, scan, plan.keys, repeats, complete);
  if (count === 0) return 0;

  const { job, input } = parts;
  const pass = input.pass(parts.signal);
  const reader = await openReader(parts, job.feed, pass.bytes, input);
  try {
    const keys = plan.uniqueKeys.map((key, i) => ({
      columns: plan.keys[i]!.columns,
      cells: key.map((column) => agreement.cellOf[column]!),
    }));
    await recordUniqueLosers(reader, keys, lost, context.record, () => context.flushQuarantine());
  } finally {
    await reader.close();
    await pass.stop();
  }
  await input.proveUnchanged();
  return count;
}

/** Bad rows on their way into tallyman.quarantine. */
class QuarantineFlush {
  /** Rows that PostgreSQL took. */
  written = 0;
  readonly #connection: Connection;
  readonly #schema: string;
  readonly #record: QuarantineRecord;

  constructor(connection: Connection, schema: string, record: QuarantineRecord) {
    this.#connection = connection;
    this.#schema = schema;
    this.#record = record;
  }

  async flush(): Promise<void> {
    this.written += await copyQuarantine(this.#connection, this.#schema, this.#record.take());
  }
}
