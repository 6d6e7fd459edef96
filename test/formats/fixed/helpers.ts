import type { ColumnSpec } from '../../../src/core/feed/columns.js';
import type { FormatInput } from '../../../src/core/format.js';
import { fixed } from '../../../src/formats/fixed/index.js';
import { openFixed } from '../../../src/formats/fixed/open.js';
import type { FixedReader } from '../../../src/formats/fixed/reader.js';
import { plainColumn } from '../../../src/columns/plain-column.js';
import { inChunks, readAll, type ReadRow } from '../../contract/format-suite.js';

export interface Setting {
  readonly chunks?: readonly number[];
  readonly window?: number;
  readonly batchRows?: number;
  readonly onUnknownColumn?: FormatInput['onUnknownColumn'];
}

/** `name:start-width`, comma between. */
export const contractOf = (text: string): ColumnSpec[] =>
  text.split(',').map((one) => {
    const [, name = '', start, width] = /^(\w+):(\d+)-(\d+)$/.exec(one) ?? [];
    return { ...plainColumn(name, name, 'text'), start: Number(start), width: Number(width) };
  });

export async function openText(
  text: string | Buffer,
  columns: string | null,
  options: Record<string, unknown> = {},
  setting: Setting = {},
): Promise<FixedReader> {
  const { batchRows, onUnknownColumn } = setting;
  const input: FormatInput = {
    bytes: inChunks(Buffer.from(text), setting.chunks),
    path: null,
    contract: columns === null ? null : contractOf(columns),
    ...(batchRows === undefined ? {} : { batchRows }),
    ...(onUnknownColumn === undefined ? {} : { onUnknownColumn }),
  };
  return await openFixed(input, fixed.options.parse(options), setting.window);
}

export async function read(
  text: string | Buffer,
  columns: string,
  options: Record<string, unknown> = {},
  setting: Setting = {},
): Promise<ReadRow[]> {
  return await readAll(await openText(text, columns, options, setting));
}

/** Cells of each record in the order of the columns' ends. */
export const cells = async (
  text: string | Buffer,
  columns: string,
  options: Record<string, unknown> = {},
  setting: Setting = {},
): Promise<unknown[]> => (await read(text, columns, options, setting)).map((row) => row.fault ?? row.cells);
