import { TallymanError } from '../../core/errors.js';
import type { LoadJob } from '../../core/load.js';
import type { RowCounts } from '../../core/report.js';
import type { Connection } from '../../postgres/connect/connect.js';
import { integer, list } from '../../postgres/connect/result-rows.js';
import { eachRow, oneRow, Script } from '../../postgres/connect/script.js';
import {
  drawLoadIdsSql,
  receiptSql,
  supersedeSql,
  toCommitted,
  type Receipt,
} from '../../postgres/control/receipt-write.js';
import { sameRejectionsSql } from '../../postgres/control/replaced-loads.js';
import type { QuarantineRecord } from '../../quarantine/record.js';
import { openTransaction } from './begin.js';
import { commit, LostRace } from './commit.js';
import { copyQuarantine } from '../copy/quarantine-copy.js';

/** What is reported of a file that was rejected. */
export interface Rejection {
  readonly error: TallymanError;
  readonly loadId: number | null;
  readonly sha256: string | null;
  readonly contentSha256: string | null;
  readonly rows: RowCounts;
  readonly dialect: Receipt['dialect'];
  readonly record: QuarantineRecord;
  readonly elapsedMs: number;
}

/** The receipt as it was written. */
export interface WrittenRejection {
  readonly loadId: number;
  readonly committedAt: string;
  /** load_ids of the earlier rejections that it superseded. */
  readonly replaced: readonly number[];
}

/**
 * Writes a rejected file's receipt and its first bad rows, in a transaction of its own behind the one that was rolled
 * back. An earlier rejection of the same content of the path is superseded: its bad rows are these. Throws
 * OutcomeUnknown and what the database throws.
 */
export async function writeRejection(
  connection: Connection,
  job: LoadJob,
  rejection: Rejection,
  onCommit: () => void,
): Promise<WrittenRejection> {
  const schema = job.database.controlSchema;
  const opening = openTransaction([job], null);
  const before = opening.add(
    sameRejectionsSql(job, rejection.sha256),
    eachRow((row) => integer(row, 'load_id')),
  );
  const drawn = opening.add(
    rejection.loadId === null
      ? `SELECT ${drawLoadIdsSql(schema, 1)} AS load_ids`
      : `SELECT ARRAY[${rejection.loadId}]::bigint[] AS load_ids`,
    oneRow((row) => Number(list(row, 'load_ids')[0])),
  );
  await opening.run(connection);
  const loadId = drawn();
  const earlier = before();
  await copyQuarantine(connection, schema, rejection.record.kept());
  const closing = new Script();
  closing.also(...supersedeSql(schema, earlier, loadId));
  const receipt = {
    ...rejection,
    loadId,
    status: 'rejected' as const,
    errorCode: rejection.error.code,
    replaces: earlier,
  };
  const committed = closing.add(receiptSql(job, receipt), oneRow(toCommitted));
  try {
    return { ...(await commit(connection, closing, committed, onCommit)), replaced: earlier };
  } catch (error) {
    if (error instanceof LostRace)
      throw new TallymanError('INTERNAL', `a receipt with the load_key ${job.loadKey} is there already`);
    throw error;
  }
}
