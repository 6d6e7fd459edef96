import { type Codec, type CopyBuffer, NULL_WRITTEN, type PgType } from '../../core/codec.js';
import { NOT_OF_TYPE, OUT_OF_RANGE, dropBlanks, notA, putAscii, putInt32, skipBlanks } from '../cell.js';
import type { ColumnType } from '../column-type.js';
import { parts, scanDecimal } from '../numbers/decimal-scan.js';
import { nearestSingle, plainSingle } from '../numbers/float-single.js';
import { localised } from '../numbers/number-text.js';
import { typeNameOf } from '../type-name.js';

/**
 * real and double precision: decimal literals, correctly rounded; NaN, Infinity and inf in any case. As in PostgreSQL a
 * literal past the largest value, or one that is not zero and would become zero, is refused; hexadecimal floats, which
 * strtod takes, are refused too.
 */
export const float: ColumnType = {
  typnames: ['float4', 'float8'],
  build: (type, options) => localised(floatCodec(type), options),
};

/** "-1.7976931348623157e+308" is the longest text. */
const MAX_SIZE = 32;

/**
 * The value that the last `read` found. In an array, because a double in a variable of the module would be a new object
 * each time.
 */
const value = new Float64Array(1);
const valueWords = new Int32Array(value.buffer);
const single = new Float32Array(1);
const singleWord = new Int32Array(single.buffer);
/** Node runs on little-endian machines today; a wrong byte order would be silent. */
const UPPER = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1 ? 1 : 0;

function floatCodec(type: PgType): Codec {
  const typeName = typeNameOf(type);
  const isSingle = type.typname === 'float4';
  return {
    typeName,
    maxSize: () => MAX_SIZE,
    encode: (bytes, start, end, out) => {
      const refusal = quick(bytes, start, end, isSingle) ? 0 : read(bytes, start, end, isSingle);
      if (refusal === 0) writeBinary(out, isSingle);
      return refusal;
    },
    encodeText: (bytes, start, end, out) => {
      const refusal = read(bytes, start, end, isSingle);
      // JavaScript's shortest form reads back to the same double, and to the same single; it drops the sign of -0
      if (refusal === 0) putAscii(out, Object.is(value[0], -0) ? '-0' : String(value[0]));
      return refusal;
    },
    explain: (code) => (code === OUT_OF_RANGE ? `out of range for ${typeName}` : notA(typeName)),
    compare: isSingle ? compareSingle : compareDouble,
    identity: isSingle ? identitySingle : identityDouble,
  };
}

/** Digits that a 32-bit number holds, and a point. */
const QUICK_LENGTH = 10;

/**
 * `[-] digits [. digits]` with up to nine digits, which is nearly every cell: one pass, one division. False = another
 * form, `read` tells.
 */
function quick(bytes: Buffer, start: number, end: number, isSingle: boolean): boolean {
  const negative = start < end && bytes[start] === 0x2d;
  const from = negative ? start + 1 : start;
  const length = end - from;
  if (length === 0 || length > QUICK_LENGTH) return false;
  let coefficient = 0;
  let point = -1;
  for (let at = from; at < end; at++) {
    const digit = bytes[at]! - 0x30;
    if (digit >= 0 && digit <= 9) {
      coefficient = coefficient * 10 + digit;
    } else {
      if (digit !== POINT || point >= 0) return false;
      point = at;
    }
  }
  if (point < 0 ? length === QUICK_LENGTH : length === 1) return false;
  const double = point < 0 ? coefficient : coefficient / POWERS[end - point - 1]!;
  const found = isSingle ? plainSingle(double) : double;
  if (found !== found) return false;
  value[0] = negative ? -found : found;
  return true;
}

/** '.' - '0'. */
const POINT = -2;

function read(bytes: Buffer, start: number, end: number, isSingle: boolean): number {
  let from = start;
  let to = end;
  if (from === to || bytes[from]! <= 0x20 || bytes[to - 1]! <= 0x20) {
    from = skipBlanks(bytes, start, end);
    to = dropBlanks(bytes, from, end);
    if (from === to) return NULL_WRITTEN;
  }
  if (!scanDecimal(bytes, from, to)) return readWord(bytes, from, to);
  const double = decimalValue(bytes, from, to);
  const found = isSingle ? nearestSingle(double, bytes) : double;
  if (found === Infinity || (found === 0 && !isZero(bytes))) return OUT_OF_RANGE;
  value[0] = parts.negative ? -found : found;
  return 0;
}

