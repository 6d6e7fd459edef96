import type { CellError } from '../core/batch.js';
import type { QuarantineRow } from '../core/quarantine.js';
import { exactText, readable } from './readable.js';

/** A refused row as `quarantine show --json` and the jsonl export give it (docs/spec/commands.md#other-documents). */
export interface QuarantineItem {
  readonly quarantine_id: number;
  /** Among the file's data records, from 1. */
  readonly row: number;
  /** Physical line, from 1. */
  readonly line: number | null;
  /** In the decompressed stream. */
  readonly byte_offset: number | null;
  /**
   * Of a zip archive: the member that the row came from; line and byte_offset are those within it. Only there for
   * archives.
   */
  readonly member?: string;
  readonly errors: readonly CellError[];
  /**
   * The record without its line end. Exact when it is valid UTF-8; otherwise NUL and undecodable bytes stand as `\xHH`
   * and raw_base64 is exact.
   */
  readonly raw: string;
  /** The record's bytes. Only there when they are not valid UTF-8. */
  readonly raw_base64?: string;
  /** Bytes of the whole record. Only there when `raw` is its beginning. */
  readonly raw_length?: number;
}

export function quarantineItem(row: QuarantineRow): QuarantineItem {
  const exact = exactText(row.raw);
  return {
    quarantine_id: row.quarantineId,
    row: row.row,
    line: row.line,
    byte_offset: row.byteOffset,
    ...(row.member === null ? {} : { member: row.member }),
    errors: row.errors,
    raw: exact ?? readable(row.raw),
    ...(exact === null ? { raw_base64: row.raw.toString('base64') } : {}),
    ...(row.rawLength > row.raw.length ? { raw_length: row.rawLength } : {}),
  };
}
