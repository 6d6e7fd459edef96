import type { Evidence, Guess } from './column-guess.js';
import { localeDoubt } from './local-dates.js';
import { widest, type Candidate, type MomentEvidence, type MomentGroup } from './moment-evidence.js';
import type { ColumnProfile } from './profile.js';

const DAY = 86_400;
/** Names of columns whose numbers may be dates. */
const DATE_NAME = /date|time|day|datum|fecha|jour|tag|stamp|(^|_)(dt|dob|ts)($|_)|_(at|on)$/i;

/** Dates and times; null = the column is none. */
export function guessMoment(profile: ColumnProfile, name: string, evidence: Evidence): Guess | null {
  const { moments, numbers } = profile;
  const { groups } = moments;
  if (groups === null || groups.length === 0) return null;
  const holds = widest(groups);
  if (groups.some((group) => group.holds === 'time') !== groups.every((group) => group.holds === 'time')) return null;
  const chosen = groups.map((group) => ({ group, ...chooseFormat(group, evidence) }));
  const locale = languageOf(chosen.map(({ candidate }) => candidate));
  if (locale === undefined) return null;
  const doubts = chosen.flatMap(({ doubt }) => (doubt === null ? [] : [doubt]));
  const digitsOnly = numbers.isAlive() && numbers.separators === 0;
  if (digitsOnly) {
    const plausible = chosen.every(({ candidate }) => candidate.format.startsWith('%Y%m%d')) || DATE_NAME.test(name);
    if (!plausible) return null;
    doubts.push('every value is a day of the calendar; if they are numbers, make it integer');
  }
  const formats =
    groups.length === 1 && groups[0]!.key.startsWith('iso') && chosen[0]!.candidate.format === ''
      ? []
      : chosen.flatMap(({ group, candidate }) =>
          candidate.format === '' ? isoFormats(group, moments) : [candidate.format],
        );
  if (groups.length > 1)
    doubts.push(
      `${groups.length} forms side by side: ${groups.map((group) => `${JSON.stringify(group.example)} (${group.count})`).join(', ')}`,
    );
  if (
    holds === 'timestamptz' &&
    (moments.sawNoZone || groups.some((group) => group.holds === 'timestamp' || group.holds === 'date'))
  )
    doubts.push('some values have no offset: read as UTC unless timezone says otherwise');
  if (formats.some((format) => format.includes('%y'))) doubts.push('years of two digits: 69 to 99 are 19xx');
  if (formats.some((format) => format.includes('%V') && !format.includes('%u')))
    doubts.push('weeks without a day: taken as their Monday');
  if (groups.some(({ key, example }) => key.includes('%Z') && /\b(?!UTC|GMT)[A-Z]{3,4}\b(?: \d{4})?$/.test(example)))
    doubts.push('names of zones: an abbreviation is one offset whatever the date (CET is +01:00 in summer too)');
  const round = chosen.some(({ candidate }) => candidate.round);
  if (round) doubts.push('digits past microseconds: PostgreSQL keeps six, round: true drops the rest');
  return {
    type: holds,
    ...(locale === null ? {} : { locale }),
    ...(formats.length === 0 ? {} : { formats }),
    ...(round ? { round } : {}),
    doubts,
  };
}

/** The one language of a column's names; null = none, or English. undefined = it would take several. */
function languageOf(candidates: readonly Candidate[]): string | null | undefined {
  const languages = new Set(
    candidates.flatMap(({ format, locale }) => (locale !== null || /%[ab]/.test(format) ? [locale] : [])),
  );
  return languages.size > 1 ? undefined : ([...languages][0] ?? null);
}

/** In a list of formats ISO has to be written out. */
function isoFormats(group: MomentGroup, moments: MomentEvidence): string[] {
  if (group.holds === 'time') return ['%H:%M:%S', '%H:%M'];
  if (!moments.sawTime) return ['%Y-%m-%d'];
  const clocks = ['%H:%M:%S', '%H:%M:%S.%f', '%H:%M'].flatMap((clock) =>
    moments.sawZone ? [`${clock}%z`, clock] : [clock],
  );
  return [...clocks.flatMap((clock) => [`%Y-%m-%d ${clock}`, `%Y-%m-%dT${clock}`]), '%Y-%m-%d'];
}

/** Of the formats that every value fits, the one that the evidence speaks for. */
function chooseFormat(
  group: MomentGroup,
  evidence: Evidence,
): { readonly candidate: Candidate; readonly doubt: string | null } {
  const candidates = distinct(group.candidates);
  const [first, second] = candidates;
  if (first === undefined) throw new RangeError('a group of dates has a format that fits');
  if (second === undefined || first.format === '') {
    const locales = group.candidates.flatMap(({ format, locale }) =>
      locale !== null && format === first.format ? [locale] : [],
    );
    return { candidate: first, doubt: locales.length > 1 ? localeDoubt(locales) : null };
  }
  const oneFormat = candidates.every(({ format }) => format === first.format);
  const { candidate, why } = oneFormat
    ? { candidate: first, why: `nothing tells which language; ${first.locale ?? 'English'} was taken. Ask the sender` }
    : byEvidence({ ...group, candidates }, evidence);
  const others = candidates
    .filter((other) => other !== candidate)
    .map(({ format, locale }) => (locale === null ? format : `${format} in ${locale}`))
    .join(' and ');
  return { candidate, doubt: `every value also fits ${others}: ${why}` };
}

