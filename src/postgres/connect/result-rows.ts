import { TallymanError } from '../../core/errors.js';

/**
 * A result row as the driver returns it. The readers below turn a field into what it has to be, or say which field is
 * not.
 */
export type Row = Readonly<Record<string, unknown>>;

export function text(row: Row, field: string): string {
  const value = row[field];
  if (typeof value === 'string') return value;
  throw unexpected(field, value);
}

export function textOrNull(row: Row, field: string): string | null {
  return row[field] === null ? null : text(row, field);
}

/** Integers up to 2^53: int2, int4, and int8 (the driver returns text past 2^53, which is refused here). */
export function integer(row: Row, field: string): number {
  const value = row[field];
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  throw unexpected(field, value);
}

export function integerOrNull(row: Row, field: string): number | null {
  return row[field] === null ? null : integer(row, field);
}

export function flag(row: Row, field: string): boolean {
  const value = row[field];
  if (typeof value === 'boolean') return value;
  throw unexpected(field, value);
}

export function bytes(row: Row, field: string): Buffer {
  const value = row[field];
  if (Buffer.isBuffer(value)) return value;
  throw unexpected(field, value);
}

/** A json or array field. */
export function list(row: Row, field: string): readonly unknown[] {
  const value = row[field];
  if (Array.isArray(value)) return value;
  throw unexpected(field, value);
}

/** A json or array field whose items are objects. */
export function rowList(row: Row, field: string): readonly Row[] {
  return list(row, field).map((item) => {
    if (isRow(item)) return item;
    throw unexpected(field, item);
  });
}

export function isRow(value: unknown): value is Row {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** One of the words given. */
export function word<W extends string>(row: Row, field: string, words: readonly W[]): W {
  const value = row[field];
  const found = words.find((w) => w === value);
  if (found !== undefined) return found;
  throw unexpected(field, value);
}

function unexpected(field: string, value: unknown): TallymanError {
  return new TallymanError(
    'INTERNAL',
    `PostgreSQL gave a ${value === null ? 'NULL' : typeof value} where "${field}" was expected.`,
  );
}
