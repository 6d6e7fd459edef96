import { monthNames, weekdayNames, type NameTable } from './locale-names.js';

/** The letters of a column's `format` and what is wrong with a format. Reading cells is strptime.ts's. */

export type Letter = keyof typeof DIRECTIVES;

interface Directive {
  /** Most digits; 0 = not a plain number. */
  readonly max: number;
  /** Fewest digits where no other number touches it: %d, %m and %H may take one. */
  readonly least: number;
  readonly tells: 'date' | 'clock' | 'offset' | 'both' | 'nothing';
}

const directive = (max: number, least: number, tells: Directive['tells']): Directive => ({ max, least, tells });

export const DIRECTIVES = {
  Y: directive(4, 4, 'date'),
  y: directive(2, 2, 'date'),
  m: directive(2, 1, 'date'),
  d: directive(2, 1, 'date'),
  e: directive(2, 1, 'date'),
  j: directive(3, 1, 'date'),
  b: directive(0, 0, 'date'),
  a: directive(0, 0, 'date'),
  /** %b and %a in the names of the column's locale. */
  localMonth: directive(0, 0, 'date'),
  localDay: directive(0, 0, 'date'),
  G: directive(4, 4, 'date'),
  V: directive(2, 1, 'date'),
  u: directive(1, 1, 'date'),
  H: directive(2, 1, 'clock'),
  I: directive(2, 1, 'clock'),
  M: directive(2, 2, 'clock'),
  S: directive(2, 2, 'clock'),
  f: directive(0, 0, 'clock'),
  p: directive(0, 0, 'clock'),
  z: directive(0, 0, 'offset'),
  Z: directive(0, 0, 'offset'),
  s: directive(0, 0, 'both'),
  literal: directive(0, 0, 'nothing'),
  blank: directive(0, 0, 'nothing'),
} as const satisfies Record<string, Directive>;

export interface Step {
  readonly letter: Letter;
  /** Of a literal; of a name the literal that follows it, 0 = none. */
  readonly byte: number;
  /**
   * Fewest digits. A number that another number touches takes all its digits: in 2024115 %m%d could be 1 and 15, or 11
   * and 5.
   */
  readonly least: number;
  /** Of localMonth and localDay. */
  readonly names: NameTable | null;
}

/** Letters that stand for others. */
const SHORTHAND: Readonly<Record<string, string>> = {
  T: '%H:%M:%S',
  F: '%Y-%m-%d',
  D: '%m/%d/%y',
  R: '%H:%M',
  n: ' ',
  t: ' ',
};
const SYNONYMS: Readonly<Record<string, Letter>> = { B: 'b', h: 'b', A: 'a' };

const named = (text: string): Buffer => Buffer.from(text);
export const MONTHS: readonly Buffer[] = [
  'january',
  'february',
  'march',
  'april',
  'may',
  'june',
  'july',
  'august',
  'september',
  'october',
  'november',
  'december',
].map(named);
/** 0 = Sunday, as weekdayOf counts. */
export const WEEKDAYS: readonly Buffer[] = [
  'sunday',
  'monday',
  'tuesday',
  'wednesday',
  'thursday',
  'friday',
  'saturday',
].map(named);

/**
 * The steps of a format; null when it holds a letter that does not exist. `locale`: whose names of months and days;
 * null = English.
 */
export function parseFormat(format: string, locale: string | null = null): readonly Step[] | null {
  const letters = split(format);
  if (typeof letters === 'string') return null;
  return letters.map(({ letter, byte }, index): Step => {
    const { max, least } = DIRECTIVES[letter];
    const touched = isNumber(letters[index - 1]) || isNumber(letters[index + 1]);
    const next = letters[index + 1]?.byte ?? 0;
    const fewest = touched && letter !== 'e' ? max : least;
    if (locale !== null && letter === 'b')
      return { letter: 'localMonth', byte: next, least: 0, names: monthNames(locale) };
    if (locale !== null && letter === 'a')
      return { letter: 'localDay', byte: next, least: 0, names: weekdayNames(locale) };
    return { letter, byte, least: fewest, names: null };
  });
}

