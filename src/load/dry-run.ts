import type { CopyBuffer } from '../core/codec.js';
import { TallymanError } from '../core/errors.js';
import type { DriftNote } from '../core/format.js';
import type { LoadJob, LoadResult } from '../core/load.js';
import type { RowWriter } from './copy/row-loop.js';
import type { LoadHooks } from './hooks.js';
import { outcomeOf } from './outcome.js';
import { agree, shapeNotes } from './read/agreement.js';
import { compileRows } from './read/compile.js';
import { FileInput } from './read/file-input.js';
import {
  contentOf,
  countsOf,
  judgeFile,
  nothingReached,
  readFile,
  recordLosers,
  startReading,
  type FileParts,
  type Reached,
} from './read/read-file.js';

/**
 * `load --dry-run`: the same reading, checking and counting as a load, without any database. Types are the contract's
 * own; what only PostgreSQL could refuse is not seen. Repeats of a unique key are found by hash. `job.database` is not
 * used.
 */
export async function checkFile(job: LoadJob, hooks: LoadHooks): Promise<LoadResult> {
  let input: FileInput | null = null;
  try {
    input = await FileInput.open(job);
    return await check({ ...hooks, job, input });
  } catch (error) {
    return outcomeOf(error, hooks.signal.aborted);
  } finally {
    await input?.close();
  }
}

async function check(parts: FileParts): Promise<LoadResult> {
  const began = performance.now();
  const reached = nothingReached();
  let loaded = 0;
  let bad: TallymanError | null = null;
  try {
    loaded = await readAndJudge(parts, reached);
  } catch (error) {
    if (!(error instanceof TallymanError) || error.blame !== 'file') throw error;
    bad = error;
    await parts.input.proveUnchanged();
  }
  const rows = countsOf(reached, loaded);
  return {
    outcome: 'checked',
    error: bad?.reported() ?? null,
    sha256: reached.sha256,
    contentSha256: contentOf(reached, reached.sha256),
    rows: bad === null ? rows : { ...rows, delta: null },
    errors: reached.record.report(),
    drift: driftOf(reached, bad),
    dialect: reached.reader?.dialect() ?? {},
    seconds: (performance.now() - began) / 1000,
  };
}

/** Returns how many rows a load would bring. */
async function readAndJudge(parts: FileParts, reached: Reached): Promise<number> {
  const { job } = parts;
  const { record } = reached;
  const file = await startReading(parts, reached);
  try {
    const { reader } = file;
    const agreement = agree(job.feed, reader.layout, reader.empty, null);
    const plan = compileRows(job.feed, agreement, () => null);
    const into = {
      agreement,
      plan,
      loadId: 0,
      trackRows: false,
      writer: () => new Nowhere(),
      progress: null,
      connection: null,
    };
    const { accepted, repeats } = await readFile(parts, file, into, reached);
    const before = record.count;
    if (repeats.some((rows) => rows.size > 0))
      await recordLosers(parts, into, repeats, record, () => Promise.resolve());
    judgeFile(job, file, reached);
    return accepted - (record.count - before);
  } finally {
    await file.close();
  }
}

function driftOf({ reader }: Reached, bad: TallymanError | null): readonly DriftNote[] {
  if (reader === null) return [];
  const shape = bad?.code === 'UNKNOWN_COLUMNS' || bad?.code === 'MISSING_COLUMNS' ? shapeNotes(reader.layout) : [];
  return [...reader.layout.drift, ...shape];
}

/** Rows are encoded, for the checks' sake, and forgotten. */
class Nowhere implements RowWriter {
  readonly out: CopyBuffer = { buf: Buffer.allocUnsafeSlow(512 * 1024), pos: 0 };
  readonly flushAt = 256 * 1024;
  readonly refused = 0;

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
