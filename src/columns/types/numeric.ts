import { type Codec, type CopyBuffer, NULL_WRITTEN, type PgType } from '../../core/codec.js';
import {
  NOT_OF_TYPE,
  OUT_OF_RANGE,
  TOO_MANY_DECIMALS,
  dropBlanks,
  notA,
  putAscii,
  putInt32,
  skipBlanks,
} from '../cell.js';
import type { CodecOptions, ColumnType } from '../column-type.js';
import { EXPONENT_LIMIT, parts, scanDecimal } from '../numbers/decimal-scan.js';
import { localised } from '../numbers/number-text.js';
import { encodeQuick, NO_SCALE, type Limits } from '../numbers/numeric-quick.js';
import { compareNumeric, numericIdentity, numericText } from '../numbers/numeric-value.js';
import { numericLimits, typeNameOf } from '../type-name.js';

/**
 * numeric and numeric(p,s): straight from the digits to PostgreSQL's groups of four (base 10000), never through a
 * double. NaN and Infinity are refused. The column's scale is the value's; without one the literal's own is kept, as
 * PostgreSQL does (`1.50` stays 1.50).
 */
export const numeric: ColumnType = {
  typnames: ['numeric'],
  build: (type, options) => localised(numericCodec(type, options), options),
};

/** PostgreSQL's own limits (numeric.c): digits before the point, digits behind it. */
const MAX_WHOLE = 131_072;
const MAX_SCALE = 16_383;

function numericCodec(type: PgType, options: CodecOptions): Codec {
  const typeName = typeNameOf(type);
  const declared = numericLimits(type.typmod);
  const limits: Limits = {
    whole: declared === null ? MAX_WHOLE : declared.precision - declared.scale,
    scale: declared === null ? NO_SCALE : declared.scale,
    round: options.round,
  };
  const decimals = declared === null ? MAX_SCALE : declared.scale;
  return {
    typeName,
    // binary: 4 + 8 + 2 bytes for each group of 4 digits, one group more for the alignment; text: digits, sign,
    // exponent
    maxSize: (length) => length + 32,
    encode: (bytes, start, end, out) => encode(bytes, start, end, out, limits),
    encodeText: (bytes, start, end, out) => {
      const at = out.pos;
      const refusal = encode(bytes, start, end, out, limits);
      if (refusal !== 0) return refusal;
      const text = numericText(out.buf, at + 4, out.pos, declared === null);
      out.pos = at;
      putAscii(out, text);
      return 0;
    },
    explain: (code) => {
      if (code === OUT_OF_RANGE) return `out of range for ${typeName}`;
      if (code !== TOO_MANY_DECIMALS) return notA(typeName);
      return decimals < 0 ? `not a multiple of 1e${-decimals}` : `more than ${decimals} decimals`;
    },
    compare: compareNumeric,
    identity: numericIdentity,
  };
}

function encode(bytes: Buffer, start: number, end: number, out: CopyBuffer, limits: Limits): number {
  if (encodeQuick(bytes, start, end, out, limits)) return 0;
  let from = start;
  let to = end;
  if (from === to || bytes[from]! <= 0x20 || bytes[to - 1]! <= 0x20) {
    from = skipBlanks(bytes, start, end);
    to = dropBlanks(bytes, from, end);
    if (from === to) return NULL_WRITTEN;
  }
  if (!scanDecimal(bytes, from, to)) return NOT_OF_TYPE;
  const { scale } = limits;
  if (parts.exponent !== 0 || (scale < 0 && scale !== NO_SCALE)) return encodeShifted(bytes, out, limits);
  let { fractionStart, fractionEnd } = parts;
  let valueScale = scale;
  if (scale === NO_SCALE) {
    valueScale = fractionEnd - fractionStart;
    if (valueScale > MAX_SCALE) return TOO_MANY_DECIMALS;
  } else if (fractionEnd - fractionStart > scale) {
    for (let i = fractionStart + scale; i < fractionEnd; i++)
      if (bytes[i] !== 0x30) return encodeShifted(bytes, out, limits);
    fractionEnd = fractionStart + scale;
  }
  let point = parts.wholeEnd - parts.wholeStart;
  if (point === 0) {
    while (fractionStart < fractionEnd && bytes[fractionStart] === 0x30) fractionStart += 1;
    point = parts.fractionStart - fractionStart;
  }
  if (point > limits.whole && (point > 0 || fractionStart < fractionEnd)) return OUT_OF_RANGE;
  writeGroups(bytes, parts.wholeStart, parts.wholeEnd, fractionStart, fractionEnd, point, valueScale, out);
  return 0;
}

/**
 * The way for exponents, negative scales and rounding: the digits are gathered, cut at the scale, and then written like
 * all others.
 */