/**
 * 10^0 to 10^22 are exact doubles: with a coefficient below 2^53, one multiplication or division is the only rounding
 * (Clinger 1990).
 */
const POWERS = Float64Array.from({ length: 23 }, (_, i) => Number(`1e${i}`));
const EXACT_DIGITS = 15;

/** Magnitude of the literal in `parts` as the nearest double. */
function decimalValue(bytes: Buffer, start: number, end: number): number {
  const { wholeStart, wholeEnd, fractionStart, fractionEnd } = parts;
  if (wholeEnd - wholeStart + fractionEnd - fractionStart <= EXACT_DIGITS) {
    let coefficient = 0;
    for (let i = wholeStart; i < wholeEnd; i++) coefficient = coefficient * 10 + bytes[i]! - 0x30;
    for (let i = fractionStart; i < fractionEnd; i++) coefficient = coefficient * 10 + bytes[i]! - 0x30;
    const exponent = parts.exponent - (fractionEnd - fractionStart);
    if (exponent === 0) return coefficient;
    if (exponent < 0 && exponent >= -22) return coefficient / POWERS[-exponent]!;
    if (exponent > 0 && exponent <= 22) return coefficient * POWERS[exponent]!;
  }
  return Math.abs(Number(bytes.toString('latin1', start, end)));
}

/** True when every digit of the literal in `parts` is a zero. */
function isZero(bytes: Buffer): boolean {
  if (parts.wholeEnd > parts.wholeStart) return false;
  for (let i = parts.fractionStart; i < parts.fractionEnd; i++) if (bytes[i] !== 0x30) return false;
  return true;
}

/** Words that are numbers, in lower case. A NaN has no sign: -nan, which C's printf writes, is the same one. */
const WORDS: readonly (readonly [Buffer, number])[] = [
  [Buffer.from('nan'), NaN],
  [Buffer.from('inf'), Infinity],
  [Buffer.from('infinity'), Infinity],
];

function readWord(bytes: Buffer, start: number, end: number): number {
  const minus = bytes[start] === 0x2d;
  const from = minus || bytes[start] === 0x2b ? start + 1 : start;
  for (const [word, number] of WORDS) {
    if (word.length !== end - from) continue;
    let same = true;
    for (let i = 0; i < word.length; i++) same &&= (bytes[from + i]! | 0x20) === word[i];
    if (!same) continue;
    value[0] = minus && number === Infinity ? -Infinity : number;
    return 0;
  }
  return NOT_OF_TYPE;
}

function writeBinary(out: CopyBuffer, isSingle: boolean): void {
  const { buf, pos } = out;
  if (isSingle) {
    single[0] = value[0]!;
    putInt32(buf, pos, 4);
    putInt32(buf, pos + 4, singleWord[0]!);
    out.pos = pos + 8;
    return;
  }
  putInt32(buf, pos, 8);
  putInt32(buf, pos + 4, valueWords[UPPER]!);
  putInt32(buf, pos + 8, valueWords[1 - UPPER]!);
  out.pos = pos + 12;
}

/** PostgreSQL's order: NaN is equal to itself and above all others; -0 = 0. */
function order(a: number, b: number): number {
  if (a < b) return -1;
  if (a > b) return 1;
  return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
}

type Compare = NonNullable<Codec['compare']>;
const compareDouble: Compare = (a, aStart, _aEnd, b, bStart) => order(a.readDoubleBE(aStart), b.readDoubleBE(bStart));
const compareSingle: Compare = (a, aStart, _aEnd, b, bStart) => order(a.readFloatBE(aStart), b.readFloatBE(bStart));

type Identity = NonNullable<Codec['identity']>;
/** Adding 0 makes -0 to 0; there is only one NaN here. */
const identityDouble: Identity = (encoded, start, _end, out, at) =>
  out.writeDoubleBE(encoded.readDoubleBE(start) + 0, at);
const identitySingle: Identity = (encoded, start, _end, out, at) =>
  out.writeFloatBE(encoded.readFloatBE(start) + 0, at);
