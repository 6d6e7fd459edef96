import { expect, test } from 'vitest';
import {
  dateOf,
  dayNumber,
  daysInMonth,
  FIRST_DAY,
  isLeapYear,
  LAST_DAY,
  UNIX_DAY,
  weekdayOf,
} from '../../src/columns/time/calendar.js';

const MS_A_DAY = 86_400_000;

test('every day from 0001-01-01 to 9999-12-31 has its number, its date and its weekday', () => {
  expect([dayNumber(1, 1, 1), dayNumber(2000, 1, 1), dayNumber(1970, 1, 1), dayNumber(9999, 12, 31)]).toEqual([
    FIRST_DAY,
    0,
    UNIX_DAY,
    LAST_DAY,
  ]);
  let number = FIRST_DAY;
  const wrong: string[] = [];
  for (let year = 1; year <= 9999; year++) {
    for (let month = 1; month <= 12; month++) {
      for (let day = 1; day <= daysInMonth(year, month); day++, number++) {
        if (dayNumber(year, month, day) !== number || dateOf(number) !== year * 10_000 + month * 100 + day)
          wrong.push(`${year}-${month}-${day}`);
      }
    }
  }
  expect(wrong).toEqual([]);
  expect(number).toBe(LAST_DAY + 1);
});

test('weekdays and leap years are those of Date', () => {
  for (let day = FIRST_DAY; day <= LAST_DAY; day += 97)
    expect(weekdayOf(day)).toBe(new Date((day - UNIX_DAY) * MS_A_DAY).getUTCDay());
  const leapYears = [4, 1600, 1996, 2000, 2024, 2400];
  const others = [1, 1700, 1900, 2023, 2100, 9999];
  expect([leapYears.every(isLeapYear), others.some(isLeapYear)]).toEqual([true, false]);
});