function encodeShifted(bytes: Buffer, out: CopyBuffer, limits: Limits): number {
  const { scale } = limits;
  if (Math.abs(parts.exponent) >= EXPONENT_LIMIT) return OUT_OF_RANGE;
  const literalScale = Math.max(0, parts.fractionEnd - parts.fractionStart - parts.exponent);
  if (scale === NO_SCALE && literalScale > MAX_SCALE) return TOO_MANY_DECIMALS;
  let point = gatherDigits(bytes) + parts.exponent;
  let count = gathered;
  const kept = point + scale;
  if (scale !== NO_SCALE && kept < count) {
    if (!limits.round) {
      for (let i = Math.max(kept, 0); i < count; i++) if (digits[i] !== 0x30) return TOO_MANY_DECIMALS;
    }
    const up = kept >= 0 && digits[kept]! >= 0x35;
    count = Math.max(kept, 0);
    if (up && roundUp(count)) {
      count = 1;
      point += 1;
    }
  }
  if (count > 0 && point > limits.whole) return OUT_OF_RANGE;
  writeGroups(digits, 0, count, 0, 0, point, scale === NO_SCALE ? literalScale : Math.max(scale, 0), out);
  return 0;
}

/**
 * True when PostgreSQL's numeric (without precision) can hold this literal: for numbers inside jsonb, which keeps them
 * as numeric.
 */
export function fitsNumeric(bytes: Buffer, start: number, end: number): boolean {
  if (!scanDecimal(bytes, start, end) || Math.abs(parts.exponent) >= EXPONENT_LIMIT) return false;
  if (parts.fractionEnd - parts.fractionStart - parts.exponent > MAX_SCALE) return false;
  const point = gatherDigits(bytes) + parts.exponent;
  return gathered === 0 || point <= MAX_WHOLE;
}

/** The significant digits of the last gatherDigits, as ASCII. Grows to the longest cell that needed it. */
let digits = Buffer.allocUnsafe(512);
let gathered = 0;

/**
 * Copies the digits of `parts` without leading zeros to `digits`; returns how many stand before the point (negative:
 * zeros behind it).
 */
function gatherDigits(bytes: Buffer): number {
  const { wholeStart, wholeEnd, fractionEnd } = parts;
  let { fractionStart } = parts;
  let point = wholeEnd - wholeStart;
  if (point === 0) {
    while (fractionStart < fractionEnd && bytes[fractionStart] === 0x30) fractionStart += 1;
    point = parts.fractionStart - fractionStart;
  }
  gathered = wholeEnd - wholeStart + fractionEnd - fractionStart;
  // one more: rounding 0.5 up makes a digit where there was none
  if (gathered >= digits.length) digits = Buffer.allocUnsafe(2 * gathered);
  bytes.copy(digits, 0, wholeStart, wholeEnd);
  bytes.copy(digits, wholeEnd - wholeStart, fractionStart, fractionEnd);
  return point;
}

/**
 * Adds one to the last of the first `count` digits. True = all were nines: the digits are now a single 1, one place
 * higher.
 */
function roundUp(count: number): boolean {
  for (let i = count - 1; i >= 0; i--) {
    if (digits[i] !== 0x39) {
      digits[i] = digits[i]! + 1;
      return false;
    }
    digits[i] = 0x30;
  }
  digits[0] = 0x31;
  return true;
}

/**
 * Writes length word, header and groups of the digits in two runs of `bytes`. `point` = how many digits stand before
 * the decimal point; the first digit is not a zero. Groups of zeros at the end are left out.
 */
function writeGroups(
  bytes: Buffer,
  wholeStart: number,
  wholeEnd: number,
  fractionStart: number,
  fractionEnd: number,
  point: number,
  scale: number,
  out: CopyBuffer,
): void {
  const buf = out.buf;
  const head = out.pos;
  let at = head + 12;
  let last = at;
  let group = 0;
  // power of ten of the first digit is point - 1: which group it falls into, and how many digits that group still takes
  let weight = (point - 1) >> 2;
  let left = ((point - 1) & 3) + 1;
  for (let i = wholeStart; i < wholeEnd; i++) {
    group = group * 10 + bytes[i]! - 0x30;
    left -= 1;
    if (left === 0) {
      buf[at] = group >> 8;
      buf[at + 1] = group;
      at += 2;
      if (group !== 0) last = at;
      group = 0;
      left = 4;
    }
  }
  for (let i = fractionStart; i < fractionEnd; i++) {
    group = group * 10 + bytes[i]! - 0x30;
    left -= 1;
    if (left === 0) {
      buf[at] = group >> 8;
      buf[at + 1] = group;
      at += 2;
      if (group !== 0) last = at;
      group = 0;
      left = 4;
    }
  }
  if (group !== 0) {
    for (; left > 0; left--) group *= 10;
    buf[at] = group >> 8;
    buf[at + 1] = group;
    last = at + 2;
  }
  const count = (last - head - 12) >> 1;
  if (count === 0) weight = 0;
  putInt32(buf, head, last - head - 4);
  buf[head + 4] = count >> 8;
  buf[head + 5] = count;
  buf[head + 6] = weight >> 8;
  buf[head + 7] = weight;
  buf[head + 8] = parts.negative && count > 0 ? 0x40 : 0;
  buf[head + 9] = 0;
  buf[head + 10] = scale >> 8;
  buf[head + 11] = scale;
  out.pos = last;
}
