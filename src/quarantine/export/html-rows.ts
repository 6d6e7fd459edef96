import type { CellError } from '../../core/batch.js';
import type { ErrorGroup } from '../../core/report.js';
import type { QuarantineRow } from '../../core/quarantine.js';
import { ErrorGroups } from '../error-groups.js';
import type { ExportAbout } from './about.js';
import { cellsOfRecord } from './record-cells.js';
import { readableStart } from '../readable.js';

/** A page of more is slow to open and nobody reads it; a list for a program is the csv or jsonl export. */
export const MOST_ROWS = 5_000;
/**
 * Characters of cells and reasons, with what the tags around each take: wide records get fewer rows. About 10 MB of
 * HTML.
 */
const MOST_TEXT = 4 * 1024 * 1024;
const TAGS = 24;
/** Bytes of a cell, of a record, and faults of a row that are shown. */
const CELL_BYTES = 300;
const RAW_BYTES = 4_000;
const MOST_FAULTS = 10;

/** A refused row as the page shows it. */
export interface ShownRow {
  readonly row: number;
  readonly line: number | null;
  /** Of an archive. */
  readonly member: string | null;
  /** The first faults; `faults` is how many there are. */
  readonly errors: readonly Pick<CellError, 'column' | 'class' | 'message'>[];
  readonly faults: number;
  /** null: `raw` is shown instead. */
  readonly cells: readonly string[] | null;
  readonly raw: string;
  /** Cells that are marked, from 0; past the record's last they stand for what is missing. */
  readonly bad: ReadonlySet<number>;
  /** Cells past the headings that are not shown. */
  readonly unseen: number;
}

export interface ShownRows {
  readonly rows: readonly ShownRow[];
  /** There are more than these. */
  readonly cut: boolean;
  /** Of these rows alone. */
  readonly groups: readonly ErrorGroup[];
}

/**
 * The first rows, as many as a page takes: memory stays bounded however many there are. No page is asked for behind
 * them.
 */
export async function takeRows(pages: AsyncIterable<readonly QuarantineRow[]>, about: ExportAbout): Promise<ShownRows> {
  const rows: ShownRow[] = [];
  const groups = new ErrorGroups();
  let size = 0;
  for await (const page of pages) {
    for (const row of page) {
      if (rows.length >= MOST_ROWS || size > MOST_TEXT) return { rows, cut: true, groups: groups.report() };
      const shown = showRow(row, about);
      groups.add({ row: row.row, line: row.line ?? row.row, offset: row.byteOffset ?? 0 }, row.errors);
      size +=
        (shown.cells ?? [shown.raw]).reduce((sum, cell) => sum + cell.length + TAGS, 0) +
        shown.errors.reduce((sum, error) => sum + error.message.length + TAGS, TAGS);
      rows.push(shown);
    }
  }
  return { rows, cut: false, groups: groups.report() };
}

function showRow(row: QuarantineRow, about: ExportAbout): ShownRow {
  const record = cellsOfRecord(row, about, (cell) => readableStart(cell, CELL_BYTES));
  const errors = row.errors
    .slice(0, MOST_FAULTS)
    .map(({ column, class: kind, message }) => ({ column, class: kind, message }));
  const place = { row: row.row, line: row.line, member: row.member, errors, faults: row.errors.length };
  if (record === null)
    return { ...place, cells: null, raw: readableStart(row.raw, RAW_BYTES), bad: new Set(), unseen: 0 };
  const { cells, found } = record;
  const width = about.headings.length;
  const bad = new Set(row.errors.flatMap((error) => badCells(error, cells.length, width, about)));
  return { ...place, cells, raw: '', bad, unseen: found - cells.length };
}

function badCells(error: CellError, cells: number, width: number, about: ExportAbout): readonly number[] {
  if (error.class === 'extra-cell') return range(width, cells);
  if (error.class === 'missing-cell' && cells < width) return range(cells, width);
  return error.column === null ? [] : about.cellsOf(error.column);
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);