/** Without languages that read every value as one before them does. */
const distinct = (candidates: readonly Candidate[]): readonly Candidate[] =>
  candidates.filter(
    (one, index) =>
      candidates.findIndex(
        (other) =>
          other.format === one.format &&
          (other === one || one.locale !== null) &&
          other.least === one.least &&
          other.most === one.most &&
          other.rising === one.rising &&
          other.falling === one.falling,
      ) === index,
  );

/** What speaks for one of several formats, the strongest word first. */
function byEvidence(
  { candidates, count }: MomentGroup,
  { dayFirst, pointedDates, commaDecimals, semicolons, fileDate }: Evidence,
): { readonly candidate: Candidate; readonly why: string } {
  const byDay = (first: boolean): Candidate | undefined =>
    candidates.find(({ format }) => startsWithDay(format) === first && !startsWithYear(format));
  // Whether the year comes first (24-01-02) is another question, which neither points nor commas answer.
  const dayIsFirst = candidates.some(({ format }) => startsWithYear(format)) ? undefined : byDay(true);
  const hinted = dayFirst === null ? undefined : byDay(dayFirst);
  if (hinted !== undefined)
    return { candidate: hinted, why: `${dayFirst === true ? 'day' : 'month'} first, as other dates of the file say` };
  if (dayIsFirst !== undefined && hasDots(dayIsFirst.format))
    return { candidate: dayIsFirst, why: 'with points between them the day is usually first' };
  if (dayIsFirst !== undefined && pointedDates)
    return { candidate: dayIsFirst, why: 'day first, as dates with points in another column' };
  const named = nearestTo(fileDate, candidates);
  if (named !== null) return { candidate: named, why: "so read, it agrees with the date in the file's name" };
  const sorted = candidates.filter(({ rising, falling }) => count >= 8 && Math.max(rising, falling) >= count * 0.98);
  if (sorted.length === 1) return { candidate: sorted[0]!, why: 'so read, the file is in order of time' };
  if (dayIsFirst !== undefined && (commaDecimals === true || semicolons))
    return { candidate: dayIsFirst, why: `day first goes with ${semicolons ? 'semicolons' : 'decimal commas'}` };
  const close = closest(candidates, count);
  if (close !== null) return { candidate: close, why: 'so read, the days lie close together' };
  const american = candidates.find(
    ({ format }) => format.includes('%p') && format.includes('%m') && !startsWithDay(format),
  );
  if (american !== undefined)
    return { candidate: american, why: 'month first is usual with AM and PM. Ask the sender' };
  return { candidate: byDay(true) ?? candidates[0]!, why: 'nothing tells which; day first was taken. Ask the sender' };
}

/** The reading that meets the date in the file's name within a week, where the others are far from it. */
function nearestTo(fileDate: number | null, candidates: readonly Candidate[]): Candidate | null {
  if (fileDate === null) return null;
  const away = ({ least, most }: Candidate): number =>
    Math.min(Math.abs(most - fileDate), Math.abs(least - fileDate)) / DAY;
  const [nearest, next] = [...candidates].sort((a, b) => away(a) - away(b));
  if (nearest === undefined || next === undefined) return null;
  return away(nearest) <= 7 && away(next) > 3 * away(nearest) + 2 ? nearest : null;
}

/**
 * The reading whose days lie much closer together than those of the others. The first days of months tell nothing: the
 * other way round they are the first days of January, and those always lie closer.
 */
function closest(candidates: readonly Candidate[], count: number): Candidate | null {
  const span = ({ least, most }: Candidate): number => most - least;
  const [first, next] = [...candidates].sort((a, b) => span(a) - span(b));
  if (count < 3 || first === undefined || next === undefined) return null;
  if (candidates.some(({ firsts }) => firsts === count)) return null;
  return span(next) > 3 * Math.max(DAY, span(first)) ? first : null;
}

const hasDots = (format: string): boolean => /%[dm]\.%[dm]\./.test(format);
const startsWithYear = (format: string): boolean => /^%[yY]/.test(format.replace(/^%a,? /, ''));
const startsWithDay = (format: string): boolean => format.replace(/^%a,? /, '').startsWith('%d');

/** What dates whose order is beyond doubt say about the others; null = nothing. */
export function dayFirstOf({ moments }: ColumnProfile): boolean | null {
  for (const group of moments.groups ?? []) {
    const [only, second] = group.candidates;
    if (only === undefined || second !== undefined || !/^%[dm][^b]*%[md]/.test(only.format)) continue;
    return startsWithDay(only.format);
  }
  return null;
}

/** The column has dates like 01.02.2024. */
export const isPointed = ({ moments }: ColumnProfile): boolean =>
  (moments.groups ?? []).some(({ candidates }) => hasDots(candidates[0]?.format ?? ''));
