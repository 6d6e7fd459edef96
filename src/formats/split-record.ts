import { csvSplitter } from './csv/split-record.js';
import { fixedSplitter } from './fixed/split-record.js';
import type { SplitRecord } from './split-cells.js';
import { jsonSplitter } from './split-json.js';

/**
 * Takes single records apart as the file's own reader did, by what its receipt says (FileDialect) and what that calls
 * its `columns`. Returns at most `most` cells a record. null when the receipt does not say enough.
 */
export function splitterOf(
  told: Readonly<Record<string, unknown>>,
  columns: readonly string[],
  most: number,
): ((raw: Buffer) => SplitRecord | null) | null {
  if (columns.length === 0) return null;
  return csvSplitter(told, most) ?? fixedSplitter(told, columns) ?? jsonSplitter(told, columns, most);
}
