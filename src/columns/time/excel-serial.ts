import { dayNumber, FIRST_DAY, LAST_DAY } from './calendar.js';
import { EXACT, NO_OFFSET, NO_SUCH_DAY, NO_SUCH_TIME, NOT_OF_FORM, YEAR_OUT_OF_RANGE, type Moment } from './moment.js';

/** Day 0 of the spreadsheets' count from 1 March 1900 on. */
const DAY_ZERO = dayNumber(1899, 12, 30);
/** Lotus believed in 29 February 1900, and so does Excel: the days before it are counted one higher. */
const LEAP_THAT_WAS_NOT = 60;
const DAY_MS = 86_400_000;
/** More digits are nothing that a double, which the spreadsheet has, could have held. */
const MOST_DIGITS = 15;
const LONGEST_WHOLE = 8;

/**
 * Days as Excel counts them (the system of 1900), the time of day as their fraction, to the millisecond as Excel shows
 * it. `timeOnly`: a fraction without a day.
 */
export function readExcelSerial(bytes: Buffer, start: number, end: number, into: Moment, timeOnly: boolean): number {
  let at = start;
  let whole = 0;
  let digit = 0;
  const negative = at < end && bytes[at] === 0x2d;
  if (negative) at++;
  const first = at;
  for (; at < end && (digit = bytes[at]! - 0x30) >= 0 && digit <= 9; at++)
    if (at - first < LONGEST_WHOLE) whole = whole * 10 + digit;
  const digits = at - first;
  let fraction = 0;
  if (at < end) {
    const from = at + 1;
    if (bytes[at] !== 0x2e || from === end) return NOT_OF_FORM;
    let scale = 1;
    for (at = from; at < end && (digit = bytes[at]! - 0x30) >= 0 && digit <= 9; at++) {
      if (at - from >= MOST_DIGITS) continue;
      fraction = fraction * 10 + digit;
      scale *= 10;
    }
    fraction /= scale;
  }
  if (at !== end || digits === 0) return NOT_OF_FORM;
  if (digits > LONGEST_WHOLE) return YEAR_OUT_OF_RANGE;
  let millis = Math.round(fraction * DAY_MS);
  if (millis === DAY_MS) {
    millis = 0;
    whole += 1;
  }
  into.beyond = EXACT;
  into.offset = NO_OFFSET;
  into.epoch = false;
  into.second = Math.floor(millis / 1000);
  into.micros = (millis - into.second * 1000) * 1000;
  into.day = 0;
  if (timeOnly) return negative || whole > 0 ? NO_SUCH_TIME : 0;
  if (negative || whole === 0 || whole === LEAP_THAT_WAS_NOT) return NO_SUCH_DAY;
  into.day = DAY_ZERO + whole + (whole < LEAP_THAT_WAS_NOT ? 1 : 0);
  return into.day < FIRST_DAY || into.day > LAST_DAY ? YEAR_OUT_OF_RANGE : 0;
}
