import { TallymanError } from '../../core/errors.js';
import type { LoadJob } from '../../core/load.js';
import type { RowCounts } from '../../core/report.js';
import type { Connection } from '../../postgres/connect/connect.js';
import { controlNames } from '../../postgres/control/control-schema.js';
import { quoteLiteral } from '../../postgres/connect/identifiers.js';
import { advisoryKey } from '../../postgres/connect/locks.js';
import { integer } from '../../postgres/connect/result-rows.js';
import type { QuarantineRecord } from '../../quarantine/record.js';
import { BEGIN, LOAD_SETTINGS, SYNCHRONOUS } from './begin.js';
import { commitWith, LostRace } from './commit.js';
import { copyQuarantine } from '../copy/quarantine-copy.js';
import { receiptSql, supersedeSql, type Receipt } from './receipt.js';

/** What is told of a file that was rejected. */
export interface Rejection {
  readonly error: TallymanError;
  readonly loadId: number | null;
  readonly sha256: string | null;
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
  const control = controlNames(job.database.controlSchema);
  const { sha256 } = rejection;
  const same = `feed = ${quoteLiteral(job.feed.name)} AND path = ${quoteLiteral(job.file.path)} AND instance_id = ${quoteLiteral(job.instanceId)} AND status = 'rejected' AND file_sha256 = ${quoteLiteral(sha256 ?? '')}`;
  const results = await connection.queryAll(
    [
      BEGIN,
      ...LOAD_SETTINGS,
      SYNCHRONOUS,
      `SELECT pg_catalog.pg_advisory_xact_lock('${advisoryKey('load-key', job.loadKey)}'::bigint)`,
      `SELECT pg_catalog.pg_advisory_xact_lock('${advisoryKey('path', job.feed.name, job.file.path)}'::bigint)`,
      `SELECT load_id FROM ${control.loads} WHERE ${same}`,
      rejection.loadId === null
        ? `SELECT pg_catalog.nextval(${control.loadIdSequence}) AS load_id`
        : `SELECT ${rejection.loadId}::bigint AS load_id`,
    ].join(';\n'),
  );
  const drawn = results.at(-1)?.rows[0];
  if (drawn === undefined) throw new TallymanError('INTERNAL', 'no load_id was given');
  const loadId = integer(drawn, 'load_id');
  const earlier = (results.at(-2)?.rows ?? []).map((row) => integer(row, 'load_id'));
  await copyQuarantine(connection, control.quarantine, rejection.record.kept());
  const receipt = receiptSql(job, control, {
    ...rejection,
    loadId,
    status: 'rejected',
    errorCode: rejection.error.code,
    replaces: earlier,
  });
  try {
    return {
      ...(await commitWith(connection, [...supersedeSql(control, earlier, loadId), receipt], onCommit)),
      replaced: earlier,
    };
  } catch (error) {
    if (error instanceof LostRace)
      throw new TallymanError('INTERNAL', `a receipt with the load_key ${job.loadKey} is there already`);
    throw error;
  }
}
