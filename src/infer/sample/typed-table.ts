import { TallymanError } from '../../core/errors.js';
import type { FormatType, RecordReader } from '../../core/format.js';
import { noCounts, once, readCells } from './cells.js';
import { HEADER_SAMPLE, judgeHeader } from './header.js';
import type { Sample } from './sample.js';
import type { Table } from './table.js';

/** Records that are read of a format whose cells are texts. */
const MOST_ROWS = 100_000;
/** Sheets that are looked at. */
const MOST_SHEETS = 30;
/** Rows of titles above a table that are looked for. */
const MOST_TITLES = 12;

/**
 * A format that its magic bytes tell, and that names its columns: mostly with their types, which need no values to
 * prove them. `file`: path of its unpacked bytes.
 */
export async function openTypedTable(sample: Sample, format: FormatType, file: string): Promise<Table> {
  const open = async (options: Readonly<Record<string, unknown>>): Promise<RecordReader> =>
    await format.open(
      { bytes: once(sample.head), path: format.access === 'file' ? file : null, contract: null },
      format.options.parse(options),
    );
  const { options, doubts } = await layoutOf(format, open, (await format.sheets?.(file)) ?? []);
  const reader = await open(options);
  const columns = reader.layout.fileColumns.map(({ name, type }) => ({
    name: options['header'] === false ? null : name,
    type,
  }));
  const { declaredRows } = reader;
  await reader.close();
  const typed = columns.every(({ type }) => type !== null);
  return {
    sample,
    format: format.type,
    options,
    columns,
    dataLine: null,
    described: [sample.kind?.title ?? format.type],
    doubts,
    read: async (visitor, nulls) => {
      const counts = noCounts();
      if (typed) return { ...counts, rows: declaredRows ?? 0 };
      const plan = { skipRows: 0, whole: sample.whole || format.access === 'file', mostRows: MOST_ROWS };
      await readCells(
        await open(nulls.words.length === 0 ? options : { ...options, nulls: ['', ...nulls.words] }),
        visitor,
        plan,
        counts,
      );
      return counts;
    },
  };
}

type Opener = (options: Readonly<Record<string, unknown>>) => Promise<RecordReader>;

interface FoundLayout {
  /** Rows of two cells and more, below one that names them: no cover sheet. */
  readonly isTable?: boolean;
  readonly options: Readonly<Record<string, unknown>>;
  readonly doubts: readonly string[];
}

/**
 * Where the table of a spreadsheet begins, and whether its first row names the columns. Other formats have no doubt
 * about it.
 */
async function layoutOf(format: FormatType, open: Opener, sheets: readonly string[]): Promise<FoundLayout> {
  if (format.isSheet !== true) return { options: {}, doubts: [] };
  if (sheets.length < 2) return await sheetLayout(open);
  const tables: { readonly name: string; readonly number: number; readonly layout: FoundLayout }[] = [];
  for (const [index, name] of sheets.slice(0, MOST_SHEETS).entries()) {
    const layout = await sheetLayout((options) => open({ ...options, sheet: index + 1 })).catch(noCells);
    if (layout?.isTable === true) tables.push({ name, number: index + 1, layout });
  }
  const [first] = tables;
  if (first === undefined) return await sheetLayout(open);
  const { options, doubts } = first.layout;
  const named = tables.map(({ name }) => JSON.stringify(name)).join(', ');
  return {
    options: first.number === 1 ? options : { sheet: first.name, ...options },
    doubts: [
      ...(tables.length > 1
        ? [`sheet: there are tables in ${named}; this is the first, each wants a feed of its own`]
        : []),
      ...(tables.length === 1 && first.number > 1 ? [`sheet: the only one with a table is ${named}`] : []),
      ...doubts,
    ],
  };
}

/** A sheet that is a chart has no rows to look at. */
function noCells(error: unknown): null {
  if (error instanceof TallymanError && error.code === 'FORMAT_MISMATCH') return null;
  throw error;
}

async function sheetLayout(open: Opener): Promise<FoundLayout> {
  let found = await firstRows(open, 0);
  let skip = 0;
  // A title above the table is narrower than it, so that every row of the table has cells too many.
  while (found.tooLong && skip < MOST_TITLES) found = await firstRows(open, ++skip);
  const verdict = judgeHeader(found.rows);
  return {
    isTable: found.rows.length > 1 && found.rows.some((row) => row.filter((cell) => cell !== '').length > 1),
    options: {
      ...(verdict.header ? {} : { header: false }),
      ...(skip === 0 || found.tooLong ? {} : { skip_rows: skip }),
    },
    doubts: [
      ...(skip === 0 || found.tooLong ? [] : [`skip_rows: ${skip} rows of titles before the table`]),
      ...(verdict.doubt === null ? [] : [`header: ${verdict.doubt}`]),
    ],
  };
}

async function firstRows(
  open: Opener,
  skip: number,
): Promise<{ readonly rows: readonly (readonly string[])[]; readonly tooLong: boolean }> {
  const reader = await open({ header: false, skip_rows: skip });
  const width = reader.layout.fileColumns.length;
  const rows: string[][] = [];
  let row: string[] = [];
  const put = (column: number, text: string): void => {
    if (column === 0) row = [];
    row.push(text);
    if (column === width - 1) rows.push(row);
  };
  const counts = noCounts();
  await readCells(
    reader,
    {
      cell: (column, bytes, start, end) => put(column, bytes.toString('utf8', start, end)),
      absent: (column) => put(column, ''),
    },
    { skipRows: 0, whole: true, mostRows: HEADER_SAMPLE },
    counts,
  );
  return { rows, tooLong: counts.long > counts.rows };
}
