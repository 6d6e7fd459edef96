import { TallymanError } from '../core/errors.js';
import type { LoadJob, LoadResult } from '../core/load.js';
import { qualified } from '../postgres/connect/identifiers.js';
import { receiptsAreGone } from '../postgres/control/control-schema.js';
import { receiptInTheWay } from '../postgres/control/receipt-conflict.js';
import { RunAgain } from './transaction/run-again.js';
import { shapeNotes } from './read/agreement.js';
import { attempt } from './attempt.js';
import { PathIsKnown } from './transaction/begin.js';
import { LostRace, rollback } from './transaction/commit.js';
import { ContentIsKnown } from './known-content.js';
import { FileInput } from './read/file-input.js';
import { contentOf, nothingReached, type Reached } from './read/read-file.js';
import type { LoadHooks } from './hooks.js';
import type { AttemptParts } from './running.js';
import { outcomeOf } from './outcome.js';
import { Progress } from './progress.js';
import { writeRejection } from './transaction/reject.js';
import type { LoadSession } from './transaction/session.js';

/**
 * Runs of one load: chunks after one COPY, a table altered meanwhile, replaced loads that changed. More in a row is no
 * accident.
 */
const MOST_RUNS = 5;
/** A database that takes no notice for so long after a load was called off is hung up on. Milliseconds. */
const GRACE_MS = 10_000;

/**
 * Puts one version of a file into staging, in one transaction (docs/architecture.md#the-loads-transaction). Never
 * throws: every way out is an outcome. The session is afterwards without open transaction, or lost.
 */
export async function loadFile(job: LoadJob, hooks: LoadHooks, session: LoadSession): Promise<LoadResult> {
  const began = performance.now();
  const { signal } = hooks;
  const progress = new Progress(job, hooks.onProgress);
  let input: FileInput | null = null;
  let committing = false;
  const hangUp = hangUpAfterGrace(signal, session, () => committing);
  const onCommit = (): void => {
    committing = true;
    hooks.onCommit?.();
  };
  try {
    input = await FileInput.open(job);
    let forceChunks = false;
    for (let run = 1; ; run++) {
      signal.throwIfAborted();
      const reached = nothingReached();
      try {
        return await attempt({ ...hooks, job, session, input, progress, forceChunks, began, onCommit }, reached);
      } catch (error) {
        committing = false;
        const again = await settle(error, { job, session, input, hooks, began, onCommit }, reached);
        if (again.kind === 'end') return again.result;
        if (run >= MOST_RUNS)
          return outcomeOf(
            new TallymanError(
              'LOAD_FAILED',
              `rolled back ${run} times because what it stands on kept changing (${again.reason})`,
            ),
            false,
          );
        if (again.reason === 'refused-rows') forceChunks = true;
      }
    }
  } catch (error) {
    return outcomeOf(error, signal.aborted);
  } finally {
    hangUp.stop();
    await input?.close();
    progress.end();
  }
}

type Settled =
  | { readonly kind: 'end'; readonly result: LoadResult }
  | { readonly kind: 'again'; readonly reason: RunAgain['reason'] };
type SettleParts = Pick<AttemptParts, 'job' | 'session' | 'input' | 'began' | 'onCommit'> & {
  readonly hooks: LoadHooks;
};

/** What a rolled-back attempt leads to. Throws when it is no matter of the file. */
async function settle(error: unknown, parts: SettleParts, reached: Reached): Promise<Settled> {
  if (error instanceof RunAgain) {
    if (error.reason === 'table-changed') await proveControlSchema(parts);
    return { kind: 'again', reason: error.reason };
  }
  if (error instanceof LostRace) return await lostRace(parts, reached);
  if (error instanceof ContentIsKnown) return { kind: 'end', result: { outcome: 'known-content', ...error.found } };
  if (error instanceof PathIsKnown) return { kind: 'end', result: { outcome: 'known-path', loadIds: error.loadIds } };
  if (error instanceof TallymanError && error.blame === 'file')
    return { kind: 'end', result: await reject(error, parts, reached) };
  throw error;
}

/**
 * A relation that is not there may be the staging table, which is made again, or the receipts, which are not: without
 * them nothing is known.
 */
async function proveControlSchema({ job, session }: SettleParts): Promise<void> {
  const { controlSchema } = job.database;
  if (await receiptsAreGone(await session.connection(job.database), controlSchema))
    throw new TallymanError('DATABASE_CHANGED', `${qualified(controlSchema, 'loads')} is not there any more`);
}

/** The receipt that was in the way, as it stands now. */
async function lostRace({ job, session }: SettleParts, reached: Reached): Promise<Settled> {
  const { sha256 } = reached;
  const contentSha256 = contentOf(reached, sha256);
  const winner = await receiptInTheWay(await session.connection(job.database), job, { sha256, contentSha256 });
  if (winner === null || sha256 === null) return { kind: 'again', reason: 'no-winner' };
  return { kind: 'end', result: { outcome: 'lost-race', winner, sha256, contentSha256 } };
}

/**
 * Up to so many bytes that were not read are read for the hash of a rejected file; a longer rest is not worth the time.
 */
const MOST_DRAINED = 2 ** 30;

/** Nothing of the file is in staging; its receipt and first bad rows are. */
async function reject(error: TallymanError, parts: SettleParts, reached: Reached): Promise<LoadResult> {
  const { job, session, input } = parts;
  // A file that changed under the parser only looks bad.
  await input.proveUnchanged();
  const sha256 =
    reached.sha256 ??
    job.file.sha256 ??
    (input.size <= MOST_DRAINED ? await input.pass(parts.hooks.signal).finish() : null);
  const rows = {
    read: reached.read,
    loaded: 0,
    quarantined: reached.record.count,
    skipped: reached.skipped,
    declared: reached.declared,
    delta: null,
  };
  const dialect = reached.reader?.dialect() ?? {};
  const connection = await session.connection(job.database);
  try {
    const rejection = {
      error,
      loadId: reached.loadId,
      sha256,
      contentSha256: contentOf(reached, sha256),
      rows,
      dialect,
      record: reached.record,
      elapsedMs: performance.now() - parts.began,
    };
    const { loadId, committedAt, replaced } = await writeRejection(connection, job, rejection, parts.onCommit);
    const layout = reached.reader?.layout ?? null;
    const shape =
      layout !== null && (error.code === 'UNKNOWN_COLUMNS' || error.code === 'MISSING_COLUMNS')
        ? shapeNotes(layout)
        : [];
    const drift = [...(layout?.drift ?? []), ...shape];
    return {
      outcome: 'rejected',
      loadId,
      committedAt,
      replaced,
      error: error.reported(),
      sha256,
      contentSha256: rejection.contentSha256,
      rows,
      errors: reached.record.report(),
      drift,
      dialect,
      seconds: (performance.now() - parts.began) / 1000,
    };
  } catch (failure) {
    await rollback(connection);
    throw failure;
  }
}

/**
 * A load that was called off while PostgreSQL hangs would never notice. Not once COMMIT was sent: its answer is worth
 * waiting for.
 */
function hangUpAfterGrace(signal: AbortSignal, session: LoadSession, committing: () => boolean): { stop(): void } {
  let timer: NodeJS.Timeout | null = null;
  const arm = (): void => {
    timer = setTimeout(() => {
      if (!committing()) session.hangUp();
    }, GRACE_MS);
  };
  signal.addEventListener('abort', arm, { once: true });
  return {
    stop: () => {
      signal.removeEventListener('abort', arm);
      if (timer !== null) clearTimeout(timer);
    },
  };
}
