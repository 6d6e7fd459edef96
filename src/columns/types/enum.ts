import { type Codec, NULL_WRITTEN, type PgType } from '../../core/codec.js';
import { ByteSet } from '../byte-set.js';
import { copyBytes, copyEscaped, dropBlanks, putInt32, skipBlanks } from '../cell.js';

const UNKNOWN_LABEL = 1;

/**
 * A PostgreSQL enum: one of its labels, case counts. Labels with blanks at their ends must be written with them. The
 * order is that of the type.
 */
export function enumCodec(type: PgType, labels: readonly string[]): Codec {
  const known = new ByteSet(labels);
  const position = new Map(labels.map((label, i) => [label, i]));
  const order = (bytes: Buffer, start: number, end: number): number =>
    position.get(bytes.toString('utf8', start, end)) ?? -1;
  const isLabel = (bytes: Buffer, start: number, end: number): boolean => known.has(bytes, start, end);
  return {
    typeName: type.formatted,
    maxSize: (length) => 4 + 2 * length,
    encode: (bytes, start, end, out) => {
      const from = skipBlanks(bytes, start, end);
      const to = dropBlanks(bytes, from, end);
      if (from === to) return NULL_WRITTEN;
      const exact = isLabel(bytes, start, end);
      if (!exact && !isLabel(bytes, from, to)) return UNKNOWN_LABEL;
      const labelStart = exact ? start : from;
      const labelEnd = exact ? end : to;
      putInt32(out.buf, out.pos, labelEnd - labelStart);
      out.pos = copyBytes(bytes, labelStart, labelEnd, out.buf, out.pos + 4);
      return 0;
    },
    encodeText: (bytes, start, end, out) => {
      const from = skipBlanks(bytes, start, end);
      const to = dropBlanks(bytes, from, end);
      if (from === to) return NULL_WRITTEN;
      const exact = isLabel(bytes, start, end);
      if (!exact && !isLabel(bytes, from, to)) return UNKNOWN_LABEL;
      copyEscaped(bytes, exact ? start : from, exact ? end : to, out);
      return 0;
    },
    explain: () => `not a label of the enum ${type.formatted}`,
    compare: (a, aStart, aEnd, b, bStart, bEnd) => order(a, aStart, aEnd) - order(b, bStart, bEnd),
    identity: null,
  };
}
