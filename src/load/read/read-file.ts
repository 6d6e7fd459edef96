import { BatchEncoder } from '../../columns/rows/batch-encoder.js';
import type { Batch } from '../../core/batch.js';
import type { DriftNote, RecordReader } from '../../core/format.js';
import type { LoadJob } from '../../core/load.js';
import type { RowCounts } from '../../core/report.js';
import { ContentDigest } from '../../decode/content-digest.js';
import { QuarantineRecord } from '../../quarantine/record.js';
import { Control } from '../control/control.js';
import { RowLoop, type RowWriter } from '../copy/row-loop.js';
import { judgeAtEnd, judgeEnd, judgeWhileReading } from '../limits.js';
import type { Progress } from '../progress.js';
import type { Connection } from '../../postgres/connect/connect.js';
import { whileAwake } from '../transaction/awake.js';
import type { RowSet } from '../unique/row-set.js';
import { recordUniqueLosers } from '../unique/unique-pass.js';
import { UniqueTracker } from '../unique/unique-tracker.js';
import type { Agreement } from './agreement.js';
import { encoderPlan, type RowPlan } from './compile.js';
import type { FileInput, InputPass } from './file-input.js';
import { openReader, type ReadParts } from './open-reader.js';

/** What a file is read with. */
export interface FileParts extends ReadParts {
  readonly job: LoadJob;
  readonly input: FileInput;
  readonly signal: AbortSignal;
}

/** How far a file got: what is told of it although it turned out bad. Filled in on the way. */
export interface Reached {
  /** null = none was drawn yet. */
  loadId: number | null;
  read: number;
  /** Of them those that are no data: footers, repeated headers. */
  skipped: number;
  record: QuarantineRecord;
  /** null = the file could not be opened in its format. */
  reader: RecordReader | null;
  /** null = the file was not read to its end. */
  sha256: string | null;
  /** Told what is packed in the file while it is read; null = the feed goes by the delivered bytes. */
  content: ContentDigest | null;
  /** Of the sender or the format; null = neither says it. */
  declared: number | null;
}

/** A file whose columns are known and of which no record has been read. */
export interface OpenedFile {
  readonly reader: RecordReader;
  /** What the sender says about it. */
  readonly said: Control;
  readonly pass: InputPass;
  /** Notes on its shape that were there at this time; more may come while it is read. */
  readonly notes: number;
  close(): Promise<void>;
}

/** Where the records of a file go. */
export interface Destination {
  readonly agreement: Agreement;
  readonly plan: RowPlan;
  readonly loadId: number;
  /** The writer must be able to find each row in what was encoded. */
  readonly trackRows: boolean;
  readonly writer: (encoder: BatchEncoder) => RowWriter;
  /** null = nobody watches. */
  readonly progress: Progress | null;
  /** Whose transaction waits while the file is read; null = none does. */
  readonly connection: Connection | null;
}

/** What the reading of a whole file gave, beside what stands in Reached. */
export interface ReadOutcome {
  /** Rows that neither the contract nor the writer refused. */
  readonly accepted: number;
  /** Rows that PostgreSQL says it took; 0 where they do not go there yet. */
  readonly copied: number;
  readonly sha256: string;
  /** For each unique key the rows that may have the key of an earlier one. */
  readonly repeats: readonly RowSet[];
}

export const nothingReached = (): Reached => ({
  loadId: null,
  read: 0,
  skipped: 0,
  record: new QuarantineRecord(null),
  reader: null,
  sha256: null,
  content: null,
  declared: null,
});

/** Decodes and opens the file, as far as its columns. Throws what openReader throws. */
export async function startReading(parts: FileParts, reached: Reached): Promise<OpenedFile> {
  const { job, input, signal } = parts;
  const said = new Control(job);
  const pass = input.pass(signal, said.algorithms);
  try {
    reached.content = job.feed.identity === 'bytes' ? null : new ContentDigest();
    const reader = await openReader(parts, job.feed, pass.bytes, input, said.cuts, reached.content);
    reached.reader = reader;
    const close = async (): Promise<void> => {
      await reader.close();
      await pass.stop();
    };
    return { reader, said, pass, notes: reader.layout.drift.length, close };
  } catch (error) {
    await pass.stop();
    throw error;
  }
}

