import { type Codec, type CopyBuffer, NULL_WRITTEN } from '../../core/codec.js';
import { NOT_OF_TYPE, compareBytes, dropBlanks, putInt32, skipBlanks } from '../cell.js';
import type { ColumnType } from '../column-type.js';
import { NIBBLES } from '../numbers/hex.js';

/**
 * bytea in PostgreSQL's two forms: hex (`\x0aff`, blanks allowed between bytes) and escape (`\\` a backslash, `\ooo` a
 * byte in octal, all else as it stands).
 */
export const bytea: ColumnType = {
  typnames: ['bytea'],
  build: () => codec,
};

const BACKSLASH = 0x5c;
const HEX_DIGITS = Buffer.from('0123456789abcdef');

const codec: Codec = {
  typeName: 'bytea',
  // text COPY: `\\x` and two digits a byte; the binary form lies behind that while it is turned into text
  maxSize: (length) => 8 + 3 * length,
  encode,
  encodeText: (bytes, start, end, out) => {
    const at = out.pos;
    // the bytes first, out of the way of their hex digits: byte i of at most n stands at 2n + 4 + i, its digits end at
    // 2i + 4
    out.pos = at + 2 * (end - start);
    const valueAt = out.pos + 4;
    const refusal = encode(bytes, start, end, out);
    const valueEnd = out.pos;
    out.pos = at;
    if (refusal !== 0) return refusal;
    const buf = out.buf;
    buf[out.pos++] = BACKSLASH;
    buf[out.pos++] = BACKSLASH;
    buf[out.pos++] = 0x78;
    for (let i = valueAt; i < valueEnd; i++) {
      const byte = buf[i]!;
      buf[out.pos++] = HEX_DIGITS[byte >> 4]!;
      buf[out.pos++] = HEX_DIGITS[byte & 15]!;
    }
    return 0;
  },
  explain: () => 'not a bytea: neither hex (\\x...) nor escape format',
  compare: compareBytes,
  identity: null,
};

function encode(bytes: Buffer, start: number, end: number, out: CopyBuffer): number {
  const from = skipBlanks(bytes, start, end);
  const to = dropBlanks(bytes, from, end);
  if (from === to) return NULL_WRITTEN;
  const isHex = bytes[from] === BACKSLASH && bytes[from + 1] === 0x78 && from + 1 < to;
  const valueEnd = isHex
    ? decodeHex(bytes, from + 2, to, out.buf, out.pos + 4)
    : decodeEscapes(bytes, from, to, out.buf, out.pos + 4);
  if (valueEnd < 0) return NOT_OF_TYPE;
  putInt32(out.buf, out.pos, valueEnd - out.pos - 4);
  out.pos = valueEnd;
  return 0;
}

/**
 * Writes the bytes, returns their end; -1 = not hex. Blanks only between whole bytes: blank, \t, \n, \r (hex_decode in
 * PostgreSQL).
 */
function decodeHex(bytes: Buffer, start: number, end: number, to: Buffer, at: number): number {
  let out = at;
  let i = start;
  while (i < end) {
    const byte = bytes[i]!;
    if (byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d) {
      i += 1;
      continue;
    }
    if (i + 1 >= end) return -1;
    const value = (NIBBLES[byte]! << 4) | NIBBLES[bytes[i + 1]!]!;
    // NO_NIBBLE is a fifth bit: in the low digit it hides under the high one
    if (value > 0xff || NIBBLES[bytes[i + 1]!]! > 0xf) return -1;
    to[out++] = value;
    i += 2;
  }
  return out;
}

function decodeEscapes(bytes: Buffer, start: number, end: number, to: Buffer, at: number): number {
  let out = at;
  let i = start;
  while (i < end) {
    if (bytes[i] !== BACKSLASH) {
      to[out++] = bytes[i++]!;
    } else if (i + 1 < end && bytes[i + 1] === BACKSLASH) {
      to[out++] = BACKSLASH;
      i += 2;
    } else if (i + 3 < end && isOctal(bytes[i + 1]!, 3) && isOctal(bytes[i + 2]!, 7) && isOctal(bytes[i + 3]!, 7)) {
      to[out++] = ((bytes[i + 1]! & 3) << 6) | ((bytes[i + 2]! & 7) << 3) | (bytes[i + 3]! & 7);
      i += 4;
    } else {
      return -1;
    }
  }
  return out;
}

const isOctal = (byte: number, most: number): boolean => byte >= 0x30 && byte <= 0x30 + most;
