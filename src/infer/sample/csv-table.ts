import type { FormatType, RecordReader } from '../../core/format.js';
import { sniffDialect, type Sniffed } from '../../formats/csv/sniff.js';
import { keyDoubts } from '../../formats/csv/sniff-quotes.js';
import { noCounts, once, readCells, type CellVisitor, type ReadCounts } from './cells.js';
import { HEADER_SAMPLE, judgeHeader } from './header.js';
import { headerRowsOf, type HeaderRows } from './header-rows.js';
import { footerOf, repeatsOf, withoutRepeats } from './not-data.js';
import { beginningOf, rulerBelow, rulersFrom, type Ruler, type TableStart } from './table-start.js';
import type { SampledText } from './text.js';

/** A sampled file of delimited text, with its dialect found out. */
export interface CsvTable {
  readonly kind: 'csv';
  readonly text: SampledText;
  readonly sniffed: Sniffed;
  readonly header: boolean;
  /** Header cells as they stand; empty without a header. */
  readonly names: readonly string[];
  readonly width: number;
  /** Physical lines before the header or the first record. */
  readonly skipLines: number;
  /** `header` where it is more than one record. */
  readonly headerRows?: HeaderRows;
  /** The line of dashes below the header; null = there is none. */
  readonly ruler: Ruler | null;
  /** What is doubtful about all that, for people. */
  readonly doubts: readonly string[];
}

/** Options of `format:` for such a table; `nulls` omitted = the default. */
export function csvOptionsOf(table: CsvTable, header: boolean): Record<string, unknown> {
  const { delimiter, quote, escape, comment, keys } = table.sniffed;
  return {
    header,
    delimiter,
    quote,
    ...(escape === undefined ? {} : { escape }),
    comment,
    skip_lines: table.skipLines,
    ...(header ? keys : { ...keys, repeated_header: 'data' }),
  };
}

export async function openCsvTable(csv: FormatType, text: SampledText): Promise<CsvTable> {
  const dialect = await sniffDialect(text.head, { whole: text.whole });
  const total = footerOf(dialect, text.head, text.whole);
  const sniffed = total === null ? dialect : { ...dialect, keys: { ...dialect.keys, footer: total.footer } };
  const doubts: string[] = [];
  if (sniffed.rival !== null) doubts.push(`delimiter: ${shownToken(sniffed.rival)} would make columns as well`);
  const delimiter = sniffed.sure || sniffed.width === 1 ? oneColumnDelimiter(sniffed, text.head) : sniffed.delimiter;
  if (!sniffed.sure && sniffed.width > 1) doubts.push('delimiter: none makes records of equal width; "," was taken');
  if (sniffed.scanned.comments > 0) doubts.push(`comment: ${commentsOf(sniffed, text.head)}`);
  if (total !== null)
    doubts.push(
      `footer: the last ${total.count === 1 ? 'record looks' : `${total.count} records look`} like a sum and no data`,
    );
  doubts.push(...keyDoubts(sniffed.scanned, text.head));
  const start = beginningOf(sniffed, text.head);
  const ruler = rulerBelow(sniffed, text.head, start.row);
  const base: CsvTable = {
    kind: 'csv',
    text,
    sniffed: { ...sniffed, delimiter },
    header: false,
    names: [],
    width: sniffed.width,
    skipLines: start.line - 1,
    ruler: null,
    doubts,
  };
  const found = await firstRows(csv, base);
  const repeats = repeatsOf(found);
  const rows = withoutRepeats(found);
  const [first] = rows;
  const below = rows.slice(ruler?.isRecord === true ? 2 : 1);
  const narrow = first !== undefined && below.length > 0 && first.length < sniffed.width;
  const several = narrow || ruler !== null ? null : headerRowsOf(rows);
  if (several !== null) {
    const verdict = judgeHeader([several.names, ...rows.slice(2)]);
    if (verdict.header) {
      doubts.push(`header: ${several.doubt}`, ...skipped(start));
      return { ...base, header: true, names: several.names, width: several.names.length, headerRows: several };
    }
  }
  const judged = judgeHeader(
    first === undefined ? [] : [first, ...(narrow ? below.map((row) => row.slice(0, first.length)) : below)],
  );
  const verdict = ruler === null || judged.header ? judged : { header: true, doubt: 'a ruler stands below it' };
  const rulers = rulersFrom(sniffed, text.head, start.row + (ruler === null ? 1 : 2));
  if (rulers !== null) doubts.push(`rulers: ${rulers}`);
  if (verdict.doubt !== null) doubts.push(`header: ${verdict.doubt}`);
  doubts.push(...skipped(start, verdict.header ? 'header' : 'first record'));
  if (!verdict.header || first === undefined)
    return { ...base, width: first === undefined ? sniffed.width : Math.max(1, first.length) };
  if (repeats === 0) return { ...base, header: true, names: first, width: first.length, ruler };
  doubts.push(
    `repeated_header: the header stands again ${repeats === 1 ? 'once' : `${repeats} times`} among the records`,
  );
  const keys = { ...base.sniffed.keys, repeated_header: 'skip' };
  return { ...base, sniffed: { ...base.sniffed, keys }, header: true, names: first, width: first.length, ruler };
}

