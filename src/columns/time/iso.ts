import { dayNumber, daysInMonth, SECONDS_A_DAY } from './calendar.js';
import {
  EXACT,
  NO_OFFSET,
  NO_SUCH_DAY,
  NO_SUCH_TIME,
  NOT_OF_FORM,
  readFraction,
  readOffset,
  twoDigits,
  YEAR_OUT_OF_RANGE,
  type Moment,
} from './moment.js';

const DASH = 0x2d;
const COLON = 0x3a;
const POINT = 0x2e;
const BLANK = 0x20;
const LETTER_T = 0x54;

/** Reads a cell without blanks around it. 0 or a refusal; then the moment holds nothing of use. */
export type ReadMoment = (bytes: Buffer, start: number, end: number, into: Moment) => number;

/**
 * `YYYY-MM-DD`, then `T` or a blank and `HH:MM[:SS[.ffffff]]`, then `Z` or an offset. A date alone is its midnight. By
 * fixed positions: no search, no table, no string.
 */
export function readIsoDateTime(bytes: Buffer, start: number, end: number, into: Moment): number {
  const timeAt = start + 11;
  if (end - start < 10 || bytes[start + 4] !== DASH || bytes[start + 7] !== DASH) return NOT_OF_FORM;
  const century = twoDigits(bytes, start, end);
  const yearOfCentury = twoDigits(bytes, start + 2, end);
  const month = twoDigits(bytes, start + 5, end);
  const day = twoDigits(bytes, start + 8, end);
  if (century < 0 || yearOfCentury < 0 || month < 0 || day < 0) return NOT_OF_FORM;
  into.second = 0;
  into.micros = 0;
  into.beyond = EXACT;
  into.offset = NO_OFFSET;
  if (timeAt <= end) {
    const separator = bytes[timeAt - 1];
    if (separator !== LETTER_T && separator !== BLANK) return NOT_OF_FORM;
    const code = readClock(bytes, timeAt, end, into, true);
    if (code !== 0) return code;
  }
  const year = century * 100 + yearOfCentury;
  if (year === 0) return YEAR_OUT_OF_RANGE;
  if (month === 0 || month > 12 || day === 0 || day > daysInMonth(year, month)) return NO_SUCH_DAY;
  into.day = dayNumber(year, month, day);
  return 0;
}

/** `HH:MM[:SS[.ffffff]]`, for time columns. */
export function readIsoTime(bytes: Buffer, start: number, end: number, into: Moment): number {
  into.day = 0;
  into.second = 0;
  into.micros = 0;
  into.beyond = EXACT;
  into.offset = NO_OFFSET;
  return readClock(bytes, start, end, into, false);
}

function readClock(bytes: Buffer, start: number, end: number, into: Moment, offsetAllowed: boolean): number {
  const hour = twoDigits(bytes, start, end);
  const minute = twoDigits(bytes, start + 3, end);
  if (hour < 0 || minute < 0 || bytes[start + 2] !== COLON) return NOT_OF_FORM;
  let second = 0;
  let at = start + 5;
  if (at < end && bytes[at] === COLON) {
    second = twoDigits(bytes, at + 1, end);
    if (second < 0) return NOT_OF_FORM;
    at += 3;
    if (at < end && bytes[at] === POINT) {
      const fraction = at + 1;
      at = readFraction(bytes, fraction, end, into);
      if (at === fraction) return NOT_OF_FORM;
    }
  }
  if (at !== end && (!offsetAllowed || readOffset(bytes, at, end, into) !== end)) return NOT_OF_FORM;
  if (hour > 23 || minute > 59 || second > 59) return NO_SUCH_TIME;
  into.second = hour * 3600 + minute * 60 + second;
  return 0;
}

const LETTER_Z = 0x5a;
/** quickIsoSeconds: another form, or something wrong with it: readIsoDateTime tells. */
export const NOT_QUICK = Infinity;

/**
 * `YYYY-MM-DD HH:MM:SS`, and with a `Z` behind it where `utc` is true: the two forms of nearly all timestamps, without
 * a moment in between (half the time of readIsoDateTime). Returns seconds since 2000-01-01, or NOT_QUICK. `d | (9 - d)`
 * is negative for a byte that is no digit, so that one test serves all fourteen.
 */
export function quickIsoSeconds(bytes: Buffer, start: number, end: number, utc: boolean): number {
  if (end - start !== (utc ? 20 : 19)) return NOT_QUICK;
  const separator = bytes[start + 10]!;
  if (
    bytes[start + 4] !== DASH ||
    bytes[start + 7] !== DASH ||
    (separator !== LETTER_T && separator !== BLANK) ||
    bytes[start + 13] !== COLON ||
    bytes[start + 16] !== COLON ||
    (utc && bytes[start + 19] !== LETTER_Z)
  ) {
    return NOT_QUICK;
  }
  const day = quickDay(bytes, start);
  const h1 = bytes[start + 11]! - 0x30;
  const h2 = bytes[start + 12]! - 0x30;
  const m1 = bytes[start + 14]! - 0x30;
  const m2 = bytes[start + 15]! - 0x30;
  const s1 = bytes[start + 17]! - 0x30;
  const s2 = bytes[start + 18]! - 0x30;
  if (
    day === NO_DAY ||
    (h1 | (9 - h1) | h2 | (9 - h2) | m1 | (9 - m1) | m2 | (9 - m2) | s1 | (9 - s1) | s2 | (9 - s2)) < 0
  )
    return NOT_QUICK;
  const hour = h1 * 10 + h2;
  const minute = m1 * 10 + m2;
  const second = s1 * 10 + s2;
  if (hour > 23 || minute > 59 || second > 59) return NOT_QUICK;
  return day * SECONDS_A_DAY + hour * 3600 + minute * 60 + second;
}

/** `YYYY-MM-DD` and nothing else, as quickIsoSeconds. Returns the day number, or NOT_QUICK. */
export function quickIsoDay(bytes: Buffer, start: number, end: number): number {
  if (end - start !== 10 || bytes[start + 4] !== DASH || bytes[start + 7] !== DASH) return NOT_QUICK;
  const day = quickDay(bytes, start);
  return day === NO_DAY ? NOT_QUICK : day;
}

/** Far below the first day of year 1. */
const NO_DAY = -(2 ** 30);

/** Day number of `YYYY?MM?DD`, or NO_DAY. */
function quickDay(bytes: Buffer, start: number): number {
  const y1 = bytes[start]! - 0x30;
  const y2 = bytes[start + 1]! - 0x30;
  const y3 = bytes[start + 2]! - 0x30;
  const y4 = bytes[start + 3]! - 0x30;
  const o1 = bytes[start + 5]! - 0x30;
  const o2 = bytes[start + 6]! - 0x30;
  const d1 = bytes[start + 8]! - 0x30;
  const d2 = bytes[start + 9]! - 0x30;
  if (
    (y1 |
      (9 - y1) |
      y2 |
      (9 - y2) |
      y3 |
      (9 - y3) |
      y4 |
      (9 - y4) |
      o1 |
      (9 - o1) |
      o2 |
      (9 - o2) |
      d1 |
      (9 - d1) |
      d2 |
      (9 - d2)) <
    0
  )
    return NO_DAY;
  const year = y1 * 1000 + y2 * 100 + y3 * 10 + y4;
  const month = o1 * 10 + o2;
  const day = d1 * 10 + d2;
  if (year === 0 || month === 0 || month > 12 || day === 0 || (day > 28 && day > daysInMonth(year, month)))
    return NO_DAY;
  return dayNumber(year, month, day);
}
