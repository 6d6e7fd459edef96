import type { FormatType, RecordReader } from '../../core/format.js';
import { noCounts, once, readCells } from './cells.js';
import { HEADER_SAMPLE, judgeHeader } from './header.js';
import type { Sample } from './sample.js';
import type { Table } from './table.js';

/** Records that are read of a format whose cells are texts. */
const MOST_ROWS = 100_000;
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
  const { options, doubts } = await layoutOf(format, open);
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

interface FoundLayout {
  readonly options: Readonly<Record<string, unknown>>;
  readonly doubts: readonly string[];
}

/**
 * Where the table of a spreadsheet begins, and whether its first row names the columns. Other formats have no doubt
 * about it.
 */
async function layoutOf(
  format: FormatType,
  open: (options: Readonly<Record<string, unknown>>) => Promise<RecordReader>,
): Promise<FoundLayout> {
  if (format.isSheet !== true) return { options: {}, doubts: [] };
  let found = await firstRows(open, 0);
  let skip = 0;
  // A title above the table is narrower than it, so that every row of the table has cells too many.
  while (found.tooLong && skip < MOST_TITLES) found = await firstRows(open, ++skip);
  const verdict = judgeHeader(found.rows);
  return {
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
  open: (options: Readonly<Record<string, unknown>>) => Promise<RecordReader>,
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
