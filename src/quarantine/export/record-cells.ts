import type { CellError } from '../../core/batch.js';
import { EMPTY_TEXT } from '../../formats/split-cells.js';
import type { QuarantineRow } from '../../core/quarantine.js';
import type { ExportAbout } from './about.js';
import { readable } from '../readable.js';

/** Faults that leave no cells to show: the record as it stands is all there is. */
const WHOLE: ReadonlySet<CellError['class']> = new Set(['quote-error', 'too-long', 'json-error']);

/** A refused record's cells as text. */
export interface RecordCells {
  readonly cells: readonly string[];
  /** Cells that hold an empty string, and not nothing. */
  readonly emptyTexts: ReadonlySet<number>;
  /** Cells that the record has; more than `cells.length` when not all were looked at. */
  readonly found: number;
}

/**
 * null when the record cannot be taken apart: a quote is at fault, only its beginning was kept, or its format has no
 * cells.
 */
export function cellsOfRecord(
  row: QuarantineRow,
  about: ExportAbout,
  asText: (cell: Buffer) => string = readable,
): RecordCells | null {
  if (about.split === null || row.raw.length < row.rawLength || row.errors.some((error) => WHOLE.has(error.class)))
    return null;
  const record = about.split(row.raw);
  if (record === null) return null;
  const emptyTexts = new Set(record.cells.flatMap((cell, index) => (cell === EMPTY_TEXT ? [index] : [])));
  return { cells: record.cells.map((cell) => asText(cell)), emptyTexts, found: record.found };
}

/** What people call the column: the file's heading where it is one cell. */
export function columnLabel(column: string, about: ExportAbout): string {
  const labels = about.cellsOf(column).map((cell) => about.headings[cell] ?? '');
  return labels.length === 0 || labels.includes('') ? column : labels.join(', ');
}
