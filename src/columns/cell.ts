import type { CopyBuffer } from '../core/codec.js';

/**
 * What codecs share: blanks, length words, text COPY's escapes. Plain functions on bytes, small enough to be inlined.
 */

/** Refusal codes that most codecs use (Codec.encode, > 0). */
export const NOT_OF_TYPE = 1;
export const OUT_OF_RANGE = 2;
export const TOO_MANY_DECIMALS = 3;

/** "not an integer", "not a numeric(12,2)": what NOT_OF_TYPE means. */
export const notA = (typeName: string): string => `not ${/^[aeio]/.test(typeName) ? 'an' : 'a'} ${typeName}`;

/** C's isspace, what PostgreSQL's input functions skip: blank, \t \n \v \f \r. */
export function isBlank(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
}

/** First byte of the cell that is no blank, or `end`. */
export function skipBlanks(bytes: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end && isBlank(bytes[at]!)) at += 1;
  return at;
}

/** End of the cell without its last blanks, or `start`. */
export function dropBlanks(bytes: Buffer, start: number, end: number): number {
  let at = end;
  while (at > start && isBlank(bytes[at - 1]!)) at -= 1;
  return at;
}

/** Writes a big-endian int32 at `at`. */
export function putInt32(buf: Buffer, at: number, value: number): void {
  buf[at] = value >>> 24;
  buf[at + 1] = value >>> 16;
  buf[at + 2] = value >>> 8;
  buf[at + 3] = value;
}

/**
 * Up to here the loop (1 ns a byte, four at a time) is faster than Buffer.copy (45 ns whatever the length; Node 20).
 */
const LOOP_LIMIT = 44;

/** Copies bytes, returns the end in `to`. */
export function copyBytes(from: Buffer, start: number, end: number, to: Buffer, at: number): number {
  if (end - start > LOOP_LIMIT) {
    from.copy(to, at, start, end);
    return at + end - start;
  }
  let out = at;
  let i = start;
  for (const fours = end - 3; i < fours; i += 4, out += 4) {
    to[out] = from[i]!;
    to[out + 1] = from[i + 1]!;
    to[out + 2] = from[i + 2]!;
    to[out + 3] = from[i + 3]!;
  }
  for (; i < end; i++) to[out++] = from[i]!;
  return out;
}

/**
 * Writes bytes escaped for COPY's text format (backslash, newline, return, tab; the rest as it stands). At most twice
 * as long.
 */
export function copyEscaped(bytes: Buffer, start: number, end: number, out: CopyBuffer): void {
  const buf = out.buf;
  let at = out.pos;
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    if (byte === 0x5c || byte === 0x0a || byte === 0x0d || byte === 0x09) {
      buf[at++] = 0x5c;
      buf[at++] = byte === 0x5c ? 0x5c : byte === 0x0a ? 0x6e : byte === 0x0d ? 0x72 : 0x74;
    } else {
      buf[at++] = byte;
    }
  }
  out.pos = at;
}

/** Writes text of ASCII characters as it stands. */
export function putAscii(out: CopyBuffer, text: string): void {
  out.pos += out.buf.write(text, out.pos, 'latin1');
}

/** Order of bytes as memcmp gives it: the order of code points for UTF-8, of values for uuid and bytea. */
export function compareBytes(a: Buffer, aStart: number, aEnd: number, b: Buffer, bStart: number, bEnd: number): number {
  return a.compare(b, bStart, bEnd, aStart, aEnd);
}
