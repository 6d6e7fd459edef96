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
import { localised } from '../numbers/number-text.js';
import { typeNameOf } from '../type-name.js';

/**
 * smallint, integer, bigint: an optional sign, digits, and behind a point nothing but zeros (`12.00`) unless `round`.
 * No exponent, no 0x, no underscores: PostgreSQL 16 takes 0x10 and 1_000, here they are more likely damage.
 */
export const integer: ColumnType = {
  typnames: ['int2', 'int4', 'int8'],
  build: (type, options) => localised(integerCodec(type, options), options),
};

const BILLION = 1_000_000_000;

/** Bytes of the value, and the most that its magnitude may be below zero (one less above) as high * 10^9 + low. */
interface Width {
  readonly bytes: number;
  readonly high: number;
  readonly low: number;
  /** The largest value, as far as quickWhole returns it. */
  readonly quickMost: number;
}
const INT2: Width = { bytes: 2, high: 0, low: 32_768, quickMost: 32_767 };
const INT4: Width = { bytes: 4, high: 2, low: 147_483_648, quickMost: 2_147_483_647 };
const INT8: Width = { bytes: 8, high: 9_223_372_036, low: 854_775_808, quickMost: Infinity };

/** quickWhole: another form; `read` tells. */
const NOT_QUICK = -1;

/**
 * One to fifteen digits and nothing else, which is nearly every cell: in two runs of 32-bit arithmetic and without
 * module state, half the time of `read`.
 */
function quickWhole(bytes: Buffer, start: number, end: number): number {
  const length = end - start;
  if (length === 0 || length > 15) return NOT_QUICK;
  const split = length > 9 ? end - 9 : end;
  let front = 0;
  for (let at = start; at < split; at++) {
    const digit = bytes[at]! - 0x30;
    if (digit < 0 || digit > 9) return NOT_QUICK;
    front = front * 10 + digit;
  }
  if (split === end) return front;
  let back = 0;
  for (let at = split; at < end; at++) {
    const digit = bytes[at]! - 0x30;
    if (digit < 0 || digit > 9) return NOT_QUICK;
    back = back * 10 + digit;
  }
  return front * BILLION + back;
}

function writeQuick(out: CopyBuffer, value: number, bytes: number): void {
  const buf = out.buf;
  const at = out.pos;
  putInt32(buf, at, bytes);
  out.pos = at + 4 + bytes;
  if (bytes === 4) {
    putInt32(buf, at + 4, value);
  } else if (bytes === 8) {
    const upper = value < 0x80000000 ? 0 : Math.floor(value / 0x100000000);
    putInt32(buf, at + 4, upper);
    putInt32(buf, at + 8, value - upper * 0x100000000);
  } else {
    buf[at + 4] = value >> 8;
    buf[at + 5] = value;
  }
}

/** "-9223372036854775808" in text; in binary at most 12 bytes. */
const MAX_SIZE = 20;

function integerCodec(type: PgType, options: CodecOptions): Codec {
  const typeName = typeNameOf(type);
  const width = type.typname === 'int2' ? INT2 : type.typname === 'int4' ? INT4 : INT8;
  const { round } = options;
  return {
    typeName,
    maxSize: () => MAX_SIZE,
    encode: (bytes, start, end, out) => {
      const quick = quickWhole(bytes, start, end);
      if (quick >= 0 && quick <= width.quickMost) {
        writeQuick(out, quick, width.bytes);
        return 0;
      }
      const refusal = read(bytes, start, end, width, round);
      if (refusal === 0) writeBinary(out, width.bytes);
      return refusal;
    },
    encodeText: (bytes, start, end, out) => {
      const refusal = read(bytes, start, end, width, round);
      if (refusal === 0) writeText(out);
      return refusal;
    },
    explain: (code) => {
      if (code === OUT_OF_RANGE) return `out of range for ${typeName}`;
      return code === TOO_MANY_DECIMALS ? `not a whole number: ${typeName} has no decimals` : notA(typeName);
    },
    compare: compareSigned,
    identity: null,
  };
}

/**
 * Where `read` leaves the value: high * 10^9 + low, and the sign; every step on it stays below 2^53. Module state
 * instead of an object a cell: a worker thread has its own module.
 */
let high = 0;
let low = 0;
let negative = false;

/** Of a bigint; more significant digits never fit. */
const MAX_DIGITS = 19;
/** Below 2^53 / 10^9: high * 10^9 + low is an exact double. */
const EXACT_HIGH = 9_000_000;

