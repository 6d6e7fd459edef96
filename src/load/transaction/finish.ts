import { messageOf, TallymanError } from '../../core/errors.js';
import type { RowCounts } from '../../core/report.js';
import { classify, databaseError, endsSession, isServerError, publicMessage } from '../../postgres/connect/errors.js';
import { integer, list } from '../../postgres/connect/result-rows.js';
import { oneRow, Script } from '../../postgres/connect/script.js';
import { receiptSql, supersedeSql, toCommitted, type Receipt } from '../../postgres/control/receipt-write.js';
import { replacedSql, toReplaced, type ReplacedLoad } from '../../postgres/control/replaced-loads.js';
import { RunAgain } from './run-again.js';
import { commit } from './commit.js';
import type { LoadContext } from '../context.js';
import { deleteReplaced, missingFrom } from './replaced.js';
import { countSql, pagesSql, proveCount, type TallyScan } from './tally.js';

/**
 * Constraints, count, and the loads to be replaced once more, in one round trip. Throws DEFERRED_CONSTRAINT,
 * TALLY_MISMATCH, RunAgain. Gives all loads that are replaced: by content some show only now that the hash is known;
 * their rows go here. And the pages of the table's leaves as they are now.
 */
export async function proveTally(
  context: LoadContext,
  scan: TallyScan,
  replaced: readonly ReplacedLoad[],
  sha256: string,
  expected: number,
): Promise<{ readonly replaced: readonly ReplacedLoad[]; readonly pages: readonly number[] }> {
  const { connection, job } = context;
  const script = new Script();
  if (scan.table.hasDeferrable) script.also('SET CONSTRAINTS ALL IMMEDIATE');
  const counted = script.add(
    countSql(scan),
    oneRow((row) => integer(row, 'rows')),
  );
  const pages = script.add(
    `SELECT ${pagesSql(scan.table)} AS pages`,
    oneRow((row) => list(row, 'pages').map(Number)),
  );
  const now = script.add(replacedSql(job, sha256), toReplaced);
  try {
    await script.run(connection, { timeoutMs: 0 });
  } catch (error) {
    if (isServerError(error) && classify(error) === 'row')
      throw new TallymanError('DEFERRED_CONSTRAINT', publicMessage(error), { cause: databaseError(error) });
    throw error;
  }
  await proveCount(connection, scan, counted(), expected);

  const present = now();
  const { gone, added } = missingFrom(replaced, present);
  if (gone.length > 0 || added.some((load) => load.status === 'loaded')) throw new RunAgain('replaced-changed');
  if (added.length > 0) await deleteReplaced(connection, added, scan.table);
  return { replaced: present, pages: pages() };
}

/** Marks what this load replaces, writes the receipt, commits. Throws what commitWith throws. */
export async function commitLoad(
  context: LoadContext,
  replaced: readonly ReplacedLoad[],
  receipt: Omit<Receipt, 'status' | 'errorCode' | 'replaces'> & { readonly loadId: number; readonly rows: RowCounts },
  onCommit: () => void,
): Promise<{ readonly loadId: number; readonly committedAt: string; readonly replaced: readonly number[] }> {
  const { connection, job } = context;
  const ids = replaced.map((load) => load.loadId);
  const script = new Script();
  script.also(...supersedeSql(job.database.controlSchema, ids, receipt.loadId));
  const written = { ...receipt, status: 'loaded' as const, errorCode: null, replaces: ids };
  const committed = script.add(receiptSql(job, written), oneRow(toCommitted));
  await commit(connection, script, onCommit);
  return { ...committed(), replaced: ids };
}

/** For errors that carry no rows but whose class says row: outside COPY nothing is a row's fault. */
export function asLoadError(error: unknown, doing: string): TallymanError {
  if (error instanceof TallymanError) return error;
  if (isServerError(error) || endsSession(error)) return databaseError(error, doing);
  return new TallymanError('INTERNAL', `${doing}: ${messageOf(error)}`, { cause: error });
}
