import { monthNames, weekdayNames } from '../../columns/time/locale-names.js';

/** Dates whose months have names in other languages than English: `5 févr. 2024`, `5 de mayo de 2024`. */

/** Languages that are tried, those of most files first. */
const LOCALES: readonly string[] =
  'fr de es it pt nl pl sv da nb fi ru uk cs sk hu ro hr sl tr el et lv lt bg id ca'.split(' ');

/** The date that a text begins with. */
export interface LocalDate {
  readonly format: string;
  /** Languages that have these names; at least one. */
  readonly locales: readonly string[];
  /** What stands behind it. */
  readonly rest: string;
}

const WORD = '[\\p{L}\\p{M}]+';
const FORM = new RegExp(
  `^(?:(?<weekday>${WORD})(?<lead>\\.?,? +))?(?<day>\\d{1,2})(?<before>\\. ?|[-/]| de | |)(?<month>${WORD})` +
    '(?<behind>\\.?(?:[-/]| de |,? )|\\.|)(?<year>\\d{4}|\\d{2})(?!\\d)',
  'u',
);

/** null = there is no such date. */
export function localDate(text: string): LocalDate | null {
  const {
    weekday,
    lead = '',
    day = '',
    before = '',
    month = '',
    behind = '',
    year = '',
  } = FORM.exec(text)?.groups ?? {};
  if (month === '' || day === '') return null;
  const locales = LOCALES.filter(
    (locale) =>
      monthNames(locale).find(month).index >= 0 &&
      (weekday === undefined || weekdayNames(locale).find(weekday).index >= 0),
  );
  if (locales.length === 0) return null;
  // The point of an abbreviation is the name's; where points part the date it is the format's.
  const parted = before === '.' ? behind : behind.replace(/^\./, '');
  const date = `%d${before}%b${parted}${year.length === 4 ? '%Y' : '%y'}`;
  const whole = FORM.exec(text)?.[0] ?? '';
  return {
    format: `${weekday === undefined ? '' : `%a${lead.replace(/^\./, '').replace(/ +/, ' ')}`}${date}`,
    locales,
    rest: text.slice(whole.length),
  };
}

/** What to say where several languages read all values alike. */
export const localeDoubt = (locales: readonly string[]): string =>
  `names of months in ${locales.slice(0, 5).join(', ')}: ${locales[0] ?? ''} was taken`;
