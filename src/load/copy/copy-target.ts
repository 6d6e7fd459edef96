import { COPY_HEADER, COPY_TRAILER } from '../../columns/rows/row-encoder.js';
import type { CopyMode } from '../../columns/column.js';
import type { CopyBuffer } from '../../core/codec.js';
import { qualified, quoteIdentifier } from '../../postgres/connect/identifiers.js';

/** A COPY FROM STDIN: its statement, and the bytes that open and close its data. */
export interface CopyTarget {
  readonly sql: string;
  /** Names of its columns, in the order of the tuple. */
  readonly columns: readonly string[];
  readonly header: Buffer;
  readonly trailer: Buffer;
}

const NOTHING = Buffer.alloc(0);

/**
 * `columns` in the order of the tuple. UTF-8 whatever the session says: it also rules the texts inside binary tuples.
 */
export function copyTarget(schema: string, table: string, columns: readonly string[], mode: CopyMode): CopyTarget {
  const list = columns.map(quoteIdentifier).join(', ');
  return {
    sql: `COPY ${qualified(schema, table)} (${list}) FROM STDIN WITH (FORMAT ${mode}, ENCODING 'UTF8')`,
    columns,
    header: mode === 'binary' ? COPY_HEADER : NOTHING,
    trailer: mode === 'binary' ? COPY_TRAILER : NOTHING,
  };
}

/** Appends fixed bytes (header, trailer). */
export function append(out: CopyBuffer, bytes: Buffer): void {
  if (out.buf.length < out.pos + bytes.length) {
    const larger = Buffer.allocUnsafeSlow(2 * out.buf.length + bytes.length);
    out.buf.copy(larger, 0, 0, out.pos);
    out.buf = larger;
  }
  out.pos += bytes.copy(out.buf, out.pos);
}
