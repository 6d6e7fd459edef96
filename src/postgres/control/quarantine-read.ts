import { ERROR_CLASSES, type CellError } from '../../core/batch.js';
import type { QuarantineGroup, QuarantineRow, QuarantineWindow } from '../../core/quarantine.js';
import type { Connection } from '../connect/connect.js';
import { controlNames } from './control-schema.js';
import { bytes, integer, integerOrNull, rowList, text, textOrNull, word, type Row } from '../connect/result-rows.js';

/** A page ends at so many rows, or at so many raw bytes: one record may hold 16 MiB. */
const PAGE_ROWS = 1000;
const PAGE_BYTES = 8 * 1024 * 1024;
/** More groups than anybody reads; a file with so many different messages has one fault. */
const MAX_GROUPS = 10_000;

/** Open quarantine grouped by feed, file, column and reason; the largest group of a file first, newest file first. */
export async function quarantineGroups(
  connection: Connection,
  schema: string,
  feed: string | null,
  { since, until }: QuarantineWindow,
): Promise<readonly QuarantineGroup[]> {
  const { loads, quarantineSummary } = controlNames(schema);
  const within = `($2::timestamptz IS NULL OR committed_at >= $2) AND ($3::timestamptz IS NULL OR committed_at < $3)`;
  const ofTime =
    since === undefined && until === undefined
      ? '$2::timestamptz IS NULL AND $3::timestamptz IS NULL'
      : `load_id IN (SELECT load_id FROM ${loads} WHERE ${within})`;
  const { rows } = await connection.query(
    `SELECT feed, path, load_id, "column", class, message, rows, first_row, COALESCE(first_line, first_row) AS first_line, example
     FROM ${quarantineSummary} WHERE ($1::text IS NULL OR feed = $1) AND ${ofTime}
     ORDER BY feed, load_id DESC, rows DESC, first_row LIMIT ${MAX_GROUPS}`,
    [feed, since ?? null, until ?? null],
  );
  return rows.map((row) => ({
    feed: text(row, 'feed'),
    path: text(row, 'path'),
    loadId: integer(row, 'load_id'),
    column: textOrNull(row, 'column'),
    class: text(row, 'class'),
    message: text(row, 'message'),
    rows: integer(row, 'rows'),
    firstRow: integer(row, 'first_row'),
    firstLine: integer(row, 'first_line'),
    example: textOrNull(row, 'example'),
  }));
}

export async function openQuarantine(connection: Connection, schema: string, feed: string): Promise<number> {
  const { loads, quarantine } = controlNames(schema);
  const { rows } = await connection.query(
    `SELECT count(*) AS open FROM ${loads} l JOIN ${quarantine} q ON q.load_id = l.load_id AND q.status = 'open' WHERE l.feed = $1`,
    [feed],
  );
  return integer(rows[0]!, 'open');
}

/** Where a page ended; the next begins behind it. */
export interface PagePosition {
  readonly row: number;
  readonly quarantineId: number;
}

export const FIRST_PAGE: PagePosition = { row: -1, quarantineId: -1 };

/**
 * The next rows of a load, ascending by row, whatever their status; empty = the end. At least one row, at most about 8
 * MiB of raw bytes.
 */
export async function quarantinePage(
  connection: Connection,
  schema: string,
  loadId: number,
  after: PagePosition,
): Promise<readonly QuarantineRow[]> {
  const columns = 'quarantine_id, row_number, line_number, byte_offset, errors, raw, raw_length';
  const { rows } = await connection.query(
    // octet_length knows the size of a stored-away value without reading it, so rows past the limit cost nothing.
    `SELECT ${columns} FROM (
       SELECT q.*, sum(octet_length(q.raw)) OVER (ORDER BY q.row_number, q.quarantine_id) - octet_length(q.raw) AS before
       FROM (SELECT * FROM ${controlNames(schema).quarantine} WHERE load_id = $1 AND (row_number, quarantine_id) > ($2::bigint, $3::bigint)
             ORDER BY row_number, quarantine_id LIMIT ${PAGE_ROWS}) q
     ) page WHERE before < ${PAGE_BYTES} ORDER BY row_number, quarantine_id`,
    [loadId, after.row, after.quarantineId],
  );
  return rows.map(toQuarantineRow);
}

function toQuarantineRow(row: Row): QuarantineRow {
  const errors = rowList(row, 'errors');
  const member = errors[0]?.['member'];
  return {
    quarantineId: integer(row, 'quarantine_id'),
    row: integer(row, 'row_number'),
    line: integerOrNull(row, 'line_number'),
    byteOffset: integerOrNull(row, 'byte_offset'),
    member: typeof member === 'string' ? member : null,
    errors: errors.map(toCellError),
    raw: bytes(row, 'raw'),
    rawLength: integer(row, 'raw_length'),
  };
}

function toCellError(row: Row): CellError {
  return {
    column: textOrNull(row, 'column'),
    class: word(row, 'class', ERROR_CLASSES),
    rule: textOrNull(row, 'rule'),
    message: text(row, 'message'),
    value: textOrNull(row, 'value'),
  };
}
