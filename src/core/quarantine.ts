import type { CellError } from './batch.js';

/** How refused rows can be written for the supplier. */
export const EXPORT_FORMATS = ['csv', 'jsonl', 'html'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

export interface QuarantineGroup {
  readonly feed: string;
  readonly path: string;
  readonly loadId: number;
  readonly column: string | null;
  readonly class: string;
  readonly message: string;
  readonly rows: number;
  readonly firstRow: number;
  readonly firstLine: number;
  readonly example: string | null;
}

export interface QuarantineRow {
  readonly quarantineId: number;
  readonly row: number;
  readonly line: number | null;
  readonly byteOffset: number | null;
  /** Of an archive: the member that the row came from; line and byteOffset are those within it. */
  readonly member: string | null;
  readonly errors: readonly CellError[];
  readonly raw: Buffer;
  readonly rawLength: number;
}

/** Loads committed in this time: since <= committed_at < until. ISO 8601; what is omitted is no limit. */
export interface QuarantineWindow {
  readonly since?: string;
  readonly until?: string;
}
