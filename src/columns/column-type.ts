import type { Codec, PgType } from '../core/codec.js';
import type { ColumnSpec } from '../core/feed/columns.js';

/**
 * The keys of a column (docs/spec/columns.md#keys-of-a-column) that change how a cell is read. The rest are rules,
 * checked after encoding.
 */
export type CodecOptions = Pick<
  ColumnSpec,
  | 'formats'
  | 'timezone'
  | 'locale'
  | 'decimal'
  | 'thousands'
  | 'negative'
  | 'currency'
  | 'percent'
  | 'round'
  | 'trueValues'
  | 'falseValues'
>;

/** What a column without any of these keys has. */
export const PLAIN_OPTIONS: CodecOptions = {
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
};

/** One family of PostgreSQL types with a binary codec. A new family is one file and one line in types/index.ts. */
export interface ColumnType {
  /** pg_type.typname of the types it takes. */
  readonly typnames: readonly string[];
  /** Called once a column and load; precision, scale and length come from `type.typmod`. Throws nothing. */
  build(type: PgType, options: CodecOptions): Codec;
}
