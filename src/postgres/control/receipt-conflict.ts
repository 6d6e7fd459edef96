import type { LoadJob } from '../../core/load.js';
import type { ReceiptRef } from '../../core/receipts.js';
import type { Connection } from '../connect/connect.js';
import { isServerError, type ServerError } from '../connect/errors.js';
import { quoteLiteral } from '../connect/identifiers.js';
import { controlNames, LIVE_CONTENT_INDEX, LIVE_DECODED_INDEX, LIVE_PATH_INDEX } from './control-schema.js';
import { RECEIPT_COLUMNS, toReceipt } from './receipt-row.js';

/** Name of the unique constraint on load_key: this very attempt is in already. */
const LOAD_KEY = 'loads_load_key';

/** True for the refusal of a receipt that another one stands in the way of. */
export const isReceiptConflict = (error: unknown): error is ServerError =>
  isServerError(error) &&
  error.code === '23505' &&
  [LIVE_CONTENT_INDEX, LIVE_DECODED_INDEX, LIVE_PATH_INDEX, LOAD_KEY].includes(error.constraint ?? '');

/** The receipt that stood in the way of the job's, as it is now; null = it is gone again. */
export async function receiptInTheWay(
  connection: Connection,
  job: LoadJob,
  { sha256, contentSha256 }: { readonly sha256: string | null; readonly contentSha256: string | null },
): Promise<ReceiptRef | null> {
  const { loads } = controlNames(job.database.controlSchema);
  const hashes = [sha256, contentSha256].map((hash) => quoteLiteral(hash ?? '')).join(', ');
  const held = contentSha256 === null ? '' : ` OR content_sha256 IN (${hashes})`;
  const content = `feed = ${quoteLiteral(job.feed.name)} AND (file_sha256 IN (${hashes})${held}) AND status = 'loaded'`;
  const path = quoteLiteral(job.file.path);
  const { rows } = await connection.query(
    `SELECT ${RECEIPT_COLUMNS} FROM ${loads}
     WHERE load_key = ${quoteLiteral(job.loadKey)}::uuid OR (${content} AND (path = ${path} OR NOT duplicate_allowed))
     ORDER BY path = ${path} DESC, load_id LIMIT 1`,
  );
  return rows[0] === undefined ? null : toReceipt(rows[0]);
}
