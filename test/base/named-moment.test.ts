import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { namedMoment } from '../../src/base/named-moment.js';
import { expandTime } from '../../src/base/time-letters.js';

const dateOf = (letters: Readonly<Record<string, string>>): string | null => namedMoment(letters)?.date ?? null;
const timeOf = (letters: Readonly<Record<string, string>>): string | null =>
  namedMoment({ Y: '2026', ...letters })?.time ?? null;

describe('the date that letters name', () => {
  test.each([
    ['year, month and day', { Y: '2026', m: '11', d: '20' }, '2026-11-20'],
    ['the first of a month', { Y: '2026', m: '11' }, '2026-11-01'],
    ['the first of a year', { Y: '2026' }, '2026-01-01'],
    ['a year of this century', { y: '68', m: '01', d: '02' }, '2068-01-02'],
    ['a year of the last one', { y: '69', m: '01', d: '02' }, '1969-01-02'],
    ['a year before 100', { Y: '0099', m: '12', d: '31' }, '0099-12-31'],
    ['a day of the year', { Y: '2024', j: '366' }, '2024-12-31'],
    ['a short name', { Y: '2026', b: 'NOV', d: '20' }, '2026-11-20'],
    ['a long name', { Y: '2026', B: 'november', d: '20' }, '2026-11-20'],
    ['a week: its Monday', { G: '2026', V: '01' }, '2025-12-29'],
    ['a day of a week', { G: '2026', V: '53', u: '7' }, '2027-01-03'],
    ['a Sunday as 0', { G: '2026', V: '47', w: '0' }, '2026-11-22'],
    ['a week beside the plain year', { Y: '2026', V: '47', a: 'fri' }, '2026-11-20'],
    ['seconds since 1970, in UTC', { s: '1795194000' }, '2026-11-20'],
    ['a weekday that agrees', { Y: '2026', m: '11', d: '20', A: 'Friday' }, '2026-11-20'],
  ])('%s', (_what, letters, date) => {
    expect(dateOf(letters)).toBe(date);
  });

  test.each([
    ['no letters', {}],
    ['no year', { m: '11', d: '20' }],
    ['no month', { Y: '2026', d: '20' }],
    ['only a time', { H: '10', M: '30' }],
    ['a day that does not exist', { Y: '2026', m: '02', d: '29' }],
    ['a day past the year', { Y: '2026', j: '366' }],
    ['a week past the year', { G: '2025', V: '53' }],
    ['the year 0', { Y: '0000', m: '01', d: '01' }],
    ['a weekday that does not agree', { Y: '2026', m: '11', d: '20', a: 'Mon' }],
  ])('none: %s', (_what, letters) => {
    expect(dateOf(letters)).toBeNull();
  });
});

describe('the time that letters name', () => {
  test.each([
    ['hour, minute and second', { H: '06', M: '30', S: '15' }, '06:30:15'],
    ['only the hour', { H: '06' }, '06:00:00'],
    ['microseconds', { H: '06', M: '30', S: '15', f: '000120' }, '06:30:15.000120'],
    ['noon', { I: '12', p: 'PM' }, '12:00:00'],
    ['midnight', { I: '12', p: 'am' }, '00:00:00'],
    ['an afternoon', { I: '03', M: '05', p: 'pm' }, '15:05:00'],
    ['a half that is not told', { I: '03' }, null],
    ['minutes alone', { M: '05' }, null],
    ['none', {}, null],
  ])('%s', (_what, letters, time) => {
    expect(timeOf(letters)).toBe(time);
  });
});

test('what a move target writes with letters is read back', () => {
  const forms = [
    ['Y', 'm', 'd'],
    ['Y', 'j'],
    ['G', 'V', 'u'],
    ['G', 'V', 'a'],
    ['Y', 'b', 'd', 'A'],
    ['y', 'B', 'd', 'w'],
    ['s'],
  ];
  const dates = fc.date({ min: new Date('2001-09-10'), max: new Date('2068-12-31'), noInvalidDate: true });
  fc.assert(
    fc.property(dates, fc.constantFrom(...forms), (date, form) => {
      const letters = Object.fromEntries([...form, 'H', 'M', 'S'].map((one) => [one, expandTime(`%${one}`, date)]));
      const [day, time] = date.toISOString().split('T');
      expect(namedMoment(letters)).toEqual({ date: day, time: time?.slice(0, 8) });
    }),
  );
});
