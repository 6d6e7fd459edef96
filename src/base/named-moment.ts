import { DAYS, isoWeek, MONTHS } from './time-letters.js';

/** The date that a name carries, and the time if it has one: as a clock on a wall shows them, of no time zone. */
export interface NamedMoment {
  /** YYYY-MM-DD. Of a month its first day, of a week its Monday, of a year the first of January. */
  readonly date: string;
  /** HH:MM:SS, with six decimals where the name has them; null = the name has no hour. */
  readonly time: string | null;
}

type Letters = Readonly<Record<string, string>>;

const DAY_MS = 86_400_000;

/** What strftime letters with their texts say together; null = no date, or none that exists. */
export function namedMoment(letters: Letters): NamedMoment | null {
  if (letters['s'] !== undefined) {
    const [date = '', time = ''] = new Date(Number(letters['s']) * 1_000).toISOString().split('T');
    return { date, time: time.slice(0, 8) };
  }
  const day = dayOf(letters);
  return day === null ? null : { date: new Date(day).toISOString().slice(0, 10), time: timeOf(letters) };
}

/** Milliseconds since 1970. */
function dayOf(letters: Letters): number | null {
  const year = yearOf(letters);
  const weekday = weekdayOf(letters);
  const weekYear = letters['G'] === undefined ? year : Number(letters['G']);
  if (letters['V'] !== undefined)
    return weekYear === null ? null : dayOfWeek(weekYear, Number(letters['V']), weekday ?? 1);
  const day = year === null ? null : dayInYear(year, letters);
  return day === null || weekday === null || weekday === (new Date(day).getUTCDay() || 7) ? day : null;
}

function yearOf({ Y: whole, y: short }: Letters): number | null {
  if (whole !== undefined) return Number(whole) === 0 ? null : Number(whole);
  // As strptime has it: 69 to 99 are of the last century.
  return short === undefined ? null : Number(short) + (Number(short) < 69 ? 2_000 : 1_900);
}

/** From Monday, 1, to Sunday, 7. */
function weekdayOf({ u: fromMonday, w: fromSunday, a: short, A: long }: Letters): number | null {
  if (fromMonday !== undefined) return Number(fromMonday);
  if (fromSunday !== undefined) return Number(fromSunday) || 7;
  const name = long ?? short;
  return name === undefined ? null : placeOf(DAYS, name) || 7;
}

function dayInYear(year: number, { j: dayOfYear, m: month, b: short, B: long, d: day }: Letters): number | null {
  if (dayOfYear !== undefined) return existing(year, 0, Number(dayOfYear), (found) => found.getUTCFullYear() === year);
  const name = long ?? short;
  if (month === undefined && name === undefined && day !== undefined) return null;
  const index = month !== undefined ? Number(month) - 1 : name !== undefined ? placeOf(MONTHS, name) : 0;
  return existing(year, index, Number(day ?? 1), (found) => found.getUTCMonth() === index);
}

/** Date.UTC takes the years 0 to 99 for those of the last century. */
function existing(year: number, month: number, day: number, is: (found: Date) => boolean): number | null {
  const found = new Date(0);
  found.setUTCFullYear(year, month, day);
  return is(found) ? found.getTime() : null;
}

/** ISO 8601: week 1 holds the fourth of January. */
function dayOfWeek(year: number, week: number, weekday: number): number | null {
  const fourth = new Date(0);
  fourth.setUTCFullYear(year, 0, 4);
  const monday = fourth.getTime() - ((fourth.getUTCDay() || 7) - 1) * DAY_MS;
  const day = monday + ((week - 1) * 7 + weekday - 1) * DAY_MS;
  return isoWeek(new Date(day)).week === week ? day : null;
}

function timeOf({
  H: hour,
  I: twelve,
  p: half,
  M: minute = '00',
  S: second = '00',
  f: fraction,
}: Letters): string | null {
  const pm = half?.toLowerCase() === 'pm';
  const hours =
    hour ??
    (twelve === undefined || half === undefined
      ? null
      : String((Number(twelve) % 12) + (pm ? 12 : 0)).padStart(2, '0'));
  return hours === null ? null : `${hours}:${minute}:${second}${fraction === undefined ? '' : `.${fraction}`}`;
}

const placeOf = (names: readonly string[], name: string): number =>
  names.findIndex((one) => one.slice(0, 3).toLowerCase() === name.slice(0, 3).toLowerCase());
