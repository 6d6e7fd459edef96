import { parse } from 'csv-parse/sync';
import type { CellError } from '../../src/core/batch.js';
import type { ReceiptRef } from '../../src/core/receipts.js';
import type { FileDetail } from '../../src/core/report.js';
import type { QuarantineRow } from '../../src/core/quarantine.js';
import { exportAbout, type Export, type ExportAbout } from '../../src/quarantine/export/about.js';
import { exportCsv } from '../../src/quarantine/export/csv.js';

export function fault(
  column: string | null,
  kind: CellError['class'] = 'type-error',
  rest: Partial<CellError> = {},
): CellError {
  return { column, class: kind, rule: null, message: 'not an integer', value: null, ...rest };
}

export function quarantined(
  raw: string | Buffer,
  errors: readonly CellError[] = [fault('a')],
  rest: Partial<QuarantineRow> = {},
): QuarantineRow {
  const bytes = Buffer.from(raw);
  return {
    quarantineId: 7,
    row: 3,
    line: 4,
    byteOffset: 20,
    member: null,
    errors,
    raw: bytes,
    rawLength: bytes.length,
    ...rest,
  };
}

export function detailOf(change: Partial<FileDetail> = {}): FileDetail {
  return {
    message_type: 'file',
    file_id: 42,
    feed: 'orders',
    uri: 'file:///srv/secret-place/orders.csv',
    path: 'orders.csv',
    size: 1234,
    mtime: '2026-11-20T06:00:00.000Z',
    sha256: 'ab'.repeat(32),
    content_sha256: 'ab'.repeat(32),
    state: 'loaded',
    attempts: 1,
    load_id: 9,
    duplicate_of: null,
    generation: 1,
    rows: { read: 10, loaded: 9, quarantined: 1, skipped: 0, declared: null, delta: 0 },
    lines_skipped: 0,
    rows_skipped: {},
    errors: [],
    error: null,
    discovered_at: '2026-11-20T06:00:05.000Z',
    finished_at: '2026-11-20T06:00:06.000Z',
    seconds: { settle: 5, land: 0, load: 1 },
    history: [],
    actions: [],
    drift: [],
    ...change,
  };
}

export function receiptOf(change: Partial<ReceiptRef> = {}): ReceiptRef {
  return {
    loadId: 9,
    loadKey: '00000000-0000-0000-0000-000000000000',
    instanceId: 'here',
    host: 'a host',
    feed: 'orders',
    path: 'orders.csv',
    fileUri: 'file:///srv/secret-place/orders.csv',
    sha256: 'ab'.repeat(32),
    size: 1234,
    mtimeUs: null,
    version: null,
    generation: 1,
    status: 'loaded',
    duplicateAllowed: false,
    rows: { read: 10, loaded: 9, quarantined: 1, skipped: 0, declared: null, delta: 0 },
    errorCode: null,
    committedAt: '2026-11-20T06:00:06.000Z',
    replaces: [],
    ...change,
  };
}

/** As a CSV reader tells it. */
export function dialectOf(
  columns: readonly string[],
  rest: Readonly<Record<string, unknown>> = {},
): Readonly<Record<string, unknown>> {
  return {
    format: 'csv',
    encoding: 'utf-8',
    delimiter: ',',
    quote: '"',
    escape: '"',
    header: true,
    line_ends: 'lf',
    bom: false,
    columns,
    ...rest,
  };
}

export function aboutOf(
  columns: readonly string[],
  rest: Readonly<Record<string, unknown>> = {},
  detail: FileDetail = detailOf(),
  receipt: ReceiptRef = receiptOf(),
): ExportAbout {
  return exportAbout(detail, receipt, dialectOf(columns, rest));
}

export async function* pagesOf(rows: readonly QuarantineRow[], size = 2): AsyncGenerator<readonly QuarantineRow[]> {
  for (let at = 0; at < rows.length; at += size) yield await Promise.resolve(rows.slice(at, at + size));
}

export async function written(
  format: Export,
  rows: readonly QuarantineRow[],
  about: ExportAbout,
  detail: FileDetail = detailOf(),
): Promise<string> {
  let text = '';
  for await (const piece of format(detail, pagesOf(rows), about)) text += piece;
  return text;
}

/** The records of a csv export, its header first, as csv-parse reads them. */
export async function csvRecords(rows: readonly QuarantineRow[], about: ExportAbout): Promise<string[][]> {
  return parse(await written(exportCsv, rows, about), { bom: true });
}
