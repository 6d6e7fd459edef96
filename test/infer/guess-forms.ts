/**
 * Ways in which people write values, with what they mean. The corpus of guesses (guesses.test.ts) is made of them.
 */
export interface Form {
  readonly name: string;
  /** `text`: the cell as it is written is the value. */
  readonly means: 'text' | 'number' | 'moment' | 'clock' | 'flag';
  /** Cell and value of record `index`, from 0: a number, milliseconds since 1970, milliseconds of the day, a truth. */
  readonly cell: (index: number) => readonly [string, string | number | boolean];
  /** The order of day and month, or the decimal sign, cannot be known: only the comment has to be there. */
  readonly doubtful?: string;
}

const two = (number: number): string => String(number).padStart(2, '0');
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const WEEK = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

interface Moment {
  readonly y: number;
  readonly m: number;
  readonly d: number;
  readonly h: number;
  readonly n: number;
  readonly s: number;
}

/** Days that run through the year, every sixth of them past the 12th. */
const spread = (i: number): Moment => ({
  y: 2023 + (i % 2),
  m: ((i * 5) % 12) + 1,
  d: ((i * 7) % 28) + 1,
  h: (i * 5) % 24,
  n: (i * 11) % 60,
  s: (i * 13) % 60,
});
/** First days of months: an order of day and month that no value tells. */
const firsts = (i: number): Moment => ({ y: 2023 + Math.floor(i / 12), m: (i % 12) + 1, d: 1, h: 0, n: 0, s: 0 });

type Write = (at: Moment) => string;

const at = ({ y, m, d, h, n, s }: Moment, clock: boolean): number =>
  Date.UTC(y, m - 1, d, ...(clock ? ([h, n, s] as const) : ([0, 0, 0] as const)));
const noon = (h: number): string => `${h % 12 === 0 ? 12 : h % 12}`;

const dates = (name: string, write: Write, days = spread): Form => ({
  name,
  means: 'moment',
  cell: (i) => [write(days(i)), write(days(i)) === '' ? Number.NaN : at(days(i), false)],
});
const times = (name: string, write: Write, value: (one: Moment) => number = (one) => at(one, true)): Form => ({
  name,
  means: 'moment',
  cell: (i) => [write(spread(i)), value(spread(i))],
});
const numbers = (name: string, cell: Form['cell']): Form => ({ name, means: 'number', cell });
const texts = (name: string, write: (i: number) => string): Form => ({
  name,
  means: 'text',
  cell: (i) => [write(i), write(i)],
});

const grouped = (number: number, sign: string): string => String(number).replace(/\B(?=(\d{3})+$)/g, sign);

