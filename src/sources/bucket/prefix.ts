import { expandTime, hasTimeLetter, timeLetterProblem, timeLettersToGlob } from '../../base/time-letters.js';

const HOUR_MS = 3_600_000;
/** Clocks of suppliers are ahead of UTC by up to 14 hours: their tomorrow has begun when ours has not. */
const AHEAD_MS = 14 * HOUR_MS;
/** Prefixes of one feed: each costs one request at least, at every poll. */
export const MAX_PREFIXES = 1_000;
/** Letters that change within an hour: no list of prefixes can be made of them. */
const TOO_FINE = ['M', 'S', 'f', 's', 'T'];

/** What is wrong with the date letters of a prefix; null when nothing is. */
export function prefixProblem(prefix: string): string | null {
  const mistake = timeLetterProblem(prefix);
  if (mistake !== null) return mistake;
  const fine = TOO_FINE.find((letter) => prefix.replaceAll('%%', '').includes(`%${letter}`));
  if (fine !== undefined)
    return `%${fine} is too fine for a prefix: use %Y %m %d %H here, and the finer letters in pattern`;
  return prefix.includes('\0') ? 'holds a NUL' : null;
}

/**
 * The prefixes to list now: those of all hours from `lookbackMs` ago to where the day has already gone furthest. None
 * is the beginning of another.
 */
export function prefixesAt(template: string, now: number, lookbackMs: number): readonly string[] {
  if (!hasTimeLetter(template)) return [expandTime(template, new Date(now))];
  const all = new Set<string>();
  for (let at = now - lookbackMs; ; at += HOUR_MS) {
    all.add(expandTime(template, new Date(Math.min(at, now + AHEAD_MS))));
    if (at >= now + AHEAD_MS) break;
  }
  const sorted = [...all].sort();
  // Sorted, a prefix comes right before all that begin with it; listing it lists those too.
  return sorted.filter((prefix, i) => !sorted.slice(Math.max(0, i - 31), i).some((other) => prefix.startsWith(other)));
}

/** How many prefixes a lookback makes at most. */
export const prefixCount = (template: string, lookbackMs: number): number =>
  prefixesAt(template, Date.UTC(2026, 0, 31), lookbackMs).length;

/**
 * Does a key begin with the prefix of some day? A file that was found yesterday stays the feed's when its day has gone
 * out of lookback.
 */
export function prefixTest(template: string): (key: string) => boolean {
  if (!hasTimeLetter(template)) {
    const literal = expandTime(template, new Date(0));
    return (key) => key.startsWith(literal);
  }
  // Globs of date letters are classes of characters, and a star behind one: read as regular expressions they mean the
  // same.
  const source = template.replace(/%(.)|[^%]+/gsu, (part, letter: string | undefined) =>
    letter === undefined || letter === '%' ? escape(letter ?? part) : timeLettersToGlob(part),
  );
  const test = new RegExp(`^${source}`, 's');
  return (key) => test.test(key);
}

const escape = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
