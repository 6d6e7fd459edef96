import { type Codec, type CopyBuffer, NULL_WRITTEN } from '../../core/codec.js';
import { NOT_OF_TYPE, compareBytes, dropBlanks, putAscii, putInt32, skipBlanks } from '../cell.js';
import type { ColumnType } from '../column-type.js';
import { NIBBLES } from '../numbers/hex.js';

/**
 * uuid in the forms that PostgreSQL takes: 32 hexadecimal digits in any case, a hyphen allowed behind each group of
 * four, braces around all.
 */
export const uuid: ColumnType = {
  typnames: ['uuid'],
  build: () => codec,
};

const BYTES = 16;
const TEXT_LENGTH = 36;

const codec: Codec = {
  typeName: 'uuid',
  maxSize: () => TEXT_LENGTH,
  encode,
  encodeText: (bytes, start, end, out) => {
    const at = out.pos;
    const refusal = encode(bytes, start, end, out);
    if (refusal !== 0) return refusal;
    const hex = out.buf.toString('hex', at + 4, out.pos);
    out.pos = at;
    putAscii(out, `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`);
    return 0;
  },
  explain: () => 'not a uuid',
  compare: compareBytes,
  identity: null,
};

function encode(bytes: Buffer, start: number, end: number, out: CopyBuffer): number {
  let from = start;
  let to = end;
  if (from === to || bytes[from]! <= 0x20 || bytes[to - 1]! <= 0x20) {
    from = skipBlanks(bytes, start, end);
    to = dropBlanks(bytes, from, end);
    if (from === to) return NULL_WRITTEN;
  }
  if (bytes[from] === 0x7b) {
    if (bytes[to - 1] !== 0x7d) return NOT_OF_TYPE;
    from += 1;
    to -= 1;
  }
  const buf = out.buf;
  const at = out.pos + 4;
  let wrong = 0;
  let i = from;
  for (let n = 0; n < BYTES; n++) {
    if (i + 2 > to) return NOT_OF_TYPE;
    const high = NIBBLES[bytes[i]!]!;
    const low = NIBBLES[bytes[i + 1]!]!;
    wrong |= high | low;
    buf[at + n] = (high << 4) | low;
    i += 2;
    if ((n & 1) === 1 && n < BYTES - 1 && i < to && bytes[i] === 0x2d) i += 1;
  }
  if (i !== to || wrong > 0xf) return NOT_OF_TYPE;
  putInt32(buf, out.pos, BYTES);
  out.pos = at + BYTES;
  return 0;
}
