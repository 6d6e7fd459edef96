import { BatchEncoder } from '../columns/rows/batch-encoder.js';
import type { CopyBuffer } from '../core/codec.js';
import type { FeedSpec } from '../core/feed/feed.js';
import type { DriftNote, FileDialect, Layout } from '../core/format.js';
import type { LoadJob } from '../core/load.js';
import type { RowCounts } from '../core/report.js';
import type { TargetTable } from '../postgres/staging/catalog.js';
import { planStaging } from '../postgres/staging/staging-plan.js';
import { QuarantineRecord } from '../quarantine/record.js';
import { agree, type Agreement } from './read/agreement.js';
import { compileRows, encoderPlan, stagingColumns, type RowPlan } from './read/compile.js';
import { append, copyTarget, type CopyTarget } from './copy/copy-target.js';
import { FileInput } from './read/file-input.js';
import { judgeAtEnd, judgeWhileReading } from './limits.js';
import type { LoadHooks } from './load-file.js';
import { openReader } from './read/open-reader.js';
import { Progress } from './progress.js';
import { RowLoop, type RowWriter } from './copy/row-loop.js';
import { UniqueTracker } from './unique/unique-tracker.js';

/** Encoded bytes of one file at most; a small file that is compressed can be larger than it looks. */
const MOST_BYTES = 8 * 1024 * 1024;

/** A small file whose rows stand in the group's buffer. */
export interface Member {
  readonly job: LoadJob;
  /** Among the jobs of the group. */
  readonly index: number;
  readonly loadId: number;
  readonly sha256: string;
  readonly rows: RowCounts;
  readonly record: QuarantineRecord;
  readonly drift: readonly DriftNote[];
  readonly dialect: FileDialect;
}

/**
 * Compiled columns for the files of a group. Files of one feed nearly always have the same columns, and compiling them
 * costs more than a file of 100 rows.
 */
export class MemberPlans {
  /** The one COPY of the group; null = no file has been read yet. */
  target: CopyTarget | null = null;
  readonly #feed: FeedSpec;
  readonly #table: TargetTable;
  readonly #present: readonly string[] | null;
  #last: { readonly key: string; readonly plan: RowPlan } | null = null;
  #copied = '';

  constructor(feed: FeedSpec, table: TargetTable, present: readonly string[] | null) {
    this.#feed = feed;
    this.#table = table;
    this.#present = present;
  }

  agree(layout: Layout, empty: boolean): Agreement {
    return agree(this.#feed, layout, empty, this.#present);
  }

  /** null = the table must be changed for this file, or its rows are of another shape than those of the group. */
  planFor(agreement: Agreement): RowPlan | null {
    const columns = stagingColumns(agreement);
    const key = JSON.stringify([columns, agreement.rescue, agreement.cellOf, agreement.fileTypes]);
    if (this.#last?.key === key) return this.#last.plan;
    if (planStaging(this.#feed.target, columns, this.#table).kind !== 'ok') return null;
    const types = new Map(this.#table.columns.map((column) => [column.name, column.type]));
    const plan = compileRows(this.#feed, agreement, (name) => types.get(name) ?? null);
    const copied = JSON.stringify([plan.mode, plan.copied]);
    if (this.target === null) {
      this.target = copyTarget(this.#table.schema, this.#table.name, plan.copied, plan.mode);
      this.#copied = copied;
    }
    if (copied !== this.#copied) return null;
    this.#last = { key, plan };
    return plan;
  }
}

export interface MemberParts {
  readonly job: LoadJob;
  readonly index: number;
  readonly loadId: number;
  readonly hooks: LoadHooks;
  readonly plans: MemberPlans;
  /** The group's rows; on null it is as before. */
  readonly out: CopyBuffer;
}

/**
 * Reads, checks and encodes one file behind the others. null = not this way: whatever is the matter, loading it alone
 * will tell. Throws only when the group is called off.
 */
export async function readMember(parts: MemberParts): Promise<Member | null> {
  const { out, hooks } = parts;
  const start = out.pos;
  let member: Member | null = null;
  try {
    member = await read(parts);
  } catch (error) {
    // Thrown away on purpose: the file is read again, alone, and what is wrong with it is told then.
    if (hooks.signal.aborted) throw error;
  }
  if (member === null) out.pos = start;
  return member;
}

async function read({ job, index, loadId, hooks, plans, out }: MemberParts): Promise<Member | null> {
  const progress = new Progress(job, hooks.onProgress);
  const input = await FileInput.open(job);
  const pass = input.pass(hooks.signal);
  try {
    const reader = await openReader(hooks, job.feed, pass.bytes, input);
    let unique: UniqueTracker | null = null;
    try {
      const agreement = plans.agree(reader.layout, reader.empty);
      const early = reader.layout.drift.length;
      const plan = plans.planFor(agreement);
      if (plan === null) return null;
      if (out.pos === 0 && plans.target !== null) append(out, plans.target.header);
      const from = out.pos;
      const record = new QuarantineRecord(loadId, (row) => reader.memberOf?.(row) ?? null);
      unique = plan.uniqueKeys.length === 0 ? null : new UniqueTracker(plan.uniqueKeys.length, job.workDir);
      const loop = new RowLoop(
        new BatchEncoder(encoderPlan(reader.layout, agreement, plan, loadId, false)),
        record,
        unique,
      );
      progress.start();
      for (let batch = await reader.next(); batch !== null; batch = await reader.next()) {
        await loop.batch(batch, keeping(out), () => progress.reach(pass.consumed, loop.read, record.count));
        if (out.pos - from > MOST_BYTES || record.full) return null;
        judgeWhileReading(job.feed.limits, loop.read, record.count);
        hooks.signal.throwIfAborted();
      }
      progress.end();
      const sha256 = await pass.finish();
      if (unique?.finish().some((rows) => rows.size > 0) === true) return null;
      judgeAtEnd(job.feed.limits, loop.read, record.count);
      const declared = reader.declaredRows;
      if (declared !== null && declared !== loop.read) return null;
      const rows = {
        read: loop.read,
        loaded: loop.accepted,
        quarantined: record.count,
        skipped: 0,
        declared,
        delta: loop.read - loop.accepted - record.count,
      };
      if (rows.delta !== 0) return null;
      return {
        job,
        index,
        loadId,
        sha256,
        rows,
        record,
        drift: [...agreement.drift, ...reader.layout.drift.slice(early)],
        dialect: reader.dialect(),
      };
    } finally {
      unique?.close();
      await reader.close();
    }
  } finally {
    progress.end();
    await pass.stop();
    await input.close();
  }
}

/** Rows stay in the buffer until the group has all of its files. */
const keeping = (out: CopyBuffer): RowWriter => ({
  out,
  flushAt: Infinity,
  advance: () => Promise.resolve(),
  finish: () => Promise.resolve(0),
  abort: () => Promise.resolve(),
});
