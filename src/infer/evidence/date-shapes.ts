import { localDate } from './local-dates.js';

/** A value's form and the formats that it may be written in, in order of preference. */
export interface Shape {
  /** Equal for values of one form, whatever their digits. */
  readonly key: string;
  /** strptime formats; `` = ISO 8601, which needs none. */
  readonly formats: readonly string[];
  readonly holds: 'date' | 'time' | 'timestamp' | 'timestamptz';
  /** Languages of the names in it; absent = English, or none. */
  readonly locales?: readonly string[];
}

const MONTH =
  '(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sep(?:tember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)';
const DAY = '(?:mon(?:day)?|tue(?:sday)?|wed(?:nesday)?|thu(?:rsday)?|fri(?:day)?|sat(?:urday)?|sun(?:day)?)';

interface DateForm {
  readonly pattern: RegExp;
  /** Formats of the date, `~` = the separator that was found. */
  readonly formats: readonly string[];
}

const form = (pattern: string, ...formats: string[]): DateForm => ({
  pattern: new RegExp(`^${pattern}`, 'i'),
  formats,
});

/** Dates that a value may begin with. Group 1 is the separator between their parts. */
const DATES: readonly DateForm[] = [
  // Nobody writes the day between year and month.
  form('\\d{4}([-/.])\\d{1,2}\\1\\d{1,2}(?!\\d)', '%Y~%m~%d'),
  form('\\d{1,2}([-/. ])\\d{1,2}\\1\\d{4}(?!\\d)', '%d~%m~%Y', '%m~%d~%Y'),
  form('\\d{1,2}([-/.])\\d{1,2}\\1\\d{2}(?!\\d)', '%d~%m~%y', '%m~%d~%y', '%y~%m~%d'),
  form(`\\d{1,2}([-/. ]?)${MONTH}\\1\\d{4}(?!\\d)`, '%d~%b~%Y'),
  form(`\\d{1,2}([-/. ]?)${MONTH}\\1\\d{2}(?!\\d)`, '%d~%b~%y'),
  form(`\\d{1,2}( )${MONTH},? \\d{4}(?!\\d)`, '%d %b, %Y'),
  form(`${MONTH}([ .-])\\d{1,2}, ?\\d{4}(?!\\d)`, '%b~%d, %Y', '%b~%d,%Y'),
  form(`${MONTH}([ .-])\\d{1,2}\\1\\d{4}(?!\\d)`, '%b~%d~%Y'),
  form(`\\d{4}([-/. ])${MONTH}\\1\\d{1,2}(?!\\d)`, '%Y~%b~%d'),
  form('(?:19|20)\\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\\d|3[01])()(?=$|[T _]|\\d{6}(?!\\d))', '%Y%m%d'),
  form('(?:0[1-9]|[12]\\d|3[01])(?:0[1-9]|[12]\\d|3[01])(?:19|20)\\d{2}()(?=$|[T _])', '%d%m%Y', '%m%d%Y'),
];

const CLOCKS: readonly { readonly pattern: RegExp; readonly format: (match: RegExpExecArray) => string }[] = [
  { pattern: /^\d{1,2}:\d{2}:\d{2},\d+(?!\d)/, format: () => '%H:%M:%S,%f' },
  {
    pattern: /^\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?)([ap]m)?(?![\d:])/i,
    format: ([, seconds, fraction, blank, half]) =>
      `${half === undefined ? '%H' : '%I'}:%M${seconds === undefined ? '' : `:%S${fraction === undefined ? '' : '.%f'}`}${half === undefined ? '' : `${blank ?? ''}%p`}`,
  },
  { pattern: /^\d{2}\.\d{2}\.\d{2}(?!\d)/, format: () => '%H.%M.%S' },
  { pattern: /^\d{6}(?!\d)/, format: () => '%H%M%S' },
];

/** Longest text that is looked at: a weekday, a long month, a time and a zone are below 60. */
const LONGEST = 64;

/** The form of a value (without blanks around it); null = no date or time that strptime letters can say. */
export function shapeOf(text: string): Shape | null {
  if (text.length < 4 || text.length > LONGEST || !/\d/.test(text)) return null;
  return (
    isoShape(text) ?? weekShape(text) ?? ctimeShape(text) ?? timeShape(text) ?? dateShape(text) ?? localShape(text)
  );
}

function isoShape(text: string): Shape | null {
  const match = /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}(:?\d{2})?)?)?$/.exec(text);
  if (match === null) return null;
  const [, clock, , , zone] = match;
  // One key for all: the column takes a date alone, a time, and an offset, side by side.
  return {
    key: 'iso',
    formats: [''],
    holds: clock === undefined ? 'date' : zone === undefined ? 'timestamp' : 'timestamptz',
  };
}

