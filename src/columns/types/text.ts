import type { Codec, CopyBuffer, PgType } from '../../core/codec.js';
import { compareBytes, copyBytes, copyEscaped, putInt32 } from '../cell.js';
import type { ColumnType } from '../column-type.js';
import { lengthLimit, typeNameOf } from '../type-name.js';

/**
 * text, varchar(n), char(n), name: the cell as it stands; it is already known to be UTF-8 without NUL. Lengths count
 * characters (code points). As in PostgreSQL, blanks past the length are dropped without a word, anything else is
 * refused. char(n) is sent without padding: PostgreSQL pads what it gets, and the blanks need not travel.
 */
export const text: ColumnType = {
  typnames: ['text', 'varchar', 'bpchar', 'name'],
  build: textCodec,
};

const TOO_LONG = 1;
/** NAMEDATALEN - 1, in bytes. PostgreSQL's own input cuts longer names silently. */
const NAME_BYTES = 63;

function textCodec(type: PgType): Codec {
  const typeName = typeNameOf(type);
  const limit = type.typname === 'text' || type.typname === 'name' ? Infinity : (lengthLimit(type.typmod) ?? Infinity);
  const maxBytes = type.typname === 'name' ? NAME_BYTES : Infinity;
  const padded = type.typname === 'bpchar';
  return {
    typeName,
    // text COPY escapes a byte with a second one
    maxSize: (length) => 4 + 2 * length,
    encode: (bytes, start, end, out) => {
      const to = end - start > limit ? cutAt(bytes, start, end, limit) : end;
      if (to < 0 || to - start > maxBytes) return TOO_LONG;
      write(bytes, start, to, out);
      return 0;
    },
    encodeText: (bytes, start, end, out) => {
      const to = end - start > limit ? cutAt(bytes, start, end, limit) : end;
      if (to < 0 || to - start > maxBytes) return TOO_LONG;
      copyEscaped(bytes, start, to, out);
      return 0;
    },
    explain: () =>
      maxBytes === NAME_BYTES
        ? `longer than ${NAME_BYTES} bytes`
        : `longer than ${limit} characters, too long for ${typeName}`,
    compare: padded ? comparePadded : compareBytes,
    identity: padded
      ? (encoded, start, end, out, at) => copyBytes(encoded, start, withoutPadding(encoded, start, end), out, at)
      : null,
  };
}

function write(bytes: Buffer, start: number, end: number, out: CopyBuffer): void {
  putInt32(out.buf, out.pos, end - start);
  out.pos = copyBytes(bytes, start, end, out.buf, out.pos + 4);
}

/**
 * Where `limit` characters end when nothing but blanks stands behind them, or `end` when there are no more; -1 = too
 * long.
 */
function cutAt(bytes: Buffer, start: number, end: number, limit: number): number {
  let characters = 0;
  let at = start;
  for (; at < end; at++) {
    if ((bytes[at]! & 0xc0) === 0x80) continue;
    if (characters === limit) break;
    characters += 1;
  }
  for (let i = at; i < end; i++) if (bytes[i] !== 0x20) return -1;
  return at;
}

/** char(n) compares without its last blanks. */
function withoutPadding(bytes: Buffer, start: number, end: number): number {
  let at = end;
  while (at > start && bytes[at - 1] === 0x20) at -= 1;
  return at;
}

function comparePadded(a: Buffer, aStart: number, aEnd: number, b: Buffer, bStart: number, bEnd: number): number {
  return compareBytes(a, aStart, withoutPadding(a, aStart, aEnd), b, bStart, withoutPadding(b, bStart, bEnd));
}
