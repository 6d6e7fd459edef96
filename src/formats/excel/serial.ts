const DAY_MS = 86_400_000;
/** Days from Excel's day 0 to 1970-01-01. */
const EPOCH_1900 = 25_569;
const EPOCH_1904 = 24_107;
/** The day after 9999-12-31. */
const LAST_1900 = 2_958_466;

/** What a number format shows of a number: nothing of a date, or these parts. */
export interface DateFormat {
  readonly date: boolean;
  readonly time: boolean;
}

/** Formats that need no definition (ECMA-376, 18.8.30), and those of East Asian Excels under the same numbers. */
const BUILT_IN: ReadonlyMap<number, DateFormat> = new Map<number, DateFormat>([
  ...[14, 15, 16, 17, 27, 28, 29, 30, 31, 36, 50, 51, 52, 53, 54, 57, 58].map(
    (id) => [id, { date: true, time: false }] as const,
  ),
  [22, { date: true, time: true }],
  ...[18, 19, 20, 21, 32, 33, 34, 35, 45, 47, 55, 56].map((id) => [id, { date: false, time: true }] as const),
]);

/** `code`: as styles.xml has it; null = built in. Elapsed time ([h]:mm) is a number of days and stays one. */
export function dateFormat(id: number, code: string | null): DateFormat | null {
  if (code === null) return BUILT_IN.get(id) ?? null;
  // Texts, escaped signs, fillers, colours, conditions and locales say nothing.
  const first = code.split(';')[0] ?? '';
  if (/\[(h+|m+|s+)\]/i.test(first)) return null;
  const bare = first
    .replace(/"[^"]*"|\\.|[_*]./g, '')
    .replace(/\[[^\]]*\]/g, '')
    .toLowerCase();
  if (/general|[0#?]/.test(bare.replace(/s+\.0+/g, 's'))) return null;
  const time = /[hs]|am\/pm|a\/p/.test(bare);
  // m is minutes beside hours or seconds.
  const date = /[dyeg]|b{2}/.test(bare) || (bare.includes('m') && !time);
  return date || time ? { date, time } : null;
}

/**
 * A day number as ISO text: date, time, or both with a T, to the millisecond. 1900-02-29, which Excel believes in, is
 * told as that. null: it is no date (below 0, past 9999, a date before the first day): the number stands.
 */
export function serialText(serial: number, format: DateFormat, date1904: boolean): string | null {
  const total = Math.round(serial * DAY_MS);
  const day = Math.floor(total / DAY_MS);
  const rest = total - day * DAY_MS;
  const time = new Date(rest)
    .toISOString()
    .slice(11, -1)
    .replace(/\.000$/, '');
  if (!(day >= 0) || day >= LAST_1900 - (date1904 ? EPOCH_1900 - EPOCH_1904 : 0)) return null;
  if (day === 0 && !date1904) return format.date ? null : time;
  if (!format.date && day === 0) return time;
  const date =
    !date1904 && day === 60
      ? '1900-02-29'
      : new Date((day - (date1904 ? EPOCH_1904 : EPOCH_1900) + (!date1904 && day < 60 ? 1 : 0)) * DAY_MS)
          .toISOString()
          .slice(0, 10);
  return format.time || rest !== 0 ? `${date}T${time}` : date;
}

/**
 * A number as it is written in the sheet. Excel writes 17 digits of a double (0.10000000000000001 for 0.1): then the
 * shortest that are the same double. Whole numbers keep all digits.
 */
export function numberText(raw: string): string | null {
  if (WHOLE.test(raw)) return raw;
  const text = raw.trim();
  const found = NUMBER.exec(text);
  if (found === null) return null;
  const [, sign = '', whole = '', fraction = '', exponent] = found;
  const digits = `${whole}${fraction.slice(1)}`.replace(/^0+/, '');
  if (exponent === undefined && (fraction === '' || digits.length <= 15))
    return `${sign === '-' ? '-' : ''}${whole.replace(/^0+(?=\d)/, '') || '0'}${fraction === '.' ? '' : fraction}`;
  const value = Number(text);
  return Number.isFinite(value) ? String(value) : null;
}

/** A day number as it is written in the sheet; NaN = it is none. */
export const dayNumber = (raw: string): number => (NUMBER.test(raw.trim()) ? Number(raw) : NaN);

/** What most numbers are. */
const WHOLE = /^[1-9]\d*$/;
/** As XML Schema writes a double, without INF and NaN. */
const NUMBER = /^([+-]?)(?=\.?\d)(\d*)(\.\d*)?(e[+-]?\d+)?$/i;
