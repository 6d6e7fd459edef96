/**
 * The proleptic Gregorian calendar in whole days. Day 0 is 2000-01-01, PostgreSQL's own beginning
 * (POSTGRES_EPOCH_JDATE), so that a day number is what binary COPY wants. Years 1 to 9999.
 */

/** 0001-01-01 and 9999-12-31. */
export const FIRST_DAY = -730_119;
export const LAST_DAY = 2_921_939;

/** 1970-01-01. */
export const UNIX_DAY = -10_957;

export const SECONDS_A_DAY = 86_400;

/** Days of the year before each month (1 to 12), in a year without leap day. */
const BEFORE_MONTH = Int32Array.of(0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334);
const MONTH_LENGTH = Int32Array.of(0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31);

export const isLeapYear = (year: number): boolean => (year & 3) === 0 && (year % 100 !== 0 || year % 400 === 0);

/** 28 to 31; `month` is 1 to 12. */
export function daysInMonth(year: number, month: number): number {
  return month === 2 && isLeapYear(year) ? 29 : MONTH_LENGTH[month]!;
}

/** Day number of a date that exists. */
export function dayNumber(year: number, month: number, day: number): number {
  const whole = year - 1;
  const leap = month > 2 && isLeapYear(year) ? 1 : 0;
  return (
    FIRST_DAY +
    whole * 365 +
    ((whole / 4) | 0) -
    ((whole / 100) | 0) +
    ((whole / 400) | 0) +
    BEFORE_MONTH[month]! +
    leap +
    day -
    1
  );
}

/** 0 = Sunday. 2000-01-01 was a Saturday. */
export function weekdayOf(day: number): number {
  return (((day + 6) % 7) + 7) % 7;
}

const DAYS_IN_400_YEARS = 146_097;
/** Day number of 0000-03-01: with years that begin in March the leap day is the last of its year. */
const MARCH_OF_YEAR_0 = FIRST_DAY - 306;

/**
 * The date of a day number as year * 10,000 + month * 100 + day: one number, no object. Algorithm: H. Hinnant,
 * civil_from_days.
 */
export function dateOf(day: number): number {
  const shifted = day - MARCH_OF_YEAR_0;
  const era = Math.floor(shifted / DAYS_IN_400_YEARS);
  const dayOfEra = shifted - era * DAYS_IN_400_YEARS;
  const yearOfEra =
    ((dayOfEra - ((dayOfEra / 1460) | 0) + ((dayOfEra / 36_524) | 0) - ((dayOfEra / 146_096) | 0)) / 365) | 0;
  const dayOfYear = dayOfEra - (365 * yearOfEra + ((yearOfEra / 4) | 0) - ((yearOfEra / 100) | 0));
  const marchMonth = ((5 * dayOfYear + 2) / 153) | 0;
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  return year * 10_000 + month * 100 + dayOfYear - (((153 * marchMonth + 2) / 5) | 0) + 1;
}