function read(bytes: Buffer, start: number, end: number, width: Width, round: boolean): number {
  let from = start;
  let to = end;
  if (from === to || bytes[from]! <= 0x20 || bytes[to - 1]! <= 0x20) {
    from = skipBlanks(bytes, start, end);
    to = dropBlanks(bytes, from, end);
    if (from === to) return NULL_WRITTEN;
  }
  const sign = bytes[from]!;
  negative = sign === 0x2d;
  if (negative || sign === 0x2b) from += 1;
  const refusal = magnitude(bytes, from, to, round);
  if (refusal !== 0) return refusal;
  return high > width.high || (high === width.high && low > (negative ? width.low : width.low - 1)) ? OUT_OF_RANGE : 0;
}

/** Reads what stands behind the sign into high and low. */
function magnitude(bytes: Buffer, start: number, end: number, round: boolean): number {
  let at = start;
  let digit = 0;
  // nearly every cell: at most nine digits, one pass
  if (end - start <= 9) {
    let value = 0;
    while (at < end && (digit = bytes[at]! - 0x30) >= 0 && digit <= 9) {
      value = value * 10 + digit;
      at += 1;
    }
    high = 0;
    low = value;
    return at === end && at > start ? 0 : decimals(bytes, start, at, end, round);
  }
  while (at < end && bytes[at] === 0x30) at += 1;
  const significant = at;
  while (at < end && (digit = bytes[at]! - 0x30) >= 0 && digit <= 9) at += 1;
  const point = at;
  const split = point - 9;
  high = 0;
  low = 0;
  if (point - significant > MAX_DIGITS) return OUT_OF_RANGE;
  for (at = significant; at < split; at++) high = high * 10 + bytes[at]! - 0x30;
  for (; at < point; at++) low = low * 10 + bytes[at]! - 0x30;
  return point === end ? 0 : decimals(bytes, start, point, end, round);
}

/** What stands behind the whole digits: a point and zeros; other digits only with `round` (half away from zero). */
function decimals(bytes: Buffer, start: number, point: number, end: number, round: boolean): number {
  if (point === end || bytes[point] !== 0x2e || (point === start && point + 1 === end)) return NOT_OF_TYPE;
  let surplus = 0;
  for (let i = point + 1; i < end; i++) {
    const digit = bytes[i]! - 0x30;
    if (digit < 0 || digit > 9) return NOT_OF_TYPE;
    surplus |= digit;
  }
  if (surplus === 0) return 0;
  if (!round) return TOO_MANY_DECIMALS;
  if (bytes[point + 1]! < 0x35) return 0;
  low += 1;
  if (low === BILLION) {
    low = 0;
    high += 1;
  }
  return 0;
}

function writeBinary(out: CopyBuffer, bytes: number): void {
  const buf = out.buf;
  const at = out.pos;
  putInt32(buf, at, bytes);
  out.pos = at + 4 + bytes;
  if (bytes === 8) {
    writeInt64(buf, at + 4);
    return;
  }
  const size = high * BILLION + low;
  const value = negative ? -size : size;
  if (bytes === 4) {
    putInt32(buf, at + 4, value);
  } else {
    buf[at + 4] = value >> 8;
    buf[at + 5] = value;
  }
}

function writeInt64(buf: Buffer, at: number): void {
  let upper = 0;
  let lower = low;
  if (high >= EXACT_HIGH) {
    // high has up to 34 bits: cut at 16, so that each product with 10^9 (30 bits) is exact. No %: on doubles it is a
    // slow call
    const highTop = Math.floor(high / 0x10000);
    const bottom = (high - highTop * 0x10000) * BILLION + low;
    const carry = Math.floor(bottom / 0x10000);
    const top = highTop * BILLION + carry;
    upper = Math.floor(top / 0x10000);
    lower = (top - upper * 0x10000) * 0x10000 + (bottom - carry * 0x10000);
  } else if (high !== 0) {
    const size = high * BILLION + low;
    upper = Math.floor(size / 0x100000000);
    lower = size - upper * 0x100000000;
  }
  if (negative) {
    upper = lower === 0 ? -upper : ~upper;
    lower = -lower;
  }
  putInt32(buf, at, upper);
  putInt32(buf, at + 4, lower);
}

/** Text COPY is the slow fallback: strings are fine here. */
function writeText(out: CopyBuffer): void {
  const whole = high === 0 ? String(low) : String(high) + String(low).padStart(9, '0');
  putAscii(out, negative && whole !== '0' ? `-${whole}` : whole);
}

/** Two's complement: the first byte carries the sign, the rest compares as bytes. */
function compareSigned(a: Buffer, aStart: number, aEnd: number, b: Buffer, bStart: number, bEnd: number): number {
  const signs = ((a[aStart]! << 24) >> 24) - ((b[bStart]! << 24) >> 24);
  return signs !== 0 ? signs : a.compare(b, bStart, bEnd, aStart, aEnd);
}