/** `2024-W03-1`, `2024W03`: ISO weeks. */
function weekShape(text: string): Shape | null {
  const match = /^\d{4}(-?)W\d{2}(?:\1[1-7])?$/.exec(text);
  if (match === null) return null;
  const dash = match[1] ?? '';
  const format = `%G${dash}W%V${/W\d{2}$/.test(text) ? '' : `${dash}%u`}`;
  return { key: format, formats: [format], holds: 'date' };
}

/** `Mon Jan 15 10:30:00 2024`, what ctime() and date(1) print. */
function ctimeShape(text: string): Shape | null {
  const match = new RegExp(
    `^${DAY} ${MONTH} +\\d{1,2} \\d{2}:\\d{2}:\\d{2} ([a-z]{3,4} |[+-]\\d{4} )?\\d{4}$`,
    'i',
  ).exec(text);
  if (match === null) return null;
  const zone = match[1] === undefined ? '' : /^[+-]/.test(match[1]) ? '%z ' : '%Z ';
  return {
    key: `ctime ${zone}`,
    formats: [`%a %b %d %H:%M:%S ${zone}%Y`],
    holds: zone === '' ? 'timestamp' : 'timestamptz',
  };
}

function timeShape(text: string): Shape | null {
  const clock = clockAt(text);
  if (clock?.rest !== '' || clock.format === '%H%M%S' || clock.format === '%H.%M.%S') return null;
  const iso = /^\d{2}:\d{2}(:\d{2}(\.\d+)?)?$/.test(text);
  return { key: iso ? 'iso time' : `time ${clock.format}`, formats: [iso ? '' : clock.format], holds: 'time' };
}

function dateShape(text: string): Shape | null {
  const weekday = new RegExp(`^${DAY}(,? )`, 'i').exec(text);
  const lead = weekday === null ? '' : `%a${weekday[1] ?? ''}`;
  const rest = weekday === null ? text : text.slice(weekday[0].length);
  const lists = DATES.flatMap(({ pattern, formats }) => {
    const match = pattern.exec(rest);
    const tail = match === null ? null : tailOf(rest.slice(match[0].length));
    if (match === null || tail === null) return [];
    const dates = formats.map((format) => format.replaceAll('~', match[1] ?? ''));
    return [
      {
        key: `${lead}${dates[0] ?? ''}${tail.format}`,
        formats: dates.map((date) => `${lead}${date}${tail.format}`),
        holds: tail.holds,
      },
    ];
  });
  const [first] = lists;
  return first === undefined
    ? null
    : { ...first, formats: lists.filter(({ holds }) => holds === first.holds).flatMap(({ formats }) => formats) };
}

function localShape(text: string): Shape | null {
  const found = localDate(text);
  const tail = found === null ? null : tailOf(found.rest);
  if (found === null || tail === null) return null;
  const format = `${found.format}${tail.format}`;
  return { key: format, formats: [format], holds: tail.holds, locales: found.locales };
}

/** What stands behind the date: nothing, a time, a time with a zone. */
function tailOf(
  text: string,
): { readonly format: string; readonly holds: 'date' | 'timestamp' | 'timestamptz' } | null {
  if (text === '') return { format: '', holds: 'date' };
  const between = /^(?:, | - |T|_|:| +|(?=\d{6}$))/.exec(text);
  if (between === null) return null;
  const clock = clockAt(text.slice(between[0].length));
  if (clock === null) return null;
  const format = `${between[0].replace(/ +/g, ' ')}${clock.format}`;
  if (clock.rest === '') return { format, holds: 'timestamp' };
  const zone = /^( ?)(?:(Z|[+-]\d{2}(?::?\d{2})?)|[A-Z]{3,4}|[A-Z][A-Za-z]+\/[A-Za-z_/+-]+)$/.exec(clock.rest);
  return zone === null
    ? null
    : { format: `${format}${zone[1] ?? ''}${zone[2] === undefined ? '%Z' : '%z'}`, holds: 'timestamptz' };
}

function clockAt(text: string): { readonly format: string; readonly rest: string } | null {
  for (const { pattern, format } of CLOCKS) {
    const match = pattern.exec(text);
    if (match === null) continue;
    // A blank behind the minutes belongs to the zone unless am or pm follows it.
    const taken = match[4] === undefined && match[3] === ' ' ? match[0].length - 1 : match[0].length;
    return { format: format(match), rest: text.slice(taken) };
  }
  return null;
}
