import type { Codec, PgType } from '../../core/codec.js';
import type { CodecOptions, ColumnType } from '../column-type.js';
import { boolean } from './boolean.js';
import { bytea } from './bytea.js';
import { date } from './date.js';
import { enumCodec } from './enum.js';
import { float } from './float.js';
import { integer } from './integer.js';
import { json } from './json.js';
import { numeric } from './numeric.js';
import { text } from './text.js';
import { time } from './time.js';
import { timestamp } from './timestamp.js';
import { uuid } from './uuid.js';

export { textCodec } from './passthrough.js';

/** Every family of types that has a binary codec, one line each. */
export const COLUMN_TYPES: readonly ColumnType[] = [
  text,
  integer,
  numeric,
  float,
  boolean,
  uuid,
  json,
  bytea,
  date,
  time,
  timestamp,
];

const byTypname = new Map(
  COLUMN_TYPES.flatMap((family) => family.typnames.map((typname) => [typname, family] as const)),
);

/**
 * The codec for a column of the real table; null = its type has no binary form here, so the whole table goes through
 * text COPY and this column through `textCodec`.
 */
export function codecFor(type: PgType, options: CodecOptions): Codec | null {
  if (type.enumLabels !== null) return enumCodec(type, type.enumLabels);
  return byTypname.get(type.typname)?.build(type, options) ?? null;
}
