import type { ReceiptRef } from '../../core/receipts.js';
import type { Connection } from '../connect/connect.js';
import { qualified } from '../connect/identifiers.js';
import { flag, integer, integerOrNull, list, text, textOrNull, word, type Row } from '../connect/result-rows.js';

/** A timestamptz expression as ISO 8601 in UTC with milliseconds, whatever DateStyle and TimeZone the session has. */
export function isoSql(expression: string): string {
  return `pg_catalog.to_char(${expression} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
}

/**
 * A timestamptz expression as microseconds since 1970, exactly. In two parts: PostgreSQL 13's epoch is a double, which
 * becomes a numeric with 15 digits.
 */
export function microsecondsSql(expression: string): string {
  return `(extract(epoch FROM date_trunc('second', ${expression}))::bigint * 1000000 + extract(microseconds FROM ${expression})::bigint % 1000000)`;
}

/**
 * The other way: microseconds since 1970 (SQL that returns a bigint, or NULL) as timestamptz. In two parts: an interval
 * is multiplied as a double, which is exact only below 2^53.
 */
export function timestampSql(microseconds: string): string {
  return `(timestamptz '1970-01-01 00:00:00+00' + (${microseconds}) / 1000000 * interval '1 second' + (${microseconds}) % 1000000 * interval '1 microsecond')`;
}

/** What toReceipt() wants selected from `loads`. */
export const RECEIPT_COLUMNS = `content_sha256, load_id, load_key::text AS load_key, instance_id, feed, path,
  file_uri, host, file_sha256, file_size, ${microsecondsSql('file_mtime')} AS mtime_us, file_version, generation, status,
  duplicate_allowed, rows_read, rows_loaded, rows_quarantined, rows_skipped, rows_declared, error_code,
  ${isoSql('committed_at')} AS committed_at, pg_catalog.to_jsonb(replaces) AS replaces`;

/** The same for a control schema that no program of this version has been at: what it lacks is not known. */
const RECEIPT_COLUMNS_BEFORE = `NULL::text AS ${RECEIPT_COLUMNS}`;

/** Those that the control schema has now. */
export async function receiptColumns(connection: Connection, schema: string): Promise<string> {
  const { rows } = await connection.query(
    `SELECT 1 AS one FROM pg_catalog.pg_attribute
     WHERE attrelid = pg_catalog.to_regclass($1) AND attname = 'content_sha256' AND NOT attisdropped`,
    [qualified(schema, 'loads')],
  );
  return rows.length === 0 ? RECEIPT_COLUMNS_BEFORE : RECEIPT_COLUMNS;
}

const STATUSES = ['loaded', 'rejected', 'superseded', 'cleared', 'ignored'] as const;

/** A row of `loads` selected with RECEIPT_COLUMNS. */
export function toReceipt(row: Row): ReceiptRef {
  const status = word(row, 'status', STATUSES);
  const read = integer(row, 'rows_read');
  const loaded = integer(row, 'rows_loaded');
  const quarantined = integer(row, 'rows_quarantined');
  const skipped = integer(row, 'rows_skipped');
  return {
    loadId: integer(row, 'load_id'),
    loadKey: text(row, 'load_key'),
    instanceId: text(row, 'instance_id'),
    feed: text(row, 'feed'),
    path: text(row, 'path'),
    fileUri: text(row, 'file_uri'),
    host: text(row, 'host'),
    sha256: textOrNull(row, 'file_sha256'),
    contentSha256: textOrNull(row, 'content_sha256'),
    size: integer(row, 'file_size'),
    mtimeUs: microseconds(row['mtime_us']),
    version: textOrNull(row, 'file_version'),
    generation: integer(row, 'generation'),
    status,
    duplicateAllowed: flag(row, 'duplicate_allowed'),
    rows: {
      read,
      loaded,
      quarantined,
      skipped,
      declared: integerOrNull(row, 'rows_declared'),
      delta: status === 'rejected' ? null : read - loaded - quarantined - skipped,
    },
    errorCode: textOrNull(row, 'error_code'),
    committedAt: text(row, 'committed_at'),
    replaces: list(row, 'replaces').map(Number),
  };
}

/**
 * Past the year 2255 they are more than 2^53 and come as text: a file may bear any time, and an approximate one does no
 * harm.
 */
function microseconds(value: unknown): number | null {
  return value === null ? null : Number(value);
}
