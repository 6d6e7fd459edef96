import type { CopyBuffer } from '../core/codec.js';
import type { FeedSpec } from '../core/feed/feed.js';
import type { DriftNote, FileDialect, Layout } from '../core/format.js';
import type { LoadJob } from '../core/load.js';
import type { RowCounts } from '../core/report.js';
import type { ServerEncoding } from '../postgres/connect/server-encoding.js';
import type { TargetTable } from '../postgres/staging/catalog.js';
import { planStaging } from '../postgres/staging/staging-plan.js';
import { QuarantineRecord } from '../quarantine/record.js';
import { agree, type Agreement } from './read/agreement.js';
import { compileRows, stagingColumns, type RowPlan } from './read/compile.js';
import { append, copyTarget, type CopyTarget } from './copy/copy-target.js';
import { FileInput } from './read/file-input.js';
import { proveUnknown } from './known-content.js';
import { contentOf, countsOf, driftOf, judgeFile, nothingReached, readFile, startReading } from './read/read-file.js';
import type { LoadHooks } from './hooks.js';
import { Progress } from './progress.js';
import type { RowWriter } from './copy/row-loop.js';

/** Encoded bytes of one file at most; a small file that is compressed can be larger than it looks. */
const MOST_BYTES = 8 * 1024 * 1024;

/** This way does not serve: the file is loaded alone, and what is wrong with it shows there. */
export class NotTogether extends Error {
  override readonly name = 'NotTogether';
}

/** A small file whose rows stand in the group's buffer. */
export interface Member {
  readonly job: LoadJob;
  /** Among the jobs of the group. */
  readonly index: number;
  readonly loadId: number;
  readonly sha256: string;
  readonly contentSha256: string | null;
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
    const columns = stagingColumns(agreement, this.#feed);
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
  /** Connection.encoding. */
  readonly encoding: ServerEncoding | null;
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
  const progress = new Progress(parts.job, hooks.onProgress);
  let input: FileInput | null = null;
  try {
    input = await FileInput.open(parts.job);
    return await read(parts, input, progress);
  } catch (error) {
    if (hooks.signal.aborted) throw error;
    // Thrown away on purpose: the file is read again, alone, and what is wrong with it is reported then.
    out.pos = start;
    return null;
  } finally {
    progress.end();
    await input?.close();
  }
}

async function read(
  { job, index, loadId, hooks, plans, encoding, out }: MemberParts,
  input: FileInput,
  progress: Progress,
): Promise<Member> {
  const parts = { ...hooks, job, input };
  const reached = nothingReached();
  const file = await startReading(parts, reached);
  try {
    const { reader } = file;
    const agreement = plans.agree(reader.layout, reader.empty);
    const plan = plans.planFor(agreement);
    if (plan === null) throw new NotTogether('it needs another table, or has other columns than the rest');
    if (plan.keys.some((key) => key.inDatabase)) throw new NotTogether('PostgreSQL compares a unique key');
    if (out.pos === 0 && plans.target !== null) append(out, plans.target.header);
    const record = new QuarantineRecord(loadId, (row) => reader.memberOf?.(row) ?? null, encoding?.fit);
    reached.loadId = loadId;
    reached.record = record;
    const writer = (): RowWriter => keeping(out, record);
    const into = { agreement, plan, loadId, trackRows: false, writer, progress, connection: null };
    const { accepted, sha256, repeats } = await readFile(parts, file, into, reached);
    await proveUnknown(job, hooks.onContent, reached);
    if (repeats.some((rows) => rows.size > 0)) throw new NotTogether('a unique key repeats');
    judgeFile(job, file, reached);
    const rows = countsOf(reached, accepted);
    if (rows.delta !== 0) throw new NotTogether('its rows do not balance');
    const contentSha256 = contentOf(reached, sha256);
    const drift = driftOf(file, agreement);
    return { job, index, loadId, sha256, contentSha256, rows, record, drift, dialect: reader.dialect() };
  } finally {
    await file.close();
  }
}

/** Rows stay in the buffer until the group has all of its files. */
function keeping(out: CopyBuffer, record: QuarantineRecord): RowWriter {
  const start = out.pos;
  return {
    out,
    flushAt: Infinity,
    refused: 0,
    advance: () =>
      out.pos - start > MOST_BYTES || record.full
        ? Promise.reject(new NotTogether('it is too large'))
        : Promise.resolve(),
    finish: () => Promise.resolve(0),
    abort: () => Promise.resolve(),
  };
}
