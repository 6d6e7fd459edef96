import { NIBBLES } from '../numbers/hex.js';
import { fitsNumeric } from './numeric.js';

/** What is wrong with a JSON text; 0 = nothing. */
export const JSON_OK = 0;
export const JSON_INVALID = 1;
export const JSON_TOO_DEEP = 2;
export const JSON_NUL = 3;
export const JSON_SURROGATE = 4;
export const JSON_NUMBER = 5;

/**
 * Deepest nesting that is taken. PostgreSQL's own parser recurses and ends the whole statement with 54001 when its
 * stack (2 MB by default) is used up (PostgreSQL 18: between 15,000 and 20,000 levels): that must be this row's fault
 * and not the file's.
 */
export const MAX_DEPTH = 1000;

const stack = new Uint8Array(MAX_DEPTH);
const OPEN_OBJECT = 0x7b;
const OPEN_ARRAY = 0x5b;
const QUOTE = 0x22;

/**
 * Checks UTF-8 text against RFC 8259, without recursion and without a string. `strict` adds what jsonb cannot hold:
 * \u0000, lone surrogates, numbers past numeric's limits (the type json keeps them as text).
 */
export function checkJson(bytes: Buffer, start: number, end: number, strict: boolean): number {
  let depth = 0;
  let at = start;
  for (;;) {
    at = skipSpace(bytes, at, end);
    const byte = at < end ? bytes[at]! : 0;
    if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
      if (depth === MAX_DEPTH) return JSON_TOO_DEEP;
      stack[depth++] = byte;
      at = skipSpace(bytes, at + 1, end);
      // { is followed by } two further on in ASCII, [ by ]
      if (at < end && bytes[at] === byte + 2) {
        depth -= 1;
        at += 1;
      } else {
        if (byte === OPEN_OBJECT) at = key(bytes, at, end, strict);
        if (at < 0) return -at;
        continue;
      }
    } else {
      at = scalar(bytes, at, end, byte, strict);
      if (at < 0) return -at;
    }
    // behind a value: close what ends here, then a comma or the end
    for (;;) {
      at = skipSpace(bytes, at, end);
      if (depth === 0) return at === end ? JSON_OK : JSON_INVALID;
      const next = at < end ? bytes[at]! : 0;
      const open = stack[depth - 1]!;
      at += 1;
      if (next === open + 2) {
        depth -= 1;
        continue;
      }
      if (next !== 0x2c) return JSON_INVALID;
      if (open === OPEN_OBJECT) at = key(bytes, skipSpace(bytes, at, end), end, strict);
      if (at < 0) return -at;
      break;
    }
  }
}

/** JSON's own white space; no \v or \f. */
function skipSpace(bytes: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end) {
    const byte = bytes[at]!;
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) break;
    at += 1;
  }
  return at;
}

/** Each of these returns the place behind what it read, or a fault as a negative number. */
function key(bytes: Buffer, start: number, end: number, strict: boolean): number {
  if (start >= end || bytes[start] !== QUOTE) return -JSON_INVALID;
  const behind = string(bytes, start + 1, end, strict);
  if (behind < 0) return behind;
  const colon = skipSpace(bytes, behind, end);
  return colon < end && bytes[colon] === 0x3a ? colon + 1 : -JSON_INVALID;
}

function scalar(bytes: Buffer, start: number, end: number, first: number, strict: boolean): number {
  if (first === QUOTE) return string(bytes, start + 1, end, strict);
  if (first === 0x2d || (first >= 0x30 && first <= 0x39)) return number(bytes, start, end, strict);
  return word(bytes, start, end);
}

const WORDS = [Buffer.from('true'), Buffer.from('false'), Buffer.from('null')];

function word(bytes: Buffer, start: number, end: number): number {
  for (const expected of WORDS) {
    if (start + expected.length > end) continue;
    let same = true;
    for (let i = 0; i < expected.length; i++) same &&= bytes[start + i] === expected[i];
    if (same) return start + expected.length;
  }
  return -JSON_INVALID;
}

function number(bytes: Buffer, start: number, end: number, strict: boolean): number {
  let at = bytes[start] === 0x2d ? start + 1 : start;
  const whole = at;
  at = skipDigits(bytes, at, end);
  if (at === whole || (bytes[whole] === 0x30 && at > whole + 1)) return -JSON_INVALID;
  if (at < end && bytes[at] === 0x2e) {
    const fraction = at + 1;
    at = skipDigits(bytes, fraction, end);
    if (at === fraction) return -JSON_INVALID;
  }
  let exponent = false;
  if (at < end && (bytes[at]! | 0x20) === 0x65) {
    exponent = true;
    at += 1;
    if (at < end && (bytes[at] === 0x2b || bytes[at] === 0x2d)) at += 1;
    const digits = at;
    at = skipDigits(bytes, at, end);
    if (at === digits) return -JSON_INVALID;
  }
  // without an exponent, fewer than 16,383 digits always fit
  if (strict && (exponent || at - start > 16_000) && !fitsNumeric(bytes, start, at)) return -JSON_NUMBER;
  return at;
}

function skipDigits(bytes: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at]! >= 0x30 && bytes[at]! <= 0x39) at += 1;
  return at;
}

function string(bytes: Buffer, start: number, end: number, strict: boolean): number {
  let at = start;
  // a high surrogate (\ud800 to \udbff) stands right before
  let pending = false;
  while (at < end) {
    let byte = bytes[at]!;
    // plain characters, nearly all there are
    while (!pending && byte >= 0x20 && byte !== QUOTE && byte !== 0x5c) {
      at += 1;
      if (at === end) return -JSON_INVALID;
      byte = bytes[at]!;
    }
    if (byte < 0x20) return -JSON_INVALID;
    if (pending && (byte !== 0x5c || bytes[at + 1] !== 0x75)) return -JSON_SURROGATE;
    if (byte === QUOTE) return at + 1;
    if (at + 1 >= end) return -JSON_INVALID;
    const letter = bytes[at + 1]!;
    at += 2;
    if (letter !== 0x75) {
      if (SIMPLE_ESCAPES[letter] !== 1) return -JSON_INVALID;
      continue;
    }
    const unit = hex4(bytes, at, end);
    if (unit < 0) return -JSON_INVALID;
    at += 4;
    if (!strict) continue;
    if (unit === 0) return -JSON_NUL;
    const low = unit >= 0xdc00 && unit <= 0xdfff;
    if (low !== pending) return -JSON_SURROGATE;
    pending = unit >= 0xd800 && unit <= 0xdbff;
  }
  return -JSON_INVALID;
}

const SIMPLE_ESCAPES = Uint8Array.from({ length: 256 }, (_, byte) =>
  Number('"\\/bfnrt'.includes(String.fromCharCode(byte))),
);

function hex4(bytes: Buffer, start: number, end: number): number {
  if (start + 4 > end) return -1;
  let value = 0;
  let wrong = 0;
  for (let i = start; i < start + 4; i++) {
    const nibble = NIBBLES[bytes[i]!]!;
    wrong |= nibble;
    value = (value << 4) | (nibble & 15);
  }
  return wrong > 15 ? -1 : value;
}
