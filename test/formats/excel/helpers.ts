import { randomUUID } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ColumnSpec } from '../../../src/core/feed/columns.js';
import type { RecordReader } from '../../../src/core/format.js';
import { excel } from '../../../src/formats/excel/index.js';
import { readAll, type ReadRow } from '../../contract/format-suite.js';
import { zipOf } from '../../decode/support.js';

export interface Parts {
  /** Inside <sheetData>. */
  readonly rows?: string;
  readonly sheet?: string;
  readonly strings?: string;
  readonly styles?: string;
  readonly workbook?: string;
  readonly sheets?: string;
  readonly leaveOut?: readonly string[];
}

const MAIN = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main';
const RELATIONS = 'http://schemas.openxmlformats.org/package/2006/relationships';
const TYPES = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';

/** A workbook, part by part, so that each can be made wrong. */
export function workbookOf({
  rows = '',
  sheet,
  strings = '',
  styles = '',
  workbook = '',
  sheets,
  leaveOut = [],
}: Parts): Buffer {
  const parts: Record<string, string> = {
    '[Content_Types].xml': '<Types/>',
    '_rels/.rels': `<Relationships xmlns="${RELATIONS}"><Relationship Id="rId1" Type="${TYPES}/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
    'xl/workbook.xml': `<?xml version="1.0"?><workbook xmlns="${MAIN}" xmlns:r="${TYPES}">${workbook}<sheets>${sheets ?? '<sheet name="Data" sheetId="1" r:id="rId1"/><sheet name="Other &amp; more" sheetId="2" r:id="rId2"/>'}</sheets></workbook>`,
    'xl/_rels/workbook.xml.rels': `<Relationships xmlns="${RELATIONS}"><Relationship Id="rId1" Type="${TYPES}/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="${TYPES}/worksheet" Target="/xl/worksheets/sheet2.xml"/><Relationship Id="rId3" Type="${TYPES}/sharedStrings" Target="sharedStrings.xml"/><Relationship Id="rId4" Type="${TYPES}/styles" Target="styles.xml"/></Relationships>`,
    'xl/worksheets/sheet1.xml':
      sheet ??
      `<?xml version="1.0"?><worksheet xmlns="${MAIN}"><dimension ref="A1"/><sheetData>${rows}</sheetData></worksheet>`,
    'xl/worksheets/sheet2.xml': `<worksheet xmlns="${MAIN}"><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>second</t></is></c></row><row r="2"><c r="A2"><v>2</v></c></row></sheetData></worksheet>`,
    'xl/sharedStrings.xml': `<sst xmlns="${MAIN}">${strings}</sst>`,
    'xl/styles.xml': `<styleSheet xmlns="${MAIN}">${styles}</styleSheet>`,
  };
  return zipOf(
    Object.entries(parts)
      .filter(([name]) => !leaveOut.includes(name))
      .map(([name, content]) => ({ name, content })),
  );
}

/** A file with these bytes, for as long as `work` runs. */
export async function withFile<T>(bytes: Buffer, work: (file: string) => Promise<T>): Promise<T> {
  const file = path.join(tmpdir(), `tallyman-excel-${randomUUID()}`);
  writeFileSync(file, bytes);
  try {
    return await work(file);
  } finally {
    rmSync(file);
  }
}

export interface Setting {
  readonly contract?: readonly ColumnSpec[];
  readonly batchRows?: number;
}

export async function openExcel(
  file: string,
  options: Record<string, unknown> = {},
  { contract, batchRows }: Setting = {},
): Promise<RecordReader> {
  async function* none(): AsyncGenerator<Buffer> {
    // Read by its path.
  }
  return await excel.open(
    { bytes: none(), path: file, contract: contract ?? null, ...(batchRows === undefined ? {} : { batchRows }) },
    excel.options.parse(options),
  );
}

export const readExcel = async (
  bytes: Buffer,
  options: Record<string, unknown> = {},
  setting: Setting = {},
): Promise<{ readonly rows: ReadRow[]; readonly names: string[]; readonly reader: RecordReader }> =>
  await withFile(bytes, async (file) => {
    const reader = await openExcel(file, options, setting);
    try {
      const rows = await readAll(reader);
      return { rows, names: reader.layout.fileColumns.map(({ name }) => name), reader };
    } finally {
      await reader.close();
    }
  });

export const cellsOf = async (...all: Parameters<typeof readExcel>): Promise<unknown[]> =>
  (await readExcel(...all)).rows.map((row) => row.fault ?? row.cells);

export async function problemOf(bytes: Buffer, options: Record<string, unknown> = {}): Promise<string> {
  try {
    await readExcel(bytes, options);
  } catch (error) {
    if (error instanceof Error && 'code' in error) return `${String(error.code)}: ${error.message}`;
    throw error;
  }
  return 'no error';
}