export const FORMS: readonly Form[] = [
  numbers('integers', (i) => [String(i * 37), i * 37]),
  numbers('negative integers', (i) => [String(-i * 37), -i * 37]),
  numbers('large integers', (i) => [String(4_000_000_000 + i), 4_000_000_000 + i]),
  numbers('decimals', (i) => [(i * 1.25).toFixed(2), i * 1.25]),
  numbers('decimals of any length', (i) => [String(i * 0.125), i * 0.125]),
  numbers('decimal commas', (i) => [(i * 1.25).toFixed(2).replace('.', ','), i * 1.25]),
  numbers('thousands with commas', (i) => [grouped(1_234_567 * (i + 1), ','), 1_234_567 * (i + 1)]),
  numbers('thousands with points and decimal commas', (i) => [
    `${grouped(1_234 * (i + 1), '.')},50`,
    1_234 * (i + 1) + 0.5,
  ]),
  numbers('thousands with blanks', (i) => [`${grouped(1_234 * (i + 1), '\u00a0')},50`, 1_234 * (i + 1) + 0.5]),
  numbers('thousands with apostrophes', (i) => [`${grouped(1_234 * (i + 1), "'")}.50`, 1_234 * (i + 1) + 0.5]),
  numbers('exponents', (i) => [`${i + 1}.5e3`, (i + 1.5) * 1_000]),
  numbers('words for nothing among numbers', (i) => (i % 5 === 2 ? ['N/A', Number.NaN] : [String(i), i])),
  { name: 'words that are true or false', means: 'flag', cell: (i) => [i % 3 === 0 ? 'true' : 'false', i % 3 === 0] },
  { name: 'yes and no', means: 'flag', cell: (i) => [i % 3 === 0 ? 'Y' : 'N', i % 3 === 0] },
  dates('year-month-day', ({ y, m, d }) => `${y}-${two(m)}-${two(d)}`),
  dates('year-month-day, first days', ({ y, m, d }) => `${y}-${two(m)}-${two(d)}`, firsts),
  dates('year/month/day', ({ y, m, d }) => `${y}/${two(m)}/${two(d)}`),
  dates('year/month/day, first days', ({ y, m, d }) => `${y}/${two(m)}/${two(d)}`, firsts),
  dates('year.month.day, first days', ({ y, m, d }) => `${y}.${two(m)}.${two(d)}`, firsts),
  dates('yearmonthday', ({ y, m, d }) => `${y}${two(m)}${two(d)}`),
  dates('day.month.year', ({ y, m, d }) => `${two(d)}.${two(m)}.${y}`),
  dates('day.month.year, first days', ({ y, m, d }) => `${two(d)}.${two(m)}.${y}`, firsts),
  dates('d.m.yy', ({ y, m, d }) => `${d}.${m}.${two(y % 100)}`),
  dates('day/month/year', ({ y, m, d }) => `${two(d)}/${two(m)}/${y}`),
  { ...dates('day/month/year, first days', ({ y, m, d }) => `${two(d)}/${two(m)}/${y}`, firsts), doubtful: '%d/%m/%Y' },
  dates('month/day/year', ({ y, m, d }) => `${m}/${d}/${y}`),
  { ...dates('month/day/year, first days', ({ y, m, d }) => `${m}/${d}/${y}`, firsts), doubtful: '%m/%d/%Y' },
  dates('day-Mon-year', ({ y, m, d }) => `${two(d)}-${MONTHS[m - 1]}-${y}`),
  dates('Mon day year', ({ y, m, d }) => `${MONTHS[m - 1]} ${two(d)} ${y}`),
  times('year-month-day and time', ({ y, m, d, h, n, s }) => `${y}-${two(m)}-${two(d)} ${two(h)}:${two(n)}:${two(s)}`),
  times('with T and Z', ({ y, m, d, h, n, s }) => `${y}-${two(m)}-${two(d)}T${two(h)}:${two(n)}:${two(s)}Z`),
  times(
    'with an offset and a fraction',
    ({ y, m, d, h, n, s }) => `${y}-${two(m)}-${two(d)}T${two(h)}:${two(n)}:${two(s)}.250+02:00`,
    (one) => at(one, true) - 7_200_000 + 250,
  ),
  times('day.month.year and time', ({ y, m, d, h, n, s }) => `${two(d)}.${two(m)}.${y} ${two(h)}:${two(n)}:${two(s)}`),
  times(
    'month/day/year with AM and PM',
    ({ y, m, d, h, n }) => `${two(m)}/${two(d)}/${y} ${noon(h)}:${two(n)} ${h < 12 ? 'AM' : 'PM'}`,
    (one) => at({ ...one, s: 0 }, true),
  ),
  times('14 digits', ({ y, m, d, h, n, s }) => `${y}${two(m)}${two(d)}${two(h)}${two(n)}${two(s)}`),
  times(
    'as in mails',
    ({ y, m, d, h, n, s }) =>
      `${WEEK[new Date(Date.UTC(y, m - 1, d)).getUTCDay()]} ${two(d)} ${MONTHS[m - 1]} ${y} ${two(h)}:${two(n)}:${two(s)} +0100`,
    (one) => at(one, true) - 3_600_000,
  ),
  {
    name: 'times of day',
    means: 'clock',
    cell: (i) => [`${two((i * 5) % 24)}:${two((i * 11) % 60)}`, (((i * 5) % 24) * 60 + ((i * 11) % 60)) * 60_000],
  },
  numbers('decimals with gaps', (i) => (i % 3 === 1 ? ['', Number.NaN] : [(i * 1.5).toFixed(1), i * 1.5])),
  numbers('one number in ten', (i) => (i % 10 === 1 ? [String(i), i] : ['', Number.NaN])),
  numbers('small years', (i) => [String(2000 + (i % 20)), 2000 + (i % 20)]),
  numbers('plus signs', (i) => [`+${i}.5`, i + 0.5]),
  dates('days with gaps', ({ y, m, d }) => (d % 3 === 0 ? '' : `${two(d)}.${two(m)}.${y}`)),
  texts('words with gaps', (i) => (i % 3 === 1 ? '' : `word ${i}`)),
  texts('nothing', () => ''),
  texts('one letter', (i) => 'abc'.charAt(i % 3)),
  texts('texts with line breaks in quotes', (i) => `first ${i}\nsecond`),
  texts('hexadecimal', (i) => `0x${(i + 10).toString(16)}`),
  texts('addresses of hosts', (i) => `10.0.${i}.1`),
  texts('scores', (i) => `${i}-${i + 1}`),
  texts('fractions', (i) => `${i + 1}/${i + 30}`),
  texts('apostrophes', (i) => `'tis ${i}`),
  texts('codes with leading zeros', (i) => two(i).padStart(5, '0')),
  texts('telephone numbers', (i) => `+49 30 ${1_000 + i}`),
  texts('versions', (i) => `1.${i}.3`),
  texts('words', (i) => ['alpha', 'beta', 'gamma', 'delta'][i % 4]!),
  texts('codes with #', (i) => `#${(i * 1_118_481).toString(16).padStart(6, '0')}`),
  texts('lists with semicolons', (i) => `apple;pear;plum${i}`),
  texts('lists with pipes', (i) => `apple|pear|plum${i}`),
  texts('lists with commas', (i) => `apple,pear,plum${i}`),
  texts('texts with quotes', (i) => `the "${i}" of it`),
  texts('sentences', (i) => `On day ${i}, it rained; then not.`),
  texts('days that no calendar has', (i) => `2024-02-${30 + (i % 2)}`),
  texts('days where the month should be', (i) => `2024/${13 + (i % 15)}/01`),
];
