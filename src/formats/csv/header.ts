import { isUtf8 } from 'node:buffer';
import { ESCAPED } from '../../core/batch.js';
import { TallymanError } from '../../core/errors.js';
import type { ColumnSpec } from '../../core/feed/columns.js';
import type { DriftNote, FileColumn } from '../../core/format.js';
import type { CsvBatch } from './csv-batch.js';
import type { HeaderSpec } from './options.js';

/** The names in a header record, as they stand in the file without quotes and escapes, and what was passed over. */
export interface Header {
  readonly columns: readonly FileColumn[];
  readonly drift: readonly DriftNote[];
}

/** Row 0 of the batch, a record of the header. Throws UNKNOWN_ENCODING and FORMAT_MISMATCH where it is no text. */
export function readNames(batch: CsvBatch): string[] {
  const line = batch.lines[0]!;
  const raw = batch.bytes.subarray(batch.rowStarts[0], batch.rowEnds[0]);
  if (raw.includes(0)) {
    throw new TallymanError(
      'FORMAT_MISMATCH',
      `The header (line ${line}) holds a NUL byte: this is no text in UTF-8.`,
      {
        fix: 'If the file is UTF-16, set format.encoding. Otherwise it is another format, or was not written to its end: ask the supplier.',
      },
    );
  }
  if (!isUtf8(raw)) {
    throw new TallymanError('UNKNOWN_ENCODING', `The header (line ${line}) is not valid UTF-8.`, {
      fix:
        'Set format.encoding to the encoding of the file, for example windows-1252. If all but the header is UTF-8, ' +
        'the header is damaged: ask the supplier, or take columns by position (header: false, skip_lines).',
    });
  }
  return Array.from({ length: batch.cells[0]! }, (_, cell) => cellText(batch, cell));
}

/**
 * The names that the records of a header give: those of one of them, or the cells of each column joined by a blank. A
 * column has no name when all its cells are empty.
 */
export function joinHeader(rows: readonly (readonly string[])[], { names: which }: HeaderSpec): Header {
  const [only, second] = rows;
  const chosen = which === null ? [...rows] : [rows[which - 1] ?? []];
  // Columns that only the other records have are columns too.
  const filled = (row: readonly string[]): number => row.findLastIndex((cell) => cell.trim() !== '') + 1;
  const width = Math.max(...chosen.map(({ length }) => length), ...rows.map(filled));
  const joined = (column: number): string =>
    chosen
      .map((row) => row[column]?.trim() ?? '')
      .filter((cell) => cell !== '')
      .join(' ');
  const names =
    only !== undefined && second === undefined ? [...only] : Array.from({ length: width }, (_, c) => joined(c));
  const drift: DriftNote[] = [];
  if (names.length > 1 && names.at(-1) === '') {
    names.pop();
    drift.push({
      kind: 'ignored',
      column: `column_${names.length + 1}`,
      message: 'the last header cell is empty: ignored',
    });
  }
  return { columns: names.map((name) => ({ name, type: null })), drift };
}

/**
 * Under a contract, header names must tell columns apart: throws HEADER_EMPTY and HEADER_DUPLICATE with the names and
 * positions. Columns that the contract takes by position need no name.
 */
export function checkNames(columns: readonly FileColumn[], contract: readonly ColumnSpec[]): void {
  const byPosition = new Set(contract.map((column) => column.from[0]).filter((from) => typeof from === 'number'));
  const places = new Map<string, number[]>();
  for (const [index, { name }] of columns.entries()) {
    if (!byPosition.has(index + 1)) places.set(name, [...(places.get(name) ?? []), index + 1]);
  }
  const empty = [...places].filter(([name]) => name.trim() === '').flatMap(([, at]) => at);
  if (empty.length > 0) {
    const fix = `Ask the supplier for names, or map by position: from: ${empty[0]!}.`;
    throw new TallymanError('HEADER_EMPTY', `The header has no name for ${counted('column', empty)}.`, { fix });
  }
  const twice = [...places].filter(([, at]) => at.length > 1);
  if (twice.length > 0) {
    const list = twice
      .slice(0, SHOWN)
      .map(([name, at]) => `${JSON.stringify(name)} (columns ${at.slice(0, SHOWN).join(', ')})`);
    const fix = `Ask the supplier for distinct names, or map by position: from: ${twice[0]![1][0]!}.`;
    throw new TallymanError(
      'HEADER_DUPLICATE',
      `The header names more than one column ${list.join('; ')}${twice.length > SHOWN ? ' and others' : ''}.`,
      { fix },
    );
  }
}

const SHOWN = 10;

const counted = (word: string, at: readonly number[]): string =>
  `${word}${at.length > 1 ? 's' : ''} ${at.slice(0, SHOWN).join(', ')}${at.length > SHOWN ? ` and ${at.length - SHOWN} more` : ''}`;

function cellText(batch: CsvBatch, cell: number): string {
  const start = batch.starts[cell]!;
  const end = batch.ends[cell]!;
  if ((batch.flags[cell]! & ESCAPED) === 0) return batch.bytes.toString('utf8', start, end);
  const out = Buffer.allocUnsafe(end - start);
  return out.toString('utf8', 0, batch.unescape(start, end, out, 0));
}
