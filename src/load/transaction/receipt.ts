import { TallymanError } from '../../core/errors.js';
import { eachRow, oneRow, Script } from '../../postgres/connect/script.js';
import { receiptSql, receiptsSql, supersedeSql, toCommitted } from '../../postgres/control/receipt-write.js';
import { contentOf, countsOf } from '../read/read-file.js';
import type { RunningGroup, RunningLoad } from '../running.js';
import { commit } from './commit.js';

/** sha256 of the file: known once it has been read to its end. */
export function hashOf({ reached }: Pick<RunningLoad, 'reached'>): string {
  if (reached.sha256 === null) throw new TallymanError('INTERNAL', 'the file was not read to its end');
  return reached.sha256;
}

/** Marks what this load replaces, writes the receipt, commits. Throws what commit throws. */
export async function commitLoad(load: RunningLoad): Promise<void> {
  const { connection, job, parts, loadId, reached, file } = load;
  parts.signal.throwIfAborted();
  const replaces = load.replaced.map((one) => one.loadId);
  const receipt = {
    loadId,
    status: 'loaded' as const,
    sha256: hashOf(load),
    contentSha256: contentOf(reached, reached.sha256),
    rows: countsOf(reached, load.loaded),
    dialect: file.reader.dialect(),
    errorCode: null,
    replaces,
    elapsedMs: performance.now() - parts.began,
  };
  const script = new Script();
  script.also(...supersedeSql(job.database.controlSchema, replaces, loadId));
  const committed = script.add(receiptSql(job, receipt), oneRow(toCommitted));
  load.committed = await commit(connection, script, committed, parts.onCommit);
}

/** A receipt for each file of the group, and one COMMIT. Throws what commit throws. */
export async function commitGroup(group: RunningGroup): Promise<void> {
  group.signal.throwIfAborted();
  const elapsedMs = performance.now() - group.began;
  const receipts = group.members.map(({ job, loadId, sha256, contentSha256, rows, dialect }) => ({
    job,
    receipt: {
      loadId,
      status: 'loaded' as const,
      sha256,
      contentSha256,
      rows,
      dialect,
      errorCode: null,
      replaces: [],
      elapsedMs,
    },
  }));
  const script = new Script();
  const written = script.add(receiptsSql(receipts), eachRow(toCommitted));
  const receiptsWritten = await commit(group.connection, script, written, group.onCommit);
  group.committed = new Map(receiptsWritten.map((one) => [one.loadId, one]));
}