const isNumber = (step: { readonly letter: Letter } | undefined): boolean =>
  step !== undefined && (DIRECTIVES[step.letter].max > 0 || step.letter === 'f');

/** Letters and literal bytes in order, or the letter that does not exist. */
function split(format: string): { letter: Letter; byte: number }[] | string {
  const expanded = format.replace(/%(.)/gsu, (whole, letter: string) => SHORTHAND[letter] ?? whole);
  const steps: { letter: Letter; byte: number }[] = [];
  const characters = Array.from(expanded);
  for (let i = 0; i < characters.length; i++) {
    const character = characters[i]!;
    if (character === '%' && characters[i + 1] !== '%') {
      const letter = letterOf(characters[i + 1] ?? '');
      if (letter === null) return `%${characters[i + 1] ?? ''}`;
      steps.push({ letter, byte: 0 });
      i++;
    } else if (/^[ \t\n\v\f\r]$/.test(character)) {
      if (steps.at(-1)?.letter !== 'blank') steps.push({ letter: 'blank', byte: 0 });
    } else {
      for (const byte of Buffer.from(character)) steps.push({ letter: 'literal', byte });
      if (character === '%') i++;
    }
  }
  return steps;
}

function letterOf(text: string): Letter | null {
  const letter = SYNONYMS[text] ?? text;
  return text.length === 1 && isLetter(letter) ? letter : null;
}

const isLetter = (text: string): text is Letter => Object.hasOwn(DIRECTIVES, text);

/** What a column holds: a date with or without a time of day, or a time of day alone. */
export type Content = 'date' | 'time' | 'timestamp';

/** Formats that are counts: a word in place of letters. */
export const COUNTS = ['epoch_s', 'epoch_ms', 'epoch_us', 'epoch_ns', 'excel_serial'] as const;
export const isCount = (format: string): format is (typeof COUNTS)[number] => COUNTS.some((count) => count === format);

/** Why a format cannot serve such a column, for people; null = it can. */
export function formatProblem(format: string, content: Content): string | null {
  if (isCount(format))
    return content === 'time' && format !== 'excel_serial' ? `format ${format} has no meaning for a time of day` : null;
  const quoted = `format ${JSON.stringify(format)}`;
  const steps = split(format);
  if (typeof steps === 'string') return `${quoted}: ${steps} is not a letter of date formats`;
  if (steps.length > 0 && steps.every(({ letter }) => letter === 'literal' || letter === 'blank'))
    return `${quoted} is no format that has a name (epoch_s, epoch_ms), and has no strptime letter, as %Y-%m-%d has`;
  const has = (...letters: readonly Letter[]): boolean => steps.some(({ letter }) => letters.includes(letter));
  const tells = (what: Directive['tells']): boolean => steps.some(({ letter }) => DIRECTIVES[letter].tells === what);
  if (has('I') !== has('p') && (has('I') || !has('H'))) return `${quoted}: %I and %p belong together`;
  if (content === 'time') {
    if (tells('date') || tells('both') || tells('offset'))
      return `${quoted}: a time of day has neither date nor offset`;
    return has('H', 'I') ? null : `${quoted} has no hour (%H, or %I and %p)`;
  }
  if (has('G', 'V')) return weekProblem(quoted, has);
  if (has('s')) return steps.length === 1 ? null : `${quoted}: %s stands alone`;
  if (!has('Y', 'y')) return `${quoted} has no year (%Y or %y)`;
  if (has('j')) return null;
  if (!has('m', 'b')) return `${quoted} has no month (%m or %b)`;
  // A month alone is its first day.
  const isMonth = !has('a', 'u', 'd', 'e') && !tells('clock') && !tells('offset');
  return has('d', 'e') || isMonth ? null : `${quoted} has no day (%d)`;
}

function weekProblem(quoted: string, has: (...letters: readonly Letter[]) => boolean): string | null {
  if (!has('G') || !has('V')) return `${quoted}: %G and %V, the ISO week, belong together`;
  return has('Y', 'y', 'm', 'b', 'd', 'e', 'j', 's')
    ? `${quoted}: an ISO week (%G, %V, %u) stands for the whole date`
    : null;
}
