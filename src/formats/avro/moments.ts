import type { JsonOut } from './json-out.js';
import type { WholeLogical } from './schema.js';

const DAY_MS = 86_400_000;
const COLON = 0x3a;
const DASH = 0x2d;
const POINT = 0x2e;
const LETTER_T = 0x54;
const LETTER_Z = 0x5a;

/** Units of a logical type in a second, and digits behind the point. */
const UNITS: Readonly<Record<Exclude<WholeLogical, 'date'>, readonly [perSecond: number, digits: number]>> = {
  'time-millis': [1e3, 3],
  'time-micros': [1e6, 6],
  'timestamp-millis': [1e3, 3],
  'timestamp-micros': [1e6, 6],
  'timestamp-nanos': [1e9, 9],
  'local-timestamp-millis': [1e3, 3],
  'local-timestamp-micros': [1e6, 6],
  'local-timestamp-nanos': [1e9, 9],
};

/**
 * Days that an ISO date of this calendar can tell; beyond, the number itself is written, which no date column takes.
 */
const FARTHEST_DAY = 100_000_000;

/**
 * Writes a number of a date or time type as ISO 8601 text, exactly, all digits of its unit. Instants end in `Z`, local
 * times do not. False: it is no date or time (25 o'clock), and nothing was written.
 */
export function putMoment(logical: WholeLogical, value: number | bigint, out: JsonOut): boolean {
  if (logical === 'date') return putDate(Number(value), out);
  const [perSecond, digits] = UNITS[logical];
  const [day, rest] = split(value, perSecond * 86_400);
  if (logical.startsWith('time-')) {
    if (day !== 0) return false;
    putTime(rest, perSecond, digits, out);
    return true;
  }
  if (!putDate(day, out)) return false;
  out.byte(LETTER_T);
  putTime(rest, perSecond, digits, out);
  if (logical.startsWith('timestamp-')) out.byte(LETTER_Z);
  return true;
}

/** Whole days and what is left, also of numbers that no double holds. The day's part is below 2 ** 47 in any unit. */
function split(value: number | bigint, perDay: number): readonly [day: number, rest: number] {
  if (typeof value === 'number') {
    const day = Math.floor(value / perDay);
    return [day, value - day * perDay];
  }
  const unit = BigInt(perDay);
  const rest = ((value % unit) + unit) % unit;
  return [Number((value - rest) / unit), Number(rest)];
}

function putDate(day: number, out: JsonOut): boolean {
  if (!(Math.abs(day) <= FARTHEST_DAY)) return false;
  const date = new Date(day * DAY_MS);
  const year = date.getUTCFullYear();
  if (year < 0) out.byte(DASH);
  if (Math.abs(year) > 9_999) out.whole(Math.abs(year));
  else out.digits(Math.abs(year), 4);
  out.byte(DASH);
  out.digits(date.getUTCMonth() + 1, 2);
  out.byte(DASH);
  out.digits(date.getUTCDate(), 2);
  return true;
}

function putTime(rest: number, perSecond: number, digits: number, out: JsonOut): void {
  const seconds = Math.floor(rest / perSecond);
  const minutes = Math.floor(seconds / 60);
  out.digits(Math.floor(minutes / 60), 2);
  out.byte(COLON);
  out.digits(minutes % 60, 2);
  out.byte(COLON);
  out.digits(seconds % 60, 2);
  out.byte(POINT);
  out.digits(rest - seconds * perSecond, digits);
}
