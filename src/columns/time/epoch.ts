import { FIRST_DAY, LAST_DAY, SECONDS_A_DAY, UNIX_DAY } from './calendar.js';
import {
  ABOVE_HALF,
  BELOW_HALF,
  EXACT,
  HALF,
  NOT_OF_FORM,
  readFraction,
  YEAR_OUT_OF_RANGE,
  type Moment,
} from './moment.js';

/**
 * The years 1 to 9999 in seconds have 12 digits, in milliseconds 15: longer ones are out of range, and these stay exact
 * in a double.
 */
const MOST_DIGITS = 15;

/**
 * A count since 1970-01-01 UTC, with decimals, no digit of which goes through a fraction of a double: `shift` 0 =
 * seconds, 3 = milliseconds. The moment is the UTC time, with offset 0 and `epoch`.
 */
export function readEpoch(bytes: Buffer, start: number, end: number, shift: 0 | 3, into: Moment): number {
  let at = start;
  const sign = bytes[at];
  const negative = sign === 0x2d;
  if (at < end && (negative || sign === 0x2b)) at++;
  const firstDigit = at;
  while (at < end && bytes[at] === 0x30) at++;
  const significant = at;
  let whole = 0;
  let digit = 0;
  while (at < end && (digit = bytes[at]! - 0x30) >= 0 && digit <= 9) {
    if (at - significant < MOST_DIGITS) whole = whole * 10 + digit;
    at++;
  }
  const tooLong = at - significant > MOST_DIGITS;
  if (at === firstDigit) return NOT_OF_FORM;
  into.micros = 0;
  into.beyond = EXACT;
  if (at < end) {
    const next = bytes[at] === 0x2e ? readDecimals(bytes, at + 1, end, shift, into) : at;
    if (next !== end || next === at + 1) return NOT_OF_FORM;
  }
  if (tooLong) return YEAR_OUT_OF_RANGE;
  let seconds = whole;
  if (shift === 3) {
    seconds = Math.floor(whole / 1000);
    into.micros += (whole - seconds * 1000) * 1000;
  }
  return place(negative ? negate(seconds, into) : seconds, into);
}

/** Digits of the years 1 to 9999 in seconds. */
const SECOND_DIGITS = 12;

/**
 * The same in microseconds (`shift` 6) or nanoseconds (9): more digits than a double holds, so that the last `shift`
 * are read as decimals of the second. What is finer than a microsecond is `beyond`: refused unless the column rounds.
 */
export function readFineEpoch(bytes: Buffer, start: number, end: number, shift: 6 | 9, into: Moment): number {
  let at = start;
  const negative = bytes[at] === 0x2d;
  if (at < end && (negative || bytes[at] === 0x2b)) at++;
  const first = at;
  while (at < end && isDigit(bytes[at]!)) at++;
  const point = at;
  if (point === first) return NOT_OF_FORM;
  if (at < end) {
    if (bytes[at] !== 0x2e || at + 1 === end) return NOT_OF_FORM;
    for (at++; at < end && isDigit(bytes[at]!);) at++;
    if (at !== end) return NOT_OF_FORM;
  }
  const seconds = point - shift;
  let from = first;
  while (from < seconds && bytes[from] === 0x30) from++;
  if (seconds - from > SECOND_DIGITS) return YEAR_OUT_OF_RANGE;
  let whole = 0;
  for (let i = from; i < seconds; i++) whole = whole * 10 + bytes[i]! - 0x30;
  into.micros = 0;
  for (let i = seconds; i < seconds + 6; i++) into.micros = into.micros * 10 + (i < first ? 0 : bytes[i]! - 0x30);
  let highest = 0;
  let rest = 0;
  for (let i = Math.max(first, seconds + 6); i < end; i++) {
    const digit = bytes[i]! - 0x30;
    if (i === point) continue;
    if (i === (seconds + 6 < point ? seconds + 6 : point + 1)) highest = digit;
    else rest |= digit;
  }
  into.beyond =
    highest === 0 && rest === 0 ? EXACT : highest < 5 ? BELOW_HALF : highest === 5 && rest === 0 ? HALF : ABOVE_HALF;
  return place(negative ? negate(whole, into) : whole, into);
}

const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39;

/** Decimals of a second are microseconds as they stand; of a millisecond the first three digits are. */
function readDecimals(bytes: Buffer, at: number, end: number, shift: 0 | 3, into: Moment): number {
  const next = readFraction(bytes, at, end, into);
  if (shift === 0) return next;
  const surplus = into.micros % 1000;
  into.micros = (into.micros - surplus) / 1000;
  if (surplus !== 0 || into.beyond !== EXACT) {
    into.beyond = surplus < 500 ? BELOW_HALF : surplus === 500 && into.beyond === EXACT ? HALF : ABOVE_HALF;
  }
  return next;
}

/**
 * -(seconds + micros + beyond), counted forward from the second before: -1.25 s is second -2 and 750,000 microseconds.
 */
function negate(seconds: number, into: Moment): number {
  const counted = into.beyond === EXACT ? into.micros : into.micros + 1;
  if (into.beyond !== EXACT)
    into.beyond = into.beyond === BELOW_HALF ? ABOVE_HALF : into.beyond === ABOVE_HALF ? BELOW_HALF : into.beyond;
  if (counted === 0) return 0 - seconds;
  into.micros = 1_000_000 - counted;
  return -1 - seconds;
}

function place(seconds: number, into: Moment): number {
  const day = Math.floor(seconds / SECONDS_A_DAY);
  if (day + UNIX_DAY < FIRST_DAY || day + UNIX_DAY > LAST_DAY) return YEAR_OUT_OF_RANGE;
  into.day = day + UNIX_DAY;
  into.second = seconds - day * SECONDS_A_DAY;
  into.offset = 0;
  into.epoch = true;
  return 0;
}