/**
 * Every record of the file: accepted ones go to the writer, refused ones into `reached.record`. The same for a load,
 * for a file of a group and for a dry run, which differ in their writers. Throws what ends the reading early: a file
 * that cannot be read on, has too many bad rows, or changed; what the writer throws; the abort.
 */
export async function readFile(
  { job, signal }: FileParts,
  { reader, said, pass }: OpenedFile,
  into: Destination,
  reached: Reached,
): Promise<ReadOutcome> {
  const { agreement, plan, progress, connection } = into;
  const { record } = reached;
  said.expect(agreement.columns, agreement.cellOf, reader.empty);
  const encoder = new BatchEncoder(encoderPlan(reader.layout, agreement, plan, into.loadId, into.trackRows));
  const unique = plan.uniqueKeys.length === 0 ? null : new UniqueTracker(plan.uniqueKeys.length, job.workDir);
  const writer = into.writer(encoder);
  const loop = new RowLoop(encoder, record, unique);
  const next = (): Promise<Batch | null> => whileAwake(connection, reader.next());
  const onStretch = (): void => progress?.reach(pass.consumed, loop.read, record.count);
  try {
    progress?.start();
    for (let batch = await next(); batch !== null; batch = await next()) {
      said.add(batch);
      await loop.batch(batch, writer, onStretch);
      reached.read = loop.read;
      reached.skipped = loop.passed;
      judgeWhileReading(job.feed.limits, loop.read, record.count);
      signal.throwIfAborted();
    }
    progress?.end();
    const copied = await writer.finish();
    const sha256 = await whileAwake(connection, pass.finish());
    reached.sha256 = sha256;
    return { accepted: loop.accepted - writer.refused, copied, sha256, repeats: unique?.finish() ?? [] };
  } catch (error) {
    await writer.abort('the load was given up');
    throw error;
  } finally {
    unique?.close();
  }
}

/**
 * Reads the file once more and records the rows that lost their unique key to an earlier one. Throws FILE_CHANGED when
 * it is not the same file any more.
 */
export async function recordLosers(
  parts: FileParts,
  { plan, agreement, connection }: Pick<Destination, 'plan' | 'agreement' | 'connection'>,
  lost: readonly RowSet[],
  record: QuarantineRecord,
  flush: () => Promise<void>,
): Promise<void> {
  const { job, input, signal } = parts;
  const keys = plan.uniqueKeys.map((key, i) => ({
    columns: plan.keys[i]!.columns,
    cells: key.map((column) => agreement.cellOf[column]!),
  }));
  const pass = input.pass(signal);
  const reader = await whileAwake(connection, openReader(parts, job.feed, pass.bytes, input));
  try {
    await recordUniqueLosers(() => whileAwake(connection, reader.next()), keys, lost, record, flush);
  } finally {
    await reader.close();
    await pass.stop();
  }
  await whileAwake(connection, input.proveUnchanged());
}

/**
 * The whole file against its limits and against what its sender says about it. Throws TOO_MANY_BAD_ROWS, TOO_FEW_ROWS,
 * UNTERMINATED and what Control.check throws.
 */
export function judgeFile({ feed }: LoadJob, { reader, said, pass }: OpenedFile, reached: Reached): void {
  // Nobody counts what is no data.
  const data = reached.read - reached.skipped;
  judgeAtEnd(feed.limits, data, reached.record.count);
  reached.declared = said.declared(reader.declaredRows);
  said.check(reader.declaredRows, data, pass.digests);
  judgeEnd(feed.limits, reader.dialect());
}

/** sha256 of the decoded bytes; null = not known, or the feed goes by the delivered ones. `delivered`: theirs. */
export const contentOf = ({ content }: Pick<Reached, 'content'>, delivered: string | null): string | null =>
  content?.told(delivered) ?? null;

/** The tally of a file of which so many rows are in. */
export const countsOf = ({ read, record, skipped, declared }: Reached, loaded: number): RowCounts => ({
  read,
  loaded,
  quarantined: record.count,
  skipped,
  declared,
  delta: read - loaded - record.count - skipped,
});

/** What was notable in the file's shape, to its end. */
export const driftOf = ({ reader, notes }: OpenedFile, agreement: Agreement): readonly DriftNote[] => [
  ...agreement.drift,
  ...reader.layout.drift.slice(notes),
];
