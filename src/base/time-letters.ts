/**
 * The strftime letters of paths (SPEC 3): what they match in a pattern, and what they become in a move target. English,
 * UTC, ISO weeks. Date formats of columns have their own parser in columns/time/strptime.ts: there letters take values
 * apart.
 */
interface TimeLetter {
  readonly glob: string;
  readonly expand: (date: Date) => string;
}

const DAY_MS = 86_400_000;
const MONTHS = [
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
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

const pad = (value: number, width: number): string => String(value).padStart(width, '0');
const digits = (count: number): string => '[0-9]'.repeat(count);
const letters = (count: number): string => '[A-Za-z]'.repeat(count);
const number = (width: number, value: (date: Date) => number): TimeLetter => ({
  glob: digits(width),
  expand: (date) => pad(value(date), width),
});

const startOfYear = (date: Date): number => Date.UTC(date.getUTCFullYear(), 0, 1);
const dayOfYear = (date: Date): number => Math.floor((date.getTime() - startOfYear(date)) / DAY_MS) + 1;

/** ISO 8601: the week belongs to the year that holds its Thursday. */
function isoWeek(date: Date): { readonly year: number; readonly week: number } {
  const thursday = new Date(date.getTime() + (4 - (date.getUTCDay() || 7)) * DAY_MS);
  return { year: thursday.getUTCFullYear(), week: Math.floor((dayOfYear(thursday) - 1) / 7) + 1 };
}

const LETTERS: Readonly<Record<string, TimeLetter>> = {
  Y: number(4, (d) => d.getUTCFullYear()),
  y: number(2, (d) => d.getUTCFullYear() % 100),
  m: number(2, (d) => d.getUTCMonth() + 1),
  d: number(2, (d) => d.getUTCDate()),
  H: number(2, (d) => d.getUTCHours()),
  I: number(2, (d) => d.getUTCHours() % 12 || 12),
  M: number(2, (d) => d.getUTCMinutes()),
  S: number(2, (d) => d.getUTCSeconds()),
  f: number(6, (d) => d.getUTCMilliseconds() * 1_000),
  j: number(3, dayOfYear),
  G: number(4, (d) => isoWeek(d).year),
  V: number(2, (d) => isoWeek(d).week),
  u: number(1, (d) => d.getUTCDay() || 7),
  w: number(1, (d) => d.getUTCDay()),
  s: number(10, (d) => Math.floor(d.getTime() / 1_000)),
  p: { glob: '[AaPp][Mm]', expand: (d) => (d.getUTCHours() < 12 ? 'AM' : 'PM') },
  b: { glob: letters(3), expand: (d) => MONTHS[d.getUTCMonth()]!.slice(0, 3) },
  // The shortest month and day names have 3 letters (May), 6 (Monday).
  B: { glob: `${letters(3)}*`, expand: (d) => MONTHS[d.getUTCMonth()]! },
  a: { glob: letters(3), expand: (d) => DAYS[d.getUTCDay()]!.slice(0, 3) },
  A: { glob: `${letters(6)}*`, expand: (d) => DAYS[d.getUTCDay()]! },
  '%': { glob: '%', expand: () => '%' },
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

const unfold = (text: string): string =>
  text.replace(/%([%FT])/g, (sign, letter: string) => SHORTHANDS[letter] ?? sign);

const replaceLetters = (text: string, put: (letter: TimeLetter) => string): string =>
  unfold(text).replace(/%(.)/gsu, (sign, name: string) => {
    const letter = Object.hasOwn(LETTERS, name) ? LETTERS[name] : undefined;
    return letter === undefined ? sign : put(letter);
  });
