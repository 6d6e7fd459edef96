/**
 * Where encoded rows are gathered. A plain object with public fields, because the hot path writes into `buf` itself:
 * methods a byte would cost. The row loop makes room for a whole row first, so that codecs never check.
 */
export interface CopyBuffer {
  buf: Buffer;
  /** Next byte to write. */
  pos: number;
}

/**
 * One PostgreSQL type: text in, binary COPY (or text COPY) out. Checking is a by-product of encoding. Takes precision,
 * scale and length from the real column: binary COPY would round silently.
 *
 * A codec throws nothing and keeps nothing between calls. It gets a cell without its quotes and escapes and never one
 * that is NULL.
 */
export interface Codec {
  /** In the config's words, for messages: "not a numeric(12,2)". */
  readonly typeName: string;
  /** Most bytes that encode or encodeText write for a cell of `length` bytes, the 4-byte length word included. */
  maxSize(length: number): number;
  /**
   * Writes the length word and the value at `out.pos` and moves it. Returns 0, or a refusal (> 0) after which `out.pos`
   * is as before. NULL_WRITTEN (-1): the cell is NULL for this type (blank cell in a type other than text) and nothing
   * was written. A function that needs no `this`: the row loop calls it without the codec.
   */
  readonly encode: (bytes: Buffer, start: number, end: number, out: CopyBuffer) => number;
  /** The same for text COPY: the value escaped for COPY's text format, no tab or newline behind it. */
  readonly encodeText: (bytes: Buffer, start: number, end: number, out: CopyBuffer) => number;
  /** What a refusal means, for people, without the value: "not a numeric(12,2)", "more than 2 decimals". */
  explain(code: number): string;
  /**
   * Compares two encoded values (behind their length words): < 0, 0, > 0. For min and max. null where the type has no
   * order.
   */
  readonly compare:
    ((a: Buffer, aStart: number, aEnd: number, b: Buffer, bStart: number, bEnd: number) => number) | null;
  /**
   * Bytes such that equal values give equal bytes (numeric 1.0 = 1.00); for unique. Written to `out` from `at` (at most
   * `end - start + 32` bytes), returns their end. null = the encoded bytes themselves serve.
   */
  readonly identity: ((encoded: Buffer, start: number, end: number, out: Buffer, at: number) => number) | null;
}

/** See Codec.encode. */
export const NULL_WRITTEN = -1;

/** A type of the target column as the catalog shows it; domains resolved to their base. */
export interface PgType {
  readonly oid: number;
  /** pg_type.typname of the base type, for example `numeric`, `int4`, `_text`. */
  readonly typname: string;
  /** atttypmod, or the domain's; -1 = none. */
  readonly typmod: number;
  /** `format_type()`, for messages. */
  readonly formatted: string;
  /** Labels of an enum type in order; null otherwise. */
  readonly enumLabels: readonly string[] | null;
  /** Its collation takes different texts for equal (a nondeterministic one); absent = no. */
  readonly looseCollation?: boolean;
}
