import { dayNumber, daysInMonth } from './calendar.js';
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
 * SPEC 7: `YYYY-MM-DD`, then `T` or a blank and `HH:MM[:SS[.ffffff]]`, then `Z` or an offset. A date alone is its midnight.
 * By fixed positions: no search, no table, no string.
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
