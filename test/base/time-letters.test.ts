import fc from 'fast-check';
import picomatch from 'picomatch';
import { describe, expect, test } from 'vitest';
import {
  expandTime,
  hasTimeLetter,
  TIME_LETTERS,
  timeLetterProblem,
  timeLettersToGlob,
} from '../../src/base/time-letters.js';

const meets = (pattern: string, name: string): boolean =>
  picomatch.isMatch(name, timeLettersToGlob(pattern), { dot: true });

describe('date letters in patterns', () => {
  test('the pattern of docs/spec meets what it should', () => {
    const pattern = 'orders_%Y%m%d*.csv{,.gz}';
    expect(
      ['orders_20261120.csv', 'orders_20261120_2.csv', 'orders_20261120.csv.gz'].every((name) => meets(pattern, name)),
    ).toBe(true);
    expect(
      [
        'orders_2026112.csv',
        'orders_2026-11-20.csv',
        'orders_20261120.csv.gzip',
        'orders_YYYYmmdd.csv',
        'x_orders_20261120.csv',
      ].some((name) => meets(pattern, name)),
    ).toBe(false);
  });

  test('%Y becomes four digits', () => {
    expect(timeLettersToGlob('a_%Y')).toBe('a_[0-9][0-9][0-9][0-9]');
  });

  test('%% is a literal', () => {
    expect(meets('100%%_%d.csv', '100%_07.csv')).toBe(true);
    expect(meets('%%Y.csv', '%Y.csv')).toBe(true);
    expect(meets('%%F.csv', '%F.csv')).toBe(true);
  });

  test.each(['%', 'a%', '%Q', '%-d', 'x%E'])('%j is told as wrong', (pattern) => {
    expect(timeLetterProblem(pattern)).not.toBeNull();
  });

  test.each(['%Y-%m-%d', '%F', '%T', '%%', 'plain', '100%%'])('%j is right', (pattern) => {
    expect(timeLetterProblem(pattern)).toBeNull();
  });

  test('a literal %% is no date letter', () => {
    expect([hasTimeLetter('a%%b'), hasTimeLetter('a%Y'), hasTimeLetter('a'), hasTimeLetter('%%%d')]).toEqual([
      false,
      true,
      false,
      true,
    ]);
  });

  test('every letter meets what it expands to', () => {
    const instants = fc.date({
      min: new Date('1970-01-01T00:00:00Z'),
      max: new Date('2286-11-20T00:00:00Z'),
      noInvalidDate: true,
    });
    // %s has 10 digits from 2001 on.
    const letters = fc.constantFrom(...TIME_LETTERS.filter((letter) => letter !== 's'));
    fc.assert(
      fc.property(instants, letters, (date, letter) => meets(`x%${letter}y`, expandTime(`x%${letter}y`, date))),
    );
    expect(meets('x%sy', expandTime('x%sy', new Date('2026-11-20T00:00:00Z')))).toBe(true);
  });
});

describe('date letters in move targets', () => {
  const date = new Date('2026-01-02T03:04:05.678Z');

  test.each([
    ['done/%Y/%m', 'done/2026/01'],
    ['%y%m%d-%H%M%S', '260102-030405'],
    ['%F %T', '2026-01-02 03:04:05'],
    ['%j', '002'],
    ['%f', '678000'],
    ['%I%p', '03AM'],
    ['%b %B %a %A', 'Jan January Fri Friday'],
    ['%G-W%V-%u', '2026-W01-5'],
    ['%w', '5'],
    ['%s', '1767323045'],
    ['100%%', '100%'],
    ['%%Y', '%Y'],
  ])('%s is %s', (template, text) => {
    expect(expandTime(template, date)).toBe(text);
  });

  test('the time is UTC, whatever the zone of the host', () => {
    expect(expandTime('%Y-%m-%d %H', new Date('2025-12-31T23:59:59+00:00'))).toBe('2025-12-31 23');
  });

  test.each([
    ['2027-01-01T00:00:00Z', '2026-W53'],
    ['2024-12-30T00:00:00Z', '2025-W01'],
    ['2023-01-01T12:00:00Z', '2022-W52'],
  ])('%s is in ISO week %s', (at, week) => {
    expect(expandTime('%G-W%V', new Date(at))).toBe(week);
  });
});
