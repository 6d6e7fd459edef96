import type { ReceiptRef } from '../../core/receipts.js';
import type { FileDetail, RowCounts } from '../../core/report.js';
import type { QuarantineRow } from '../../core/quarantine.js';
import { columnNames } from '../../formats/names.js';
import type { SplitRecord } from '../../formats/split-cells.js';
import { splitterOf } from '../../formats/split-record.js';

/** Cells past the last heading that an export still looks at. */
export const MOST_SURPLUS = 8;

/**
 * The load whose refused rows are exported, as its receipt says: a file may have been loaded again since, by another
 * config.
 */
export interface ExportAbout {
  /** What the commands call it: the file's id, or `load:N` for a load that is not its latest. */
  readonly id: string;
  readonly rejected: boolean;
  readonly rows: RowCounts;
  /** ISO 8601; null = never. */
  readonly committedAt: string | null;
  /** The report's groups are those of this very load. */
  readonly reported: boolean;
  /**
   * One a cell of the file: its header, or without one the contract's name, or `column_N`. Empty when the format has no
   * cells.
   */
  readonly headings: readonly string[];
  /** Cells (from 0) that a fault's column means; empty when none is known. A key of several columns means several. */
  cellsOf(column: string): readonly number[];
  /** null: records of this format are not taken apart. */
  readonly split: ((raw: Buffer) => SplitRecord | null) | null;
}

/** How a --format is written. Returns text piece by piece; asks for a page only when the one before is written. */
export type Export = (
  detail: FileDetail,
  pages: AsyncIterable<readonly QuarantineRow[]>,
  about: ExportAbout,
) => AsyncIterable<string>;

/** `receipt` and `dialect` (FileDialect, from the receipt) are null when the file has none. */
export function exportAbout(
  detail: FileDetail,
  receipt: ReceiptRef | null,
  dialect: Readonly<Record<string, unknown>> | null,
): ExportAbout {
  const told = dialect ?? {};
  const names = listOf(told['columns']);
  const cells = placesOf(told['cells'], names.length);
  const latest = receipt === null || receipt.loadId === detail.load_id;
  const split = splitterOf(told, names, names.length + MOST_SURPLUS);
  return {
    id: latest ? String(detail.file_id) : `load:${receipt.loadId}`,
    rejected: receipt === null ? detail.state === 'rejected' : receipt.status === 'rejected',
    rows: receipt?.rows ?? detail.rows,
    committedAt: receipt?.committedAt ?? detail.finished_at,
    reported: latest && detail.errors.length > 0,
    headings: split === null ? [] : told['header'] === false ? contractNames(names, cells) : names,
    cellsOf: cellFinder(names, cells),
    split,
  };
}

/** Without a header the contract's names tell more than `column_3`. */
function contractNames(names: readonly string[], cells: ReadonlyMap<string, number>): readonly string[] {
  const byCell = new Map([...cells].reverse().map(([name, cell]) => [cell, name]));
  return names.map((name, cell) => byCell.get(cell) ?? name);
}

/**
 * Faults name the contract's columns; where there is no contract, names made from the headers; and for cells that
 * nobody takes, the header itself.
 */
function cellFinder(
  names: readonly string[],
  cells: ReadonlyMap<string, number>,
): (column: string) => readonly number[] {
  const known = new Map(cells);
  for (const list of [names, columnNames(names, 'snake'), columnNames(names, 'keep')]) {
    list.forEach((name, cell) => {
      if (!known.has(name)) known.set(name, cell);
    });
  }
  const find = (column: string): readonly number[] => {
    const cell = known.get(column);
    return cell === undefined ? [] : [cell];
  };
  return (column) => {
    const whole = find(column);
    return whole.length > 0 ? whole : column.split(', ').flatMap(find);
  };
}

function listOf(value: unknown): readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : [];
}

/** Positions from 1 in the receipt, from 0 here. */
function placesOf(value: unknown, width: number): ReadonlyMap<string, number> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return new Map();
  const entries: [string, unknown][] = Object.entries(value);
  return new Map(
    entries.flatMap(([name, place]) =>
      typeof place === 'number' && Number.isInteger(place) && place >= 1 && place <= width
        ? [[name, place - 1] as const]
        : [],
    ),
  );
}
