import type { Codec, PgType } from '../core/codec.js';
import type { CodecOptions, ColumnType } from './column-type.js';
import { integer } from './integer.js';
import { numeric } from './numeric.js';

export { textCodec } from './passthrough.js';

/** Every family of types that has a binary codec, one line each. */
export const COLUMN_TYPES: readonly ColumnType[] = [integer, numeric];

const byTypname = new Map(COLUMN_TYPES.flatMap((family) => family.typnames.map((typname) => [typname, family] as const)));

/**
 * The codec for a column of the real table; null = its type has no binary form here, so the whole table goes through text COPY and this
 * column through `textCodec`.
 */
export function codecFor(type: PgType, options: CodecOptions): Codec | null {
  return byTypname.get(type.typname)?.build(type, options) ?? null;
}
