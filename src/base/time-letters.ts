/**
 * The strftime letters of paths (docs/spec/configuration.md#values): what they match in a pattern, and what they become
 * in a move target. English, UTC, ISO weeks. Date formats of columns have their own parser in columns/time/strptime.ts:
 * there letters take values apart.
 */
interface TimeLetter {
  readonly glob: string;
  /** Regular expression of the texts of the glob that are such a part of a date: no month 13. */
  readonly part: string;
  readonly expand: (date: Date) => string;
}

const DAY_MS = 86_400_000;
/** January is 0. */
export const MONTHS: readonly string[] = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];
/** Sunday is 0. */
export const DAYS: readonly string[] = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

const pad = (value: number, width: number): string => String(value).padStart(width, '0');
const digits = (count: number): string => '[0-9]'.repeat(count);
const letters = (count: number): string => '[A-Za-z]'.repeat(count);
/** One of the names, in any case whatever the flags. */
const anyOf = (names: readonly string[]): string =>
  names.map((name) => name.replace(/./g, (sign) => `[${sign.toUpperCase()}${sign.toLowerCase()}]`)).join('|');
const short = (names: readonly string[]): readonly string[] => names.map((name) => name.slice(0, 3));
const number = (width: number, value: (date: Date) => number, part = `[0-9]{${width}}`): TimeLetter => ({
  glob: digits(width),
  part,
  expand: (date) => pad(value(date), width),
});

const startOfYear = (date: Date): number => Date.UTC(date.getUTCFullYear(), 0, 1);
const dayOfYear = (date: Date): number => Math.floor((date.getTime() - startOfYear(date)) / DAY_MS) + 1;

/** ISO 8601: the week belongs to the year that holds its Thursday. */
export function isoWeek(date: Date): { readonly year: number; readonly week: number } {
  const thursday = new Date(date.getTime() + (4 - (date.getUTCDay() || 7)) * DAY_MS);
  return { year: thursday.getUTCFullYear(), week: Math.floor((dayOfYear(thursday) - 1) / 7) + 1 };
}

const LETTERS: Readonly<Record<string, TimeLetter>> = {
  Y: number(4, (d) => d.getUTCFullYear()),
  y: number(2, (d) => d.getUTCFullYear() % 100),
  m: number(2, (d) => d.getUTCMonth() + 1, '0[1-9]|1[0-2]'),
  d: number(2, (d) => d.getUTCDate(), '0[1-9]|[12][0-9]|3[01]'),
  H: number(2, (d) => d.getUTCHours(), '[01][0-9]|2[0-3]'),
  I: number(2, (d) => d.getUTCHours() % 12 || 12, '0[1-9]|1[0-2]'),
  M: number(2, (d) => d.getUTCMinutes(), '[0-5][0-9]'),
  S: number(2, (d) => d.getUTCSeconds(), '[0-5][0-9]'),
  f: number(6, (d) => d.getUTCMilliseconds() * 1_000),
  j: number(3, dayOfYear, '00[1-9]|0[1-9][0-9]|[12][0-9]{2}|3[0-5][0-9]|36[0-6]'),
  G: number(4, (d) => isoWeek(d).year),
  V: number(2, (d) => isoWeek(d).week, '0[1-9]|[1-4][0-9]|5[0-3]'),
  u: number(1, (d) => d.getUTCDay() || 7, '[1-7]'),
  w: number(1, (d) => d.getUTCDay(), '[0-6]'),
  s: number(10, (d) => Math.floor(d.getTime() / 1_000)),
  p: { glob: '[AaPp][Mm]', part: '[AaPp][Mm]', expand: (d) => (d.getUTCHours() < 12 ? 'AM' : 'PM') },
  b: { glob: letters(3), part: anyOf(short(MONTHS)), expand: (d) => MONTHS[d.getUTCMonth()]!.slice(0, 3) },
  // The shortest month and day names have 3 letters (May), 6 (Monday).
  B: { glob: `${letters(3)}*`, part: anyOf(MONTHS), expand: (d) => MONTHS[d.getUTCMonth()]! },
  a: { glob: letters(3), part: anyOf(short(DAYS)), expand: (d) => DAYS[d.getUTCDay()]!.slice(0, 3) },
  A: { glob: `${letters(6)}*`, part: anyOf(DAYS), expand: (d) => DAYS[d.getUTCDay()]! },
  '%': { glob: '%', part: '%', expand: () => '%' },
};
/** Letters that stand for others. */
const SHORTHANDS: Readonly<Record<string, string>> = { F: '%Y-%m-%d', T: '%H:%M:%S' };

export const TIME_LETTERS: readonly string[] = [...Object.keys(LETTERS), ...Object.keys(SHORTHANDS)];

/** What is wrong with the `%` signs of a pattern or move target; null when nothing is. */
export function timeLetterProblem(text: string): string | null {
  for (const [sign, letter] of unfold(text).matchAll(/%(.|$)/gsu)) {
    if (letter === '' || letter === undefined) return 'a single % at the end; a literal % is written %%';
    if (!Object.hasOwn(LETTERS, letter)) return `${sign} is no date letter; a literal % is written %%`;
  }
  return null;
}

/** True when the text holds a date letter (a literal `%%` is none). */
export const hasTimeLetter = (text: string): boolean => text.replaceAll('%%', '').includes('%');

/** The glob with date letters as digit classes. Letters that timeLetterProblem refuses stay as they are. */
export const timeLettersToGlob = (pattern: string): string => replaceLetters(pattern, (letter) => letter.glob);

/** A move target with date letters filled in, in UTC: `done/%Y/%m` -> `done/2026/11`. */
export const expandTime = (template: string, date: Date): string =>
  replaceLetters(template, (letter) => letter.expand(date));

/** The pattern with each date letter as `put` has it; a literal `%%` becomes `%`. */
export const withTimeLetters = (pattern: string, put: (letter: string) => string): string =>
  replaceLetters(pattern, (_, name) => (name === '%' ? '%' : put(name)));

/** Regular expression of what stands for a letter of TIME_LETTERS in a name. */
export const timeLetterPart = (letter: string): string => LETTERS[letter]?.part ?? '(?!)';

const unfold = (text: string): string =>
  text.replace(/%([%FT])/g, (sign, letter: string) => SHORTHANDS[letter] ?? sign);

const replaceLetters = (text: string, put: (letter: TimeLetter, name: string) => string): string =>
  unfold(text).replace(/%(.)/gsu, (sign, name: string) => {
    const letter = Object.hasOwn(LETTERS, name) ? LETTERS[name] : undefined;
    return letter === undefined ? sign : put(letter, name);
  });
