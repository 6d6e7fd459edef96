import { open, type FileHandle } from 'node:fs/promises';
import type { RandomAccess } from '../../core/decoder.js';
import { TallymanError } from '../../core/errors.js';
import type { ColumnSpec } from '../../core/feed/columns.js';
import type { FileColumn, FormatInput, Layout } from '../../core/format.js';
import { checkNames } from '../csv/header.js';
import { fromUnsaid, identityLayout, matchColumns } from '../match.js';
import { toldColumns } from '../told-columns.js';
import type { ExcelOptions } from './options.js';
import { withFooters } from './footers.js';
import { ExcelReader } from './reader.js';
import { footersOf } from '../text-options.js';
import { MergedCells } from './merged.js';
import { MOST_COLUMNS, sheetRows, type SheetRow } from './sheet-rows.js';
import { openWorkbook, sheetNames } from './workbook.js';

/** As config has it by default (schema-feed.ts). */
const MAX_EXPANSION = { ratio: 200, bytes: 100e9 };

export async function openExcel(input: FormatInput, options: ExcelOptions): Promise<ExcelReader> {
  if (input.path === null) throw new TallymanError('INTERNAL', 'a workbook is read by its path');
  const handle = await open(input.path, 'r');
  try {
    const workbook = await openWorkbook(await randomAccess(handle), options.sheet, input.maxExpansion ?? MAX_EXPANSION);
    const rows = sheetRows(workbook);
    let first = await following(rows);
    while (first !== null && first.number <= options.skip_rows) first = await following(rows);
    if (options.header && first === null)
      throw new TallymanError(
        'HEADER_MISSING',
        `The sheet ${JSON.stringify(workbook.sheetName)} has no row with values${options.skip_rows > 0 ? ` behind row ${options.skip_rows}` : ''}.`,
        { fix: 'Check format.sheet and format.skip_rows.' },
      );
    const merged = options.fill_merged
      ? await MergedCells.of(workbook, options.header ? (first?.number ?? 0) + 1 : options.skip_rows + 1)
      : null;
    if (merged !== null && !options.header && first !== null) first = merged.fill(first);
    const { layout, left } = columnsOf(first, options.header, input.contract);
    const told = {
      format: 'excel',
      sheet: workbook.sheetName,
      header: options.header,
      date1904: workbook.date1904,
      ...toldColumns(layout, input.contract),
    };
    const sheet = merged?.all(rows) ?? rows;
    const footers = footersOf(options.footer);
    return new ExcelReader(
      footers.length === 0 ? sheet : withFooters(sheet, footers),
      options.header ? null : first,
      {
        layout,
        left,
        nulls: new Set(options.nulls),
        used: usedOf(layout, input.onUnknownColumn),
        computeOnLoad: workbook.computeOnLoad,
        told,
      },
      input.batchRows,
      () => handle.close(),
    );
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** The sheets of a workbook, in their order. */
export async function sheetsOf(path: string): Promise<readonly string[]> {
  const handle = await open(path, 'r');
  try {
    return await sheetNames(await randomAccess(handle), MAX_EXPANSION);
  } finally {
    await handle.close();
  }
}

async function randomAccess(handle: FileHandle): Promise<RandomAccess> {
  const { size } = await handle.stat();
  return { size, read: async (into, position) => (await handle.read(into, 0, into.length, position)).bytesRead };
}

async function following(rows: AsyncIterator<SheetRow>): Promise<SheetRow | null> {
  const next = await rows.next();
  return next.done === true ? null : next.value;
}

/** With a header the table begins in the column of its first name, without one in A. */
function columnsOf(
  first: SheetRow | null,
  header: boolean,
  contract: readonly ColumnSpec[] | null,
): { readonly layout: Layout; readonly left: number } {
  const cells = first?.cells ?? [];
  const left = header ? (cells[0]?.column ?? 0) : 0;
  const width = (cells.at(-1)?.column ?? -1) + 1 - left;
  if (!header) {
    const columns = Array.from(
      { length: Math.max(1, width, contract === null ? 0 : widthOf(contract)) },
      (_, index): FileColumn => ({ name: `column_${index + 1}`, type: null }),
    );
    return { layout: contract === null ? identityLayout(columns) : matchColumns(contract, columns, true), left };
  }
  const names = new Map(cells.map(({ column, text }) => [column - left, text]));
  const columns = Array.from({ length: width }, (_, index): FileColumn => ({
    name: names.get(index) ?? '',
    type: null,
  }));
  if (contract !== null) checkNames(columns, contract);
  return { layout: contract === null ? identityLayout(columns) : matchColumns(contract, columns), left };
}

/** By column of the file: does its value go anywhere? */
function usedOf({ fileColumns, cellOf, unknown }: Layout, onUnknown: FormatInput['onUnknownColumn']): boolean[] {
  const strangers = onUnknown === undefined || onUnknown === 'ignore' ? [] : unknown;
  const used = new Set([...cellOf, ...strangers]);
  return fileColumns.map((_, column) => used.has(column));
}

/** Columns that the contract asks for by position. */
const widthOf = (contract: readonly ColumnSpec[]): number =>
  Math.min(
    MOST_COLUMNS,
    Math.max(
      1,
      ...contract.map(
        (column, index) => column.from.find((from) => typeof from === 'number') ?? (fromUnsaid(column) ? index + 1 : 1),
      ),
    ),
  );
