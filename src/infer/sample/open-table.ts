import type { FormatType } from '../../core/format.js';
import { findFormat } from '../../formats/find-format.js';
import { noCounts, type CellVisitor } from './cells.js';
import { csvOptionsOf, openCsvTable, readCsvTable, shownToken, type CsvTable } from './csv-table.js';
import { openFixedTable } from './fixed-table.js';
import type { InferParts } from './infer-parts.js';
import { openJsonTable } from './json-table.js';
import { refuseBinary, refuseKind, type Sample } from './sample.js';
import type { Scratch } from './scratch.js';
import type { Table } from './table.js';
import { sampledText, type SampledText } from './text.js';
import { openTypedTable } from './typed-table.js';

/** What a sampled file is, as columns: by its magic bytes, then as JSON, then as delimited text. */
export async function openTable(sample: Sample, parts: InferParts, scratch: Scratch): Promise<Table> {
  const format = parts.formats.find((one) => one.type === sample.kind?.name);
  if (format !== undefined) {
    const bare = format.access === 'stream' || sample.compression === 'none';
    return await openTypedTable(sample, format, bare ? sample.path : await scratch.unpack(sample, parts.decoders));
  }
  refuseKind(sample);
  const text = await sampledText(sample);
  refuseBinary(sample, text.head);
  const found = await openJsonTable(findFormat(parts.formats, 'json'), text);
  if (found !== null) return found;
  const fixed = parts.formats.find((one) => one.type === 'fixed') ?? null;
  return await openDelimited(findFormat(parts.formats, 'csv'), fixed, text);
}

async function openDelimited(csv: FormatType, fixed: FormatType | null, text: SampledText): Promise<Table> {
  const table = await openCsvTable(csv, text);
  // Two blanks in a row between cells are the filling of columns.
  const padded = table.sniffed.delimiter === ' ' && text.head.includes('  ');
  const places = fixed === null || (table.sniffed.sure && !padded) ? null : openFixedTable(fixed, text);
  if (places !== null) return places;
  if (table.sniffed.scanned.widths.length === 0 && table.sniffed.scanned.faults === 0) {
    return {
      ...tableOf(csv, table, null),
      options: {},
      columns: [],
      described: ['empty: nothing says which columns there will be'],
      doubts: [],
    };
  }
  if (!table.header) return tableOf(csv, table, null);
  if (table.ruler !== null)
    return tableOf(
      csv,
      table,
      `the line below it is a ruler (${JSON.stringify(table.ruler.text)}): both are skipped, and the columns are taken by position under their names`,
    );
  // Records have a cell more than the header, and not only a delimiter at their end: the names of rows, which R writes
  // without a heading.
  const counts =
    table.sniffed.width > table.width
      ? await readCsvTable(csv, table, { cell: () => undefined, absent: () => undefined })
      : noCounts();
  if (counts.long > counts.rows)
    return tableOf(
      csv,
      { ...table, names: ['row_name', ...table.names], width: table.width + 1 },
      'the header has one name less than the records have cells: they are taken by position, the first as row_name',
    );
  if (table.names.at(-1) !== '' || table.names.length === 1) return tableOf(csv, table, null);
  const filled = new Set<number>();
  await readCsvTable(csv, table, {
    cell: (column, _bytes, start, end) => (end > start ? filled.add(column) : undefined),
    absent: () => undefined,
  });
  if (!filled.has(table.width - 1)) return tableOf(csv, { ...table, names: table.names.slice(0, -1) }, null);
  return tableOf(csv, table, 'the last header cell is empty and its column is not: columns are taken by position');
}

/** The visitor without the cells of an unnamed, empty last column. */
const within = (visitor: CellVisitor, width: number): CellVisitor => ({
  cell: (column, bytes, start, end, quoted, line) =>
    column < width ? visitor.cell(column, bytes, start, end, quoted, line) : undefined,
  absent: (column) => (column < width ? visitor.absent(column) : undefined),
});

/** `byPosition`: why the header cannot be used; its names are kept for the contract. */
function tableOf(csv: FormatType, found: CsvTable, byPosition: string | null): Table {
  const dataLine =
    found.ruler === null
      ? (found.sniffed.scanned.lines.filter((line) => line > found.skipLines + 1)[
          found.headerRows === undefined ? 0 : 1
        ] ?? null)
      : found.ruler.dataLine;
  const table: CsvTable =
    byPosition === null || dataLine === null ? found : { ...found, header: false, skipLines: dataLine - 1 };
  const { encoding } = table.text;
  const written = csvOptionsOf(table, table.header);
  const options = {
    ...(table.header ? (table.headerRows === undefined ? {} : { header: table.headerRows.key }) : { header: false }),
    delimiter: written['delimiter'],
    ...(written['quote'] === '"' ? {} : { quote: written['quote'] }),
    ...(written['escape'] === undefined ? {} : { escape: written['escape'] }),
    ...(written['comment'] === null ? {} : { comment: written['comment'] }),
    ...(table.skipLines === 0 ? {} : { skip_lines: table.skipLines }),
    ...table.sniffed.keys,
    ...(!table.header && table.sniffed.keys?.['repeated_header'] !== undefined ? { repeated_header: 'data' } : {}),
    ...(encoding.label === 'utf-8' ? {} : { encoding: encoding.label }),
  };
  const names = found.names.length > 0 ? found.names : Array.from({ length: table.width }, () => null);
  return {
    sample: table.text.sample,
    format: csv.type,
    options,
    columns: names.map((name) => ({ name, type: null })),
    dataLine,
    described: [
      `delimiter ${shownToken(table.sniffed.delimiter)}`,
      `encoding ${encoding.label}${encoding.mark ? ' with byte order mark' : ''}`,
      found.names.length > 0 ? 'with a header' : 'no header',
    ],
    doubts: [
      ...table.doubts,
      ...(byPosition === null ? [] : [`header: ${byPosition}`]),
      ...(encoding.doubt === null ? [] : [`encoding: ${encoding.doubt}`]),
    ],
    read: async (visitor, nulls) =>
      await readCsvTable(
        csv,
        table,
        within(visitor, names.length),
        nulls.words.length === 0 ? {} : { nulls: ['', ...nulls.words], nulls_quoted: nulls.quoted },
      ),
  };
}
