import type { FeedSpec } from '../core/feed/feed.js';
import type { ReceiptBook } from '../core/ledger/receipt-book.js';
import type { Reading } from '../core/ledger/reading.js';
import type { ExportFormat, QuarantineGroup, QuarantineRow, QuarantineWindow } from '../core/quarantine.js';
import type { Receipts } from '../core/receipts.js';
import type { FileDetail } from '../core/report.js';
import { exportAbout, type Export } from '../quarantine/export/about.js';
import { exportCsv } from '../quarantine/export/csv.js';
import { exportHtml } from '../quarantine/export/html.js';
import { exportJsonl } from '../quarantine/export/jsonl.js';
import { quarantineItem, type QuarantineItem } from '../quarantine/item.js';
import { findDetail, loadIdOf, type Finding } from './find-file.js';

export type { QuarantineItem };

interface GroupsParts {
  /** Throws UNKNOWN_FEED. */
  feed(name: string): FeedSpec;
  ledger(): Pick<ReceiptBook, 'byLoadId'>;
  receipts(): Promise<Pick<Receipts, 'quarantineGroups'>>;
}

/** Open rows of one file that have the same column and reason. */
export interface QuarantineGroupItem {
  readonly feed: string;
  /** null = a load that this ledger does not know. */
  readonly file_id: number | null;
  readonly load_id: number;
  readonly path: string;
  readonly column: string | null;
  readonly class: string;
  readonly rows: number;
  readonly first_row: number;
  readonly first_line: number;
  readonly example: string | null;
  readonly message: string;
}

/** The open quarantine of one feed, or with `null` of all; of loads of the window alone. */
export async function quarantineGroups(
  parts: GroupsParts,
  feed: string | null,
  window: QuarantineWindow = {},
): Promise<{ readonly items: readonly QuarantineGroupItem[] }> {
  if (feed !== null) parts.feed(feed);
  const ledger = parts.ledger();
  const items: QuarantineGroupItem[] = [];
  for (const group of await (await parts.receipts()).quarantineGroups(feed, window))
    items.push(groupItem(group, (await ledger.byLoadId(group.loadId))?.fileId ?? null));
  return { items };
}

const groupItem = (group: QuarantineGroup, fileId: number | null): QuarantineGroupItem => ({
  feed: group.feed,
  file_id: fileId,
  load_id: group.loadId,
  path: group.path,
  column: group.column,
  class: group.class,
  rows: group.rows,
  first_row: group.firstRow,
  first_line: group.firstLine,
  example: group.example,
  message: group.message,
});

interface RowsParts {
  ledger(): Finding & Pick<Reading, 'detail'>;
  receipts(): Promise<Pick<Receipts, 'quarantineRows' | 'byIds' | 'dialect'>>;
}

/** The refused rows of a file's latest load, or of the load that `load:N` names; `id` as findFile takes it. */
export async function quarantineRows(
  parts: RowsParts,
  id: string,
): Promise<{ readonly fileId: number; readonly items: AsyncIterable<QuarantineItem> }> {
  const { detail, pages } = await rowsOf(parts, id);
  return { fileId: detail.file_id, items: itemsOf(pages) };
}

async function* itemsOf(pages: AsyncIterable<readonly QuarantineRow[]>): AsyncIterable<QuarantineItem> {
  for await (const page of pages) for (const row of page) yield quarantineItem(row);
}

const EXPORTS: Readonly<Record<ExportFormat, Export>> = { csv: exportCsv, jsonl: exportJsonl, html: exportHtml };

/** The refused rows as a text for the supplier, piece by piece; `id` as findFile takes it. */
export async function exportQuarantine(
  parts: RowsParts,
  input: { readonly id: string; readonly format: ExportFormat },
): Promise<{ readonly fileId: number; readonly rows: number; readonly pieces: AsyncIterable<string> }> {
  const { detail, pages, loadId, receipts } = await rowsOf(parts, input.id);
  const [receipt] = loadId === null ? [] : await receipts.byIds([loadId]);
  const about = exportAbout(detail, receipt ?? null, loadId === null ? null : await receipts.dialect(loadId));
  return {
    fileId: detail.file_id,
    rows: about.rows.quarantined,
    pieces: EXPORTS[input.format](detail, pages, about),
  };
}

interface Rows {
  readonly detail: FileDetail;
  /** null = nothing of the file was ever loaded or rejected. */
  readonly loadId: number | null;
  readonly pages: AsyncIterable<readonly QuarantineRow[]>;
  readonly receipts: Pick<Receipts, 'byIds' | 'dialect'>;
}

async function rowsOf(parts: RowsParts, id: string): Promise<Rows> {
  const detail = await findDetail(parts.ledger(), id);
  const loadId = loadIdOf(id) ?? detail.load_id;
  const receipts = await parts.receipts();
  return { detail, loadId, pages: loadId === null ? none() : receipts.quarantineRows(loadId), receipts };
}

async function* none(): AsyncIterable<readonly QuarantineRow[]> {
  // A file without a receipt has no quarantine.
}
