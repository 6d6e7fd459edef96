import type { FileDetail } from '../../core/report.js';
import type { QuarantineRow } from '../../core/quarantine.js';
import type { ExportAbout } from './about.js';
import { inBlocks } from './blocks.js';
import { harmless } from './formula.js';
import { reasonOf } from '../../core/reason.js';
import { cellsOfRecord, columnLabel } from './record-cells.js';
import { readable } from '../readable.js';

/** Excel takes a file without it for the local 8-bit encoding. */
const BOM = '\uFEFF';
const LINE_END = '\r\n';
/** Also what other locales' spreadsheets split at, and blanks that some programs drop. */
const NEEDS_QUOTES = /[",;\t\r\n]|^'|^\s|\s$/;

/**
 * For spreadsheets (docs/spec/commands.md#exports): comma, UTF-8 with BOM, CRLF, the file's columns in its order, then
 * `_row,_reason,_raw`. A cell that a spreadsheet could run as a formula gets a leading ', so _raw is not always exact:
 * jsonl is. An empty string stands in quotes, NULL is nothing. A record that cannot be taken apart leaves its cells
 * empty and stands in _raw; so do cells past the last heading. Of an archive _reason begins with the member's name.
 */
export async function* exportCsv(
  _detail: FileDetail,
  pages: AsyncIterable<readonly QuarantineRow[]>,
  about: ExportAbout,
): AsyncIterable<string> {
  const { headings } = about;
  const label = (column: string): string => columnLabel(column, about);
  yield BOM + line([...headings, '_row', '_reason', '_raw'].map(csvCell));
  yield* inBlocks(pages, (row) => {
    const found = cellsOfRecord(row, about);
    const values = headings.map((_, cell) => {
      const text = found?.cells[cell] ?? '';
      return text === '' && found?.emptyTexts.has(cell) === true ? EMPTY : csvCell(text);
    });
    const reason = `${row.member === null ? '' : `${row.member}: `}${row.errors.map((error) => reasonOf(error, label)).join('; ')}`;
    return line([...values, ...[String(row.row), reason, readable(row.raw)].map(csvCell)]);
  });
}

/** An empty string; nothing between two commas is NULL. */
const EMPTY = '""';

const line = (cells: readonly string[]): string => cells.join(',') + LINE_END;

function csvCell(text: string): string {
  const safe = harmless(text);
  return NEEDS_QUOTES.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
