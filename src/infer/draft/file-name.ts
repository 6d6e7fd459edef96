import path from 'node:path';
import { columnNames } from '../../formats/names.js';

/** Days in names, most telling form first. A day must be one of the calendar, so that article numbers are none. */
const DATES: readonly (readonly [RegExp, string])[] = [
  [/(?<!\d)(?:19|20)\d{2}([-_.]?)(?:0[1-9]|1[0-2])\1(?:0[1-9]|[12]\d|3[01])(?!\d)/, '%Y~%m~%d'],
  [
    /(?<!\d)(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])()(?=(?:[01]\d|2[0-3])[0-5]\d(?:[0-5]\d)?(?!\d))/,
    '%Y%m%d',
  ],
  [/(?<!\d)(?:0[1-9]|[12]\d|3[01])([-_.]?)(?:0[1-9]|1[0-2])\1(?:19|20)\d{2}(?!\d)/, '%d~%m~%Y'],
  [/(?<!\d)(?:19|20)\d{2}([-_.]?)(?:0[1-9]|1[0-2])(?!\d)/, '%Y~%m'],
  [
    /(?<!\d)(?:0[1-9]|[12]\d|3[01])()(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)(?:19|20)\d{2}(?!\d)/i,
    '%d%b%Y',
  ],
  [/(?<!\d)\d{2}([-_.]?)(?:0[1-9]|1[0-2])\1(?:0[1-9]|[12]\d|3[01])(?!\d)/, '%y~%m~%d'],
  [/(?<!\d)(?:19|20)\d{2}()(?!\d)/, '%Y'],
];
/** A time behind the day. */
const CLOCK = /^([-_T.]?)(?:[01]\d|2[0-3])([-_.]?)[0-5]\d(?:(\2)[0-5]\d)?(?!\d)/;

export interface DraftPattern {
  /** Glob with strftime letters, as `source.pattern` takes it. */
  readonly pattern: string;
  /** The first day that a name holds, in seconds since 2000; null = none. */
  readonly date: number | null;
}

/** A pattern that all these names meet: dates as letters, then what differs as `*`. */
export function patternOf(names: readonly string[]): DraftPattern {
  const found = names.map(withLetters);
  const patterns = [...new Set(found.map(({ pattern }) => pattern))];
  const [first] = patterns;
  const date = found.find((one) => one.date !== null)?.date ?? null;
  if (first === undefined) return { pattern: '*', date };
  if (patterns.length === 1) return { pattern: first, date };
  // By whole tokens: a cut through `%Y` or `[0-9]` would be no pattern.
  const lists = patterns.map(tokens);
  const shortest = Math.min(...lists.map((list) => list.length));
  const same = (at: (list: readonly string[]) => string | undefined): boolean =>
    lists.every((list) => at(list) === at(lists[0] ?? []));
  let head = 0;
  while (head < shortest && same((list) => list[head])) head++;
  let tail = 0;
  while (tail < shortest - head && same((list) => list[list.length - 1 - tail])) tail++;
  const list = lists[0] ?? [];
  return { pattern: `${list.slice(0, head).join('')}*${tail === 0 ? '' : list.slice(-tail).join('')}`, date };
}

const tokens = (pattern: string): string[] => pattern.match(/%.|\[[^\]]*\]|[^%[]/gsu) ?? [];

function withLetters(name: string): DraftPattern {
  for (const [date, letters] of DATES) {
    const match = date.exec(name);
    if (match === null) continue;
    const behind = name.slice(match.index + match[0].length);
    const clock = letters.endsWith('%d') ? CLOCK.exec(behind) : null;
    const time =
      clock === null ? '' : `${clock[1] ?? ''}%H${clock[2] ?? ''}%M${clock[3] === undefined ? '' : `${clock[3]}%S`}`;
    const rest = behind.slice(clock?.[0].length ?? 0);
    return {
      pattern: literal(name.slice(0, match.index)) + letters.replaceAll('~', match[1] ?? '') + time + literal(rest),
      date: dayOf(match[0], letters),
    };
  }
  return { pattern: literal(name), date: null };
}

/** Signs of globs and date letters stand for themselves. `?` takes the place of those that a class cannot hold. */
const literal = (text: string): string => text.replace(/[*?[\]{}()!+@\\^|,$]/g, '?').replaceAll('%', '%%');

function dayOf(text: string, letters: string): number | null {
  const digits = text.replace(/\D/g, '');
  const part = (from: number, length: number): number => Number(digits.slice(from, from + length));
  const day =
    letters.startsWith('%Y~%m~%d') || letters === '%Y%m%d'
      ? Date.UTC(part(0, 4), part(4, 2) - 1, part(6, 2))
      : letters.startsWith('%d~%m')
        ? Date.UTC(part(4, 4), part(2, 2) - 1, part(0, 2))
        : null;
  return day === null ? null : (day - Date.UTC(2000, 0, 1)) / 1_000;
}

/** A feed's name from the first file's: its stem without dates and numbers. */
export function feedNameOf(file: string): string {
  const stem = path.basename(file).replace(/(?:\.[A-Za-z0-9]{1,8}){1,3}$/, '') || path.basename(file);
  const bare = DATES.reduce((text, [date]) => text.replace(date, ' '), stem)
    .replace(/(?<=[ _\-.])[T\d_\-.]+$/, '')
    .replace(/^[ _\-.][T\d_\-.]*[ _\-.]/, '');
  const [name] = columnNames([bare], 'snake');
  const [whole] = columnNames([stem], 'snake');
  const chosen = name === undefined || name === 'column_1' ? whole : name;
  return chosen === undefined || chosen === 'column_1' || chosen === 'none' ? 'new_feed' : chosen;
}
