import { LAST_DAY, SECONDS_A_DAY } from './calendar.js';
import { notA } from '../cell.js';
import type { CodecOptions } from '../column-type.js';
import { explainZone } from './zone-names.js';

/**
 * What a reader (ISO or strptime) found in a cell. One object for all cells of a codec; all fields are small integers,
 * so that writing them allocates nothing.
 */
export interface Moment {
  /** Day number as calendar.ts counts. */
  day: number;
  /** Second of the day, 0 to 86,399. */
  second: number;
  /** 0 to 999,999. */
  micros: number;
  /** What stands behind the microseconds: one of EXACT, BELOW_HALF, HALF, ABOVE_HALF. */
  beyond: number;
  /** Seconds east of UTC, or NO_OFFSET. */
  offset: number;
  /** A count of seconds since 1970: an instant by its nature, though no offset is written. */
  epoch: boolean;
}

export const newMoment = (): Moment => ({ day: 0, second: 0, micros: 0, beyond: 0, offset: NO_OFFSET, epoch: false });

export const NO_OFFSET = -1_000_000;

export const EXACT = 0;
export const BELOW_HALF = 1;
export const HALF = 2;
export const ABOVE_HALF = 3;

/** Refusals of the temporal codecs; `explainMoment` says them. */
export const NOT_OF_FORM = 1;
export const NO_SUCH_DAY = 2;
export const NO_SUCH_TIME = 3;
export const YEAR_OUT_OF_RANGE = 4;
export const TOO_FINE = 5;
export const HAS_OFFSET = 6;
export const NO_SUCH_LOCAL_TIME = 7;
export const NOT_MIDNIGHT = 8;
export const WRONG_WEEKDAY = 9;
export const NO_SUCH_TIME_THERE = 10;

const POWERS = Int32Array.of(1, 10, 100, 1000, 10_000, 100_000, 1_000_000);

/**
 * Reads the digits of a fraction of a second into `micros` and `beyond`. Returns the position behind the last digit;
 * `at` itself when there is none.
 */
export function readFraction(bytes: Buffer, at: number, end: number, into: Moment): number {
  let micros = 0;
  let i = at;
  let digit = 0;
  const sixth = Math.min(end, at + 6);
  while (i < sixth && (digit = bytes[i]! - 0x30) >= 0 && digit <= 9) {
    micros = micros * 10 + digit;
    i++;
  }
  into.micros = micros * POWERS[6 - (i - at)]!;
  into.beyond = EXACT;
  return i === at + 6 && i < end ? readBeyond(bytes, i, end, into) : i;
}

function readBeyond(bytes: Buffer, at: number, end: number, into: Moment): number {
  let i = at;
  let digit = 0;
  let first = 0;
  let rest = 0;
  for (; i < end && (digit = bytes[i]! - 0x30) >= 0 && digit <= 9; i++) {
    if (i === at) first = digit;
    else rest |= digit;
  }
  into.beyond =
    first === 0 && rest === 0 ? EXACT : first < 5 ? BELOW_HALF : first === 5 && rest === 0 ? HALF : ABOVE_HALF;
  return i;
}

/**
 * Brings the moment to the column's decimals of a second (0 to 6). Digits beyond are a refusal, unless `round`: to the
 * nearest, a half to the later one (half away from zero, for the time of day counts up from 0).
 */
export function fitPrecision(moment: Moment, precision: number, round: boolean): number {
  if (precision === 6 && moment.beyond === EXACT) return 0;
  const unit = POWERS[6 - precision]!;
  const rest = moment.micros % unit;
  if (rest === 0 && moment.beyond === EXACT) return 0;
  if (!round) return TOO_FINE;
  const up = unit === 1 ? moment.beyond >= HALF : rest * 2 >= unit;
  moment.beyond = EXACT;
  moment.micros += (up ? unit : 0) - rest;
  if (moment.micros < 1_000_000) return 0;
  moment.micros = 0;
  moment.second += 1;
  if (moment.second < SECONDS_A_DAY) return 0;
  moment.second = 0;
  moment.day += 1;
  return moment.day > LAST_DAY ? YEAR_OUT_OF_RANGE : 0;
}

/**
 * Reads `Z`, `+HH`, `+HHMM` or `+HH:MM` into `offset`. Returns the position behind it, or -1: no offset, or one beyond
 * 15:59 (PostgreSQL's limit; the widest in use are +14:00 and the -15:56:08 of old Manila).
 */
export function readOffset(bytes: Buffer, at: number, end: number, into: Moment): number {
  const sign = bytes[at];
  if (at >= end) return -1;
  if (sign === 0x5a) {
    into.offset = 0;
    return at + 1;
  }
  if (sign !== 0x2b && sign !== 0x2d) return -1;
  const hours = twoDigits(bytes, at + 1, end);
  if (hours < 0 || hours > 15) return -1;
  let next = at + 3;
  let minutes = 0;
  const colon = next < end && bytes[next] === 0x3a;
  const found = twoDigits(bytes, colon ? next + 1 : next, end);
  if (found >= 0) {
    minutes = found;
    next += colon ? 3 : 2;
  } else if (colon) {
    return -1;
  }
  if (minutes > 59) return -1;
  const seconds = hours * 3600 + minutes * 60;
  into.offset = sign === 0x2b ? seconds : 0 - seconds;
  return next;
}

/** The number that two digits write, or -1 when they are not both digits before `end`. */
export function twoDigits(bytes: Buffer, at: number, end: number): number {
  if (at + 2 > end) return -1;
  const tens = bytes[at]! - 0x30;
  const ones = bytes[at + 1]! - 0x30;
  return tens >>> 0 <= 9 && ones >>> 0 <= 9 ? tens * 10 + ones : -1;
}

/** The words of a refusal. `what` is the type in the config's words, `precision` its decimals of a second. */
export function explainMoment(code: number, what: string, options: CodecOptions, precision = 6): string {
  switch (code) {
    case NO_SUCH_DAY:
      return 'no such day in the calendar';
    case NO_SUCH_TIME:
      return 'no such time of day';
    case YEAR_OUT_OF_RANGE:
      return 'year outside 0001 to 9999';
    case TOO_FINE:
      return precision === 6 ? 'digits past microseconds' : `more than ${precision} decimals of a second`;
    case HAS_OFFSET:
      return 'has an offset from UTC, but the column has no timezone';
    case NO_SUCH_LOCAL_TIME:
      return `this local time does not exist in ${options.timezone ?? 'UTC'}`;
    case NO_SUCH_TIME_THERE:
      return 'this local time does not exist in the zone behind it';
    case NOT_MIDNIGHT:
      return 'a date with a time of day';
    case WRONG_WEEKDAY:
      return 'the weekday is not that of the date';
    default:
      return (
        explainZone(code) ??
        (options.formats.length === 0 ? notA(what) : `${notA(what)} as ${options.formats.join(' or ')}`)
      );
  }
}
