import { BACKSLASH, ESCAPES, HEX } from './bytes.js';

const LETTER_U = 0x75;

/** The four hex digits from `at` on. The scanner has seen that they are there. */
function unit(bytes: Buffer, at: number): number {
  return (HEX[bytes[at]!]! << 12) | (HEX[bytes[at + 1]!]! << 8) | (HEX[bytes[at + 2]!]! << 4) | HEX[bytes[at + 3]!]!;
}

const isHigh = (code: number): boolean => code >= 0xd800 && code <= 0xdbff;
const isLow = (code: number): boolean => code >= 0xdc00 && code <= 0xdfff;

/** Is a \u escape with the low half of a surrogate pair at `at`? */
function lowAt(bytes: Buffer, at: number, end: number): boolean {
  return at + 6 <= end && bytes[at] === BACKSLASH && bytes[at + 1] === LETTER_U && isLow(unit(bytes, at + 2));
}

/**
 * Writes the text of a string's inside (valid escapes) to `out` from `at` as UTF-8; returns the end. Never longer than
 * `end - start`. Half a surrogate pair becomes the three bytes that UTF-8 forbids, so that nothing else equals it: such
 * cells are refused before.
 */
export function unescape(bytes: Buffer, start: number, end: number, out: Buffer, at: number): number {
  let from = start;
  while (from < end) {
    const byte = bytes[from]!;
    if (byte !== BACKSLASH) {
      out[at++] = byte;
      from += 1;
      continue;
    }
    const letter = bytes[from + 1]!;
    if (letter !== LETTER_U) {
      out[at++] = ESCAPES[letter]!;
      from += 2;
      continue;
    }
    let code = unit(bytes, from + 2);
    from += 6;
    if (isHigh(code) && lowAt(bytes, from, end)) {
      code = 0x10000 + ((code - 0xd800) << 10) + (unit(bytes, from + 2) - 0xdc00);
      from += 6;
    }
    at = putCharacter(out, at, code);
  }
  return at;
}

function putCharacter(out: Buffer, at: number, code: number): number {
  if (code < 0x80) {
    out[at] = code;
    return at + 1;
  }
  if (code < 0x800) {
    out[at] = 0xc0 | (code >> 6);
    out[at + 1] = 0x80 | (code & 63);
    return at + 2;
  }
  if (code < 0x10000) {
    out[at] = 0xe0 | (code >> 12);
    out[at + 1] = 0x80 | ((code >> 6) & 63);
    out[at + 2] = 0x80 | (code & 63);
    return at + 3;
  }
  out[at] = 0xf0 | (code >> 18);
  out[at + 1] = 0x80 | ((code >> 12) & 63);
  out[at + 2] = 0x80 | ((code >> 6) & 63);
  out[at + 3] = 0x80 | (code & 63);
  return at + 4;
}

/** Does a string's inside (valid escapes) hold half a surrogate pair? */
export function hasHalfPair(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    if (bytes[at] !== BACKSLASH) continue;
    if (bytes[at + 1] !== LETTER_U) {
      at += 1;
      continue;
    }
    const code = unit(bytes, at + 2);
    if (isLow(code)) return true;
    at += 5;
    if (!isHigh(code)) continue;
    if (!lowAt(bytes, at + 1, end)) return true;
    at += 6;
  }
  return false;
}
