import { visibleString } from '../../base/text/visible-string.js';
import type { FileDialect } from '../../core/format.js';
import type { LoadJob } from '../../core/load.js';
import type { RowCounts } from '../../core/report.js';
import { displayName, quoteLiteral } from '../connect/identifiers.js';
import { integer, text, type Row } from '../connect/result-rows.js';
import { controlNames, type ControlNames } from './control-schema.js';
import { isoSql, timestampSql } from './receipt-row.js';

/** What a receipt says beside the job. */
export interface Receipt {
  readonly loadId: number | null;
  readonly status: 'loaded' | 'rejected';
  readonly sha256: string | null;
  readonly contentSha256: string | null;
  readonly rows: RowCounts;
  readonly dialect: FileDialect;
  readonly errorCode: string | null;
  readonly replaces: readonly number[];
  /** Since the load began, milliseconds. */
  readonly elapsedMs: number;
}

/**
 * SQL that writes the receipt and returns `load_id` and `committed_at`. Both times come from the database's clock, so
 * that a load never ends before it began. A load_id is drawn here when the load ended before it had one.
 */
export function receiptSql(job: LoadJob, receipt: Receipt): string {
  return receiptsSql([{ job, receipt }]);
}

/** The same for all the loads of one transaction; at least one. */
export function receiptsSql(receipts: readonly { readonly job: LoadJob; readonly receipt: Receipt }[]): string {
  const control = controlNames(receipts[0]!.job.database.controlSchema);
  const rows = receipts.map(({ job, receipt }) => receiptValues(job, control, receipt));
  const columns = Object.keys(rows[0] ?? {}).join(', ');
  return `INSERT INTO ${control.loads} (${columns}) VALUES ${rows.map((row) => `(${Object.values(row).join(', ')})`).join(', ')} RETURNING load_id, ${isoSql('committed_at')} AS committed_at`;
}

function receiptValues(job: LoadJob, control: ControlNames, receipt: Receipt): Readonly<Record<string, string>> {
  const { file, feed } = job;
  return {
    load_id: receipt.loadId === null ? `pg_catalog.nextval(${control.loadIdSequence})` : String(receipt.loadId),
    load_key: literal(job.loadKey),
    instance_id: literal(job.instanceId),
    feed: literal(feed.name),
    path: literal(file.path),
    file_uri: literal(file.uri),
    file_sha256: nullable(receipt.sha256),
    content_sha256: nullable(receipt.contentSha256),
    file_size: String(file.size),
    file_mtime: file.mtimeUs === null ? 'NULL' : timestampSql(String(Math.trunc(file.mtimeUs))),
    file_version: literal(file.version),
    target: literal(displayName(feed.target.schema, feed.target.table)),
    generation: String(job.generation),
    status: literal(receipt.status),
    rows_read: String(receipt.rows.read),
    rows_loaded: String(receipt.rows.loaded),
    rows_quarantined: String(receipt.rows.quarantined),
    rows_skipped: String(receipt.rows.skipped),
    rows_declared: receipt.rows.declared === null ? 'NULL' : String(receipt.rows.declared),
    duplicate_allowed: String(job.duplicateAllowed),
    dialect: `${literal(JSON.stringify(visibleValues(receipt.dialect)))}::jsonb`,
    error_code: nullable(receipt.errorCode),
    host: literal(job.host),
    started_at: `pg_catalog.clock_timestamp() - ${Math.max(0, Math.round(receipt.elapsedMs))} * interval '1 millisecond'`,
    committed_at: 'pg_catalog.clock_timestamp()',
    replaces: `'{${receipt.replaces.join(',')}}'::bigint[]`,
  };
}

/** What the INSERT of a receipt returns. */
export interface Committed {
  readonly loadId: number;
  readonly committedAt: string;
}

export const toCommitted = (row: Row): Committed => ({
  loadId: integer(row, 'load_id'),
  committedAt: text(row, 'committed_at'),
});

/** An expression (bigint[]) that draws load_ids, ascending. */
export const drawLoadIdsSql = (schema: string, count: number): string =>
  `ARRAY(SELECT pg_catalog.nextval(${controlNames(schema).loadIdSequence}) FROM pg_catalog.generate_series(1, ${count}))`;

/** SQL that marks receipts, and what is open of their quarantine, as superseded by a load. */
export function supersedeSql(schema: string, loadIds: readonly number[], by: number): readonly string[] {
  if (loadIds.length === 0) return [];
  const control = controlNames(schema);
  const ids = loadIds.join(', ');
  return [
    `UPDATE ${control.quarantine} SET status = 'superseded', resolved_by = ${by} WHERE status = 'open' AND load_id IN (${ids})`,
    `UPDATE ${control.loads} SET status = 'superseded' WHERE load_id IN (${ids})`,
  ];
}

const literal = (text: string): string => quoteLiteral(visibleString(text, Infinity));
const nullable = (text: string | null): string => (text === null ? 'NULL' : literal(text));

function visibleValues(dialect: FileDialect): FileDialect {
  return Object.fromEntries(Object.entries(dialect).map(([name, value]) => [visibleString(name), visibleValue(value)]));
}

function visibleValue(value: FileDialect[string]): FileDialect[string] {
  if (typeof value === 'string') return visibleString(value);
  if (value === null || typeof value !== 'object') return value;
  if (isList(value)) return value.map((item) => visibleString(item));
  return Object.fromEntries(Object.entries(value).map(([name, number]) => [visibleString(name), number]));
}

const isList = (value: object): value is readonly string[] => Array.isArray(value);
