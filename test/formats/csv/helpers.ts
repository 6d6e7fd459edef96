import type { ColumnSpec } from '../../../src/core/feed/columns.js';
import type { CsvReader } from '../../../src/formats/csv/reader.js';
import { csv } from '../../../src/formats/csv/index.js';
import { openCsv } from '../../../src/formats/csv/open.js';
import { inChunks, readAll, type ReadRow } from '../../contract/format-suite.js';

export interface Setting {
  readonly contract?: readonly ColumnSpec[];
  readonly chunks?: readonly number[];
  readonly window?: number;
  readonly batchRows?: number;
}

export const bytesOf = (text: string | Buffer): Buffer => (typeof text === 'string' ? Buffer.from(text) : text);

export async function openText(
  text: string | Buffer,
  options: Record<string, unknown> = {},
  setting: Setting = {},
): Promise<CsvReader> {
  const bytes = inChunks(bytesOf(text), setting.chunks);
  const { batchRows } = setting;
  const input = {
    bytes,
    path: null,
    contract: setting.contract ?? null,
    ...(batchRows === undefined ? {} : { batchRows }),
  };
  return await openCsv(input, csv.options.parse(options), setting.window);
}

/** All records of a text. */
export async function read(
  text: string | Buffer,
  options: Record<string, unknown> = {},
  setting: Setting = {},
): Promise<ReadRow[]> {
  return await readAll(await openText(text, options, setting));
}

/** The cells alone; a fault is its class. */
export async function cells(
  text: string | Buffer,
  options: Record<string, unknown> = {},
  setting: Setting = {},
): Promise<unknown[]> {
  return (await read(text, options, setting)).map((row) => row.fault ?? row.cells);
}

export function column(name: string, from: readonly (string | number)[] = [name]): ColumnSpec {
  return {
    name,
    from,
    type: 'text',
    required: false,
    unique: false,
    default: null,
    trim: false,
    formats: [],
    timezone: null,
    locale: null,
    decimal: '.',
    thousands: null,
    negative: null,
    currency: [],
    percent: null,
    round: false,
    trueValues: null,
    falseValues: null,
    min: null,
    max: null,
    minLength: null,
    maxLength: null,
    pattern: null,
    enum: null,
    start: null,
    width: null,
  };
}