const skipped = ({ line, passed }: TableStart, what = 'header'): readonly string[] =>
  line === 1
    ? []
    : [`skip_lines: ${line - 1} line${line === 2 ? '' : 's'} before the ${what} (${JSON.stringify(passed)})`];

export const shownToken = (token: string): string => (token === '\t' ? 'tab' : JSON.stringify(token));

function commentsOf({ scanned: { comments } }: Sniffed, head: Buffer): string {
  const at = head[0] === 0x23 ? 0 : head.indexOf('\n#') + 1;
  const first = head.toString('utf8', at, at + 40).split(/[\r\n]/)[0] ?? '';
  const many =
    comments === 1
      ? '1 line of the sample begins with # and is no record'
      : `${comments} lines of the sample begin with # and are no records`;
  return `${many} (${JSON.stringify(first)}): passed over, and counted as lines_skipped`;
}

/** One column: a delimiter that does not stand in it, so that no record falls apart. */
function oneColumnDelimiter(sniffed: Sniffed, head: Buffer): string {
  if (sniffed.sure || !head.includes(sniffed.delimiter)) return sniffed.delimiter;
  return ['\t', '|', ';', '\u001f'].find((token) => !head.includes(token)) ?? sniffed.delimiter;
}

async function open(csv: FormatType, bytes: Buffer, options: Record<string, unknown>): Promise<RecordReader> {
  return await csv.open({ bytes: once(bytes), path: null, contract: null }, csv.options.parse(options));
}

/** The first records as text, cells up to a length that no name has. */
async function firstRows(csv: FormatType, table: CsvTable): Promise<string[][]> {
  const rows: string[][] = [];
  let row: string[] = [];
  const reader = await open(csv, table.text.head, csvOptionsOf(table, false));
  const width = reader.layout.fileColumns.length;
  const put = (column: number, text: string): void => {
    if (column === 0) row = [];
    row.push(text);
    if (column === width - 1) rows.push(row);
  };
  await readCells(
    reader,
    {
      cell: (column, bytes, start, end) => put(column, bytes.toString('utf8', start, Math.min(end, start + 4_096))),
      absent: (column) => put(column, ''),
    },
    { skipRows: 0, whole: table.text.whole, mostRows: HEADER_SAMPLE },
    noCounts(),
  );
  // A narrower header makes every other record too long: its own cells are all that came.
  if (rows.length <= 1 && width < table.sniffed.width) rows.push(...(await rowsBelow(csv, table)));
  return rows;
}

async function rowsBelow(csv: FormatType, table: CsvTable): Promise<string[][]> {
  const { lines } = table.sniffed.scanned;
  const next = lines.find((line) => line > table.skipLines + 1);
  return next === undefined
    ? []
    : await firstRows(csv, { ...table, skipLines: next - 1, sniffed: { ...table.sniffed, width: 0 } });
}

/** Reads the sample: the head, and of a large file the parts behind it whose records are whole. */
export async function readCsvTable(
  csv: FormatType,
  table: CsvTable,
  visitor: CellVisitor,
  extra: Record<string, unknown> = {},
): Promise<ReadCounts> {
  const counts = noCounts();
  const { text } = table;
  const options = { ...csvOptionsOf(table, false), ...extra };
  // Only with its header the reader knows where it stands again.
  const repeated = table.header && table.sniffed.keys?.['repeated_header'] === 'skip';
  await readCells(
    await open(csv, text.head, repeated ? { ...csvOptionsOf(table, true), ...extra } : options),
    visitor,
    { skipRows: table.header && !repeated ? (table.headerRows === undefined ? 1 : 2) : 0, whole: text.whole },
    counts,
  );
  for (const [index, part] of text.parts.entries()) {
    const last = index === text.parts.length - 1;
    const inStep = await stepIn(csv, part, { ...options, skip_lines: 0 }, table.width, last);
    if (inStep !== null)
      await readCells(
        await open(csv, inStep, { ...options, skip_lines: 0 }),
        visitor,
        { skipRows: 0, whole: last },
        counts,
      );
  }
  return counts;
}

/**
 * The part from its first whole record to its last; null when its records have not the table's width: perhaps it begins
 * inside of quotes. A part misread would make text of every column.
 */
async function stepIn(
  csv: FormatType,
  part: Buffer,
  options: Record<string, unknown>,
  width: number,
  last: boolean,
): Promise<Buffer | null> {
  let from = part.indexOf(0x0a) + 1;
  const end = last ? part.length : part.lastIndexOf(0x0a) + 1;
  for (let attempt = 0; attempt < 3 && from > 0 && from < end; attempt++) {
    const piece = part.subarray(from, end);
    const reader = await open(csv, piece, options);
    if (reader.layout.fileColumns.length === width) {
      const counts = noCounts();
      await readCells(reader, { cell: () => undefined, absent: () => undefined }, { skipRows: 0, whole: true }, counts);
      if (counts.faults === 0 && counts.short + counts.long <= counts.rows * 0.02 + 1) return piece;
    } else {
      await reader.close();
    }
    const next = part.indexOf(0x0a, from);
    if (next === -1) return null;
    from = next + 1;
  }
  return null;
}
