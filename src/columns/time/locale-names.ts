/**
 * Names of months and weekdays in other languages than English, as Intl (CLDR) has them: long and short, alone and
 * within a date (`January` and `of January` differ in Russian or Polish), in any case, with or without accents and the
 * point of an abbreviation; and their beginnings of three letters and more where one name alone begins so.
 */

export interface NameTable {
  /** Index of the name that stands at the beginning of the text, and its length; -1 = none, or one of several. */
  find(text: string): { readonly index: number; readonly length: number };
}

const NOTHING = { index: -1, length: 0 };
/** Shortest beginning of a name that stands for it. */
const LEAST_LETTERS = 3;
/** 5 January 2020 was a Sunday. */
const SUNDAY = Date.UTC(2020, 0, 5);
const DAY_MS = 86_400_000;

/** Why there are no names in that language; null = there are. */
export function localeProblem(locale: string): string | null {
  const problem = `locale ${JSON.stringify(locale)} is no language that is known (such as fr or pt-BR)`;
  if (!isKnown(locale)) return problem;
  return monthNames(locale).find('').index === NUMBERED
    ? `locale ${JSON.stringify(locale)} writes months as numbers: use %m`
    : null;
}

function isKnown(locale: string): boolean {
  try {
    return Intl.DateTimeFormat.supportedLocalesOf(locale).length > 0;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** `find` of a table whose names are numbers. */
const NUMBERED = -2;

export const monthNames = (locale: string): NameTable => tableOf(locale, 'month');
/** 0 = Sunday. */
export const weekdayNames = (locale: string): NameTable => tableOf(locale, 'weekday');

const tables = new Map<string, NameTable>();

function tableOf(locale: string, what: 'month' | 'weekday'): NameTable {
  const key = `${what} ${locale}`;
  const known = tables.get(key);
  if (known !== undefined) return known;
  const made = makeTable(locale, what);
  tables.set(key, made);
  return made;
}

function makeTable(locale: string, what: 'month' | 'weekday'): NameTable {
  // Config validation has refused it; until then nothing is read by it.
  if (!isKnown(locale)) return { find: () => NOTHING };
  // Some languages have no short names of months, but numbers.
  const names = spellings(locale, what, what === 'month' ? 12 : 7).map((list) =>
    list.filter((name) => !/\p{Nd}/u.test(name)),
  );
  if (names.some((list) => list.length === 0)) return { find: () => ({ index: NUMBERED, length: 0 }) };
  const whole = meanings(names.map((list) => list.flatMap((name) => written(name, locale))));
  const beginnings = meanings(
    names.map((list) => list.flatMap((name) => beginningsOf(name).flatMap((part) => written(part, locale)))),
  );
  // Names such as `de gener` are no single word.
  const longest = Math.max(0, ...names.flat().flatMap((name) => (/^[\p{L}\p{M}]+$/u.test(name) ? [] : [name.length])));
  const meaning = (text: string): number | undefined => {
    for (const form of [text.toLocaleLowerCase(locale), text.toLowerCase()]) {
      const index = whole.get(form) ?? beginnings.get(form);
      if (index !== undefined) return index;
    }
    return undefined;
  };
  return {
    find: (text) => {
      for (let length = Math.min(longest, text.length); length > 0; length--) {
        if (isLetter(text, length) && isLetter(text, length - 1)) continue;
        const index = meaning(text.slice(0, length));
        if (index !== undefined) return { index, length };
      }
      const word = WORD.exec(text)?.[0] ?? '';
      const index = meaning(word.normalize('NFC'));
      return index === undefined ? NOTHING : { index, length: word.length };
    },
  };
}

const WORD = /^[\p{L}\p{M}]+/u;
const isLetter = (text: string, at: number): boolean => /[\p{L}\p{M}]/u.test(text.charAt(at));

/** All that Intl calls each of them, without the point of an abbreviation. */
function spellings(locale: string, what: 'month' | 'weekday', count: number): string[][] {
  const styles = ['long', 'short'] as const;
  const formats = styles.flatMap((style) => {
    const alone: Intl.DateTimeFormatOptions = {
      calendar: 'gregory',
      timeZone: 'UTC',
      ...(what === 'month' ? { month: style } : { weekday: style }),
    };
    const dated: Intl.DateTimeFormatOptions = {
      ...alone,
      day: 'numeric',
      ...(what === 'month' ? {} : { month: 'long' }),
    };
    return [new Intl.DateTimeFormat(locale, alone), new Intl.DateTimeFormat(locale, dated)];
  });
  return Array.from({ length: count }, (_, index) => {
    const date = new Date(what === 'month' ? Date.UTC(2020, index, 15) : SUNDAY + index * DAY_MS);
    const found = formats.flatMap((format) =>
      format.formatToParts(date).flatMap(({ type, value }) => (type === what ? [value.replace(/\.$/, '')] : [])),
    );
    return [...new Set(found)];
  });
}

/** In the cases that a text of any case has when it is made lower; with and without accents. */
function written(name: string, locale: string): string[] {
  const bare = name.normalize('NFD').replace(/\p{M}/gu, '');
  return [name, bare].flatMap((one) => [
    one.normalize('NFC').toLocaleLowerCase(locale),
    one.normalize('NFC').toUpperCase().toLowerCase(),
    one.normalize('NFC').toLocaleUpperCase(locale).toLowerCase(),
  ]);
}

const beginningsOf = (name: string): string[] => {
  const letters = Array.from(name);
  return letters.slice(LEAST_LETTERS - 1).map((_, i) => letters.slice(0, i + LEAST_LETTERS).join(''));
};

/** Each text with the one name that it stands for; texts of several names are left out. */
function meanings(names: readonly (readonly string[])[]): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  const several = new Set<string>();
  for (const [index, texts] of names.entries()) {
    for (const text of texts) {
      const other = found.get(text);
      if (other !== undefined && other !== index) several.add(text);
      found.set(text, index);
    }
  }
  for (const text of several) found.delete(text);
  return found;
}
