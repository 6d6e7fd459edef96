import { type Codec, NULL_WRITTEN, type PgType } from '../../core/codec.js';
import { compareBytes, copyBytes, copyEscaped, dropBlanks, putInt32, skipBlanks } from '../cell.js';
import { typeNameOf } from '../type-name.js';

/**
 * Types whose values keep their blanks, and for which an empty cell in quotes is a value (PostgreSQL's category S
 * beyond our own codecs).
 */
const TEXT_LIKE: ReadonlySet<string> = new Set(['citext', 'char']);
const TOO_LONG = 1;

/**
 * Any type without a codec of its own: PostgreSQL's input function reads the text itself (text COPY). A blank cell is
 * NULL and surrounding blanks are dropped, as in every type but text. `encode` is not binary COPY: it gives the cell's
 * text, which serves `unique`.
 */
export function textCodec(type: PgType): Codec {
  const keepsBlanks = TEXT_LIKE.has(type.typname);
  // "char" is one byte, and PostgreSQL drops the rest without a word
  const maxBytes = type.typname === 'char' ? 1 : Infinity;
  const write = (
    bytes: Buffer,
    start: number,
    end: number,
    out: Parameters<Codec['encode']>[3],
    escape: boolean,
  ): number => {
    const from = keepsBlanks ? start : skipBlanks(bytes, start, end);
    const to = keepsBlanks ? end : dropBlanks(bytes, from, end);
    if (from === to && !keepsBlanks) return NULL_WRITTEN;
    if (to - from > maxBytes) return TOO_LONG;
    if (escape) {
      copyEscaped(bytes, from, to, out);
      return 0;
    }
    putInt32(out.buf, out.pos, to - from);
    out.pos = copyBytes(bytes, from, to, out.buf, out.pos + 4);
    return 0;
  };
  return {
    typeName: typeNameOf(type),
    maxSize: (length) => 4 + 2 * length,
    encode: (bytes, start, end, out) => write(bytes, start, end, out, false),
    encodeText: (bytes, start, end, out) => write(bytes, start, end, out, true),
    explain: () => `longer than a ${typeNameOf(type)}`,
    compare: keepsBlanks ? compareBytes : null,
    identity: null,
  };
}
