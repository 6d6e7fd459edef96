import type { FormatInput } from '../../../src/core/format.js';
import { json } from '../../../src/formats/json/index.js';
import { openJson } from '../../../src/formats/json/open.js';
import type { JsonReader } from '../../../src/formats/json/reader.js';
import type { ColumnSpec } from '../../../src/core/feed/columns.js';
import { plainColumn } from '../../../src/columns/plain-column.js';
import { inChunks, readAll, rowsOf, type ReadRow } from '../../contract/format-suite.js';

export interface Setting {
  /** Contract as `name` or `name=from` or `name:type=from`; aliases are divided by `|`. null = none. */
  readonly columns?: readonly (string | ColumnSpec)[];
  readonly chunks?: readonly number[];
  readonly window?: number;
  readonly batchRows?: number;
  readonly onUnknownColumn?: FormatInput['onUnknownColumn'];
}

export const bytesOf = (text: string | Buffer): Buffer => (typeof text === 'string' ? Buffer.from(text) : text);

export function column(text: string): ColumnSpec {
  const [, name = '', type = 'text', from = name] = /^([^:=]+)(?::([^=]+))?(?:=(.*))?$/s.exec(text) ?? [];
  return { ...plainColumn(name, name, type), from: from.split('|') };
}

/** A text column with exactly this name and origin. */
export const columnFrom = (name: string, from: string | number): ColumnSpec => ({
  ...plainColumn(name, name, 'text'),
  from: [from],
});

export async function openText(
  text: string | Buffer,
  options: Record<string, unknown> = {},
  setting: Setting = {},
): Promise<JsonReader> {
  const { batchRows, onUnknownColumn, columns } = setting;
  const input: FormatInput = {
    bytes: inChunks(bytesOf(text), setting.chunks),
    path: null,
    contract: columns === undefined ? null : columns.map((one) => (typeof one === 'string' ? column(one) : one)),
    ...(batchRows === undefined ? {} : { batchRows }),
    ...(onUnknownColumn === undefined ? {} : { onUnknownColumn }),
  };
  return await openJson(input, json.options.parse(options), setting.window);
}

/** All records of a text. */
export async function read(
  text: string | Buffer,
  options: Record<string, unknown> = {},
  setting: Setting = {},
): Promise<ReadRow[]> {
  return await readAll(await openText(text, options, setting));
}

/** Per record its cells by column (missing ones are left out), or the class of its fault. */
export async function records(
  text: string | Buffer,
  options: Record<string, unknown> = {},
  setting: Setting = {},
): Promise<unknown[]> {
  const reader = await openText(text, options, setting);
  const all: unknown[] = [];
  for (let batch = await reader.next(); batch !== null; batch = await reader.next()) {
    for (const [r, row] of rowsOf(batch).entries()) {
      if (row.fault !== undefined) {
        all.push(row.fault);
        continue;
      }
      const there = reader.layout.fileColumns.flatMap(({ name }, c) =>
        (batch.flags[r * batch.width + c]! & 4) === 0 ? [name] : [],
      );
      all.push(Object.fromEntries(there.map((name, i) => [name, row.cells?.[i]])));
    }
  }
  return all;
}

/** The raw text of each record without a contract, or the class of its fault. */
export async function texts(
  text: string | Buffer,
  options: Record<string, unknown> = {},
  setting: Setting = {},
): Promise<unknown[]> {
  return (await read(text, options, setting)).map((row) => row.fault ?? row.cells?.[0]);
}
