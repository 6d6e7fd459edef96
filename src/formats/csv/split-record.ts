import { ESCAPED, QUOTED } from '../../core/batch.js';
import { CsvBatch } from './csv-batch.js';
import { compileDialect, type Dialect } from './dialect.js';
import { csvOptions } from './options.js';
import { scannerOf } from './records.js';
import { EMPTY_TEXT, type SplitRecord } from '../split-cells.js';

/** Keys of the dialect that say where a cell ends. */
export const SPLITTING = [
  'delimiter',
  'quote',
  'escape',
  'quotes',
  'quote_blanks',
  'escape_unquoted',
  'escape_letters',
  'excel_text',
] as const;

/**
 * Takes single records apart as the file's own reader did, by what its receipt says (FileDialect). Returns at most
 * `most` cells a record: a record of 16 MiB may be nothing but delimiters. null when the receipt names no CSV.
 */
export function csvSplitter(
  told: Readonly<Record<string, unknown>>,
  most: number,
): ((raw: Buffer) => SplitRecord | null) | null {
  if (told['format'] !== 'csv') return null;
  const options = csvOptions.safeParse(
    Object.fromEntries(SPLITTING.flatMap((key) => (key in told ? [[key, told[key]]] : []))),
  );
  if (!options.success) return null;
  // Whole records are given, each a data record: no length is too much, and none is a comment.
  const dialect: Dialect = { ...compileDialect(options.data), maxRecord: Infinity };
  const batch = new CsvBatch(dialect, Math.max(1, most), 1);
  return (raw) => split(raw, dialect, batch);
}

/** null: the bytes are not one record, because a quote is at fault. */
function split(raw: Buffer, dialect: Dialect, batch: CsvBatch): SplitRecord | null {
  // The scanner plants a line feed behind the end; the cells point into this copy.
  const bytes = Buffer.allocUnsafe(raw.length + 1);
  raw.copy(bytes);
  const scanner = scannerOf(dialect);
  scanner.countEmptySurplus = true;
  batch.clear(1);
  batch.bytes = bytes;
  scanner.scan(bytes, raw.length, true, 0, batch);
  if (batch.rows !== 1 || scanner.pos < raw.length) return null;
  const found = batch.cells[0]!;
  const cells = Array.from({ length: Math.min(found, batch.width) }, (_, cell) => {
    const start = batch.starts[cell]!;
    const end = batch.ends[cell]!;
    if (start === end && (batch.flags[cell]! & QUOTED) !== 0) return EMPTY_TEXT;
    if ((batch.flags[cell]! & ESCAPED) === 0) return bytes.subarray(start, end);
    const value = Buffer.allocUnsafe(end - start);
    return value.subarray(0, batch.unescape(start, end, value, 0));
  });
  return { cells, found };
}
