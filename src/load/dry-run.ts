import { BatchEncoder } from '../columns/rows/batch-encoder.js';
import { TallymanError } from '../core/errors.js';
import type { CopyBuffer } from '../core/codec.js';
import type { RecordReader } from '../core/format.js';
import type { LoadJob, LoadResult } from '../core/load.js';
import { QuarantineRecord } from '../quarantine/record.js';
import { agree, shapeNotes } from './read/agreement.js';
import { compileRows, encoderPlan } from './read/compile.js';
import { Control } from './control/control.js';
import { FileInput } from './read/file-input.js';
import { judgeAtEnd, judgeWhileReading } from './limits.js';
import type { LoadHooks } from './load-file.js';
import { openReader } from './read/open-reader.js';
import { outcomeOf } from './outcome.js';
import { RowLoop, type RowWriter } from './copy/row-loop.js';
import { recordUniqueLosers } from './unique/unique-pass.js';
import type { RowSet } from './unique/row-set.js';
import { UniqueTracker } from './unique/unique-tracker.js';

/**
 * `load --dry-run`: the same reading, checking and counting as a load, without any database. Types are the contract's
 * own; what only PostgreSQL could refuse is not seen. Repeats of a unique key are told by hash. `job.database` is not
 * used.
 */
export async function checkFile(job: LoadJob, hooks: LoadHooks): Promise<LoadResult> {
  let input: FileInput | null = null;
  try {
    input = await FileInput.open(job);
    return await check(job, hooks, input);
  } catch (error) {
    return outcomeOf(error, hooks.signal.aborted);
  } finally {
    await input?.close();
  }
}

async function check(job: LoadJob, hooks: LoadHooks, input: FileInput): Promise<LoadResult> {
  const began = performance.now();
  const record = new QuarantineRecord(null);
  const said = new Control(job);
  const pass = input.pass(hooks.signal, said.algorithms);
  let reader: RecordReader | null = null;
  let read = 0;
  let accepted = 0;
  let sha256: string | null = null;
  let declared: number | null = null;
  let bad: TallymanError | null = null;
  try {
    reader = await openReader(hooks, job.feed, pass.bytes, input, said.cuts);
    const agreement = agree(job.feed, reader.layout, reader.empty, null);
    said.expect(agreement.columns, agreement.cellOf, reader.empty);
    const plan = compileRows(job.feed, agreement, () => null);
    const unique = plan.uniqueKeys.length === 0 ? null : new UniqueTracker(plan.uniqueKeys.length, job.workDir);
    const loop = new RowLoop(new BatchEncoder(encoderPlan(reader.layout, agreement, plan, 0, false)), record, unique);
    const nowhere = new Nowhere();
    try {
      for (let batch = await reader.next(); batch !== null; batch = await reader.next()) {
        said.add(batch);
        await loop.batch(batch, nowhere);
        read = loop.read;
        judgeWhileReading(job.feed.limits, read, record.count);
      }
      accepted = loop.accepted;
      const keys = plan.uniqueKeys.map((key, i) => ({
        columns: plan.keys[i]!.columns,
        cells: key.map((column) => agreement.cellOf[column]!),
      }));
      const before = record.count;
      await recordRepeats(job, hooks, input, keys, unique?.finish() ?? [], record);
      accepted -= record.count - before;
    } finally {
      unique?.close();
    }
    sha256 = await pass.finish();
    judgeAtEnd(job.feed.limits, read, record.count);
    declared = said.declared(reader.declaredRows);
    said.check(reader.declaredRows, read, pass.digests);
  } catch (error) {
    if (!(error instanceof TallymanError) || error.blame !== 'file') throw error;
    bad = error;
    await input.proveUnchanged();
  } finally {
    await reader?.close();
    await pass.stop();
  }
  return {
    outcome: 'checked',
    error: bad?.reported() ?? null,
    sha256,
    rows: {
      read,
      loaded: bad === null ? accepted : 0,
      quarantined: record.count,
      skipped: 0,
      declared,
      delta: bad === null ? read - accepted - record.count : null,
    },
    errors: record.report(),
    drift: [
      ...(reader?.layout.drift ?? []),
      ...(reader !== null && (bad?.code === 'UNKNOWN_COLUMNS' || bad?.code === 'MISSING_COLUMNS')
        ? shapeNotes(reader.layout)
        : []),
    ],
    dialect: reader?.dialect() ?? {},
    seconds: (performance.now() - began) / 1000,
  };
}

async function recordRepeats(
  job: LoadJob,
  hooks: LoadHooks,
  input: FileInput,
  keys: Parameters<typeof recordUniqueLosers>[1],
  repeats: readonly RowSet[],
  record: QuarantineRecord,
): Promise<void> {
  if (repeats.every((rows) => rows.size === 0)) return;
  const pass = input.pass(hooks.signal);
  const reader = await openReader(hooks, job.feed, pass.bytes, input);
  try {
    await recordUniqueLosers(reader, keys, repeats, record, () => Promise.resolve());
  } finally {
    await reader.close();
    await pass.stop();
  }
}

/** Rows are encoded, for the checks' sake, and forgotten. */
class Nowhere implements RowWriter {
  readonly out: CopyBuffer = { buf: Buffer.allocUnsafeSlow(512 * 1024), pos: 0 };
  readonly flushAt = 256 * 1024;

  advance(): Promise<void> {
    this.out.pos = 0;
    return Promise.resolve();
  }

  finish(): Promise<number> {
    return Promise.resolve(0);
  }

  abort(): Promise<void> {
    return Promise.resolve();
  }
}
