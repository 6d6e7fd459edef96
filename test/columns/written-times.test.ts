import { spawnSync } from 'node:child_process';
import { SSF } from '@e965/xlsx';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CodecOptions } from '../../src/columns/column-type.js';
import { columnProblems } from '../../src/columns/column-problems.js';
import { plainColumn } from '../../src/columns/plain-column.js';
import { codecOf, encode } from './support.js';

/** What a column of that type makes of the cell: its text, or `! reason`. */
function read(
  type: string,
  formats: string | readonly string[],
  cell: string,
  more: Partial<CodecOptions> = {},
): string {
  const codec = codecOf(type, { formats: typeof formats === 'string' ? [formats] : formats, ...more });
  const outcome = encode(codec, cell, 'text');
  if (outcome === 'NULL') return 'NULL';
  return 'value' in outcome ? outcome.value.toString() : `! ${outcome.refused}`;
}

const DAY_MS = 86_400_000;
const iso = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

describe('locale', () => {
  test.each([
    ['fr', '%d %B %Y', '5 f\u00e9vrier 2024', '2024-02-05'],
    ['fr', '%d %b %Y', '5 f\u00e9vr. 2024', '2024-02-05'],
    ['fr', '%d %b %Y', '5 fevr 2024', '2024-02-05'],
    ['fr', '%d %b %Y', '05 AO\u00dbT 2024', '2024-08-05'],
    ['fr', '%d %b %Y', '05 aout 2024', '2024-08-05'],
    ['fr', '%d-%b-%y', '05-d\u00e9c.-24', '2024-12-05'],
    ['fr', '%A %d %B %Y', 'lundi 5 f\u00e9vrier 2024', '2024-02-05'],
    ['fr', '%a %d %b %Y', 'lun. 5 f\u00e9vr. 2024', '2024-02-05'],
    ['de', '%d. %B %Y', '5. M\u00e4rz 2024', '2024-03-05'],
    ['de', '%d.%b.%Y', '05.Okt.2024', '2024-10-05'],
    ['de', '%d.%b.%Y', '05.Okt..2024', '2024-10-05'],
    ['de', '%d%b%Y', '05Dez2024', '2024-12-05'],
    ['de', '%a, %d.%m.%Y', 'Di, 05.03.2024', '2024-03-05'],
    ['es', '%d/%b/%Y', '05/ene/2024', '2024-01-05'],
    ['es', '%d de %B de %Y', '5 de enero de 2024', '2024-01-05'],
    ['ru', '%d %B %Y', '5 \u044f\u043d\u0432\u0430\u0440\u044f 2024', '2024-01-05'],
    ['ru', '%B %Y', '\u044f\u043d\u0432\u0430\u0440\u044c 2024', '2024-01-01'],
    ['pl', '%d %B %Y', '5 stycznia 2024', '2024-01-05'],
    ['cs', '%d. %B %Y', '5. \u010dervna 2024', '2024-06-05'],
    ['cs', '%B %Y', '\u010derven 2024', '2024-06-01'],
    ['cs', '%B %Y', '\u010dervenec 2024', '2024-07-01'],
    ['tr', '%d %B %Y', '5 MAYIS 2024', '2024-05-05'],
  ])('%s: %s reads %s', (locale, format, cell, date) => {
    expect(read('date', format, cell, { locale })).toBe(date);
    expect(read('date', format, cell.normalize('NFD'), { locale })).toBe(date);
  });

  test.each([
    ['fr', '%d %b %Y', '5 jui 2024'],
    ['fr', '%d %b %Y', '5 Feb 2024'],
    ['fr', '%d %b %Y', '5 f\u00e9 2024'],
    ['fr', '%d %b %Y', '5 f\u00e9vrierx 2024'],
    ['de', '%d.%b.%Y', '05.Ju.2024'],
  ])('%s: %s refuses %s', (locale, format, cell) => {
    expect(read('date', format, cell, { locale })).toContain('! not a date as');
  });

  test('a weekday has to be that of the date', () => {
    expect(read('date', '%A %d %B %Y', 'mardi 5 f\u00e9vrier 2024', { locale: 'fr' })).toBe(
      '! the weekday is not that of the date',
    );
  });

  test('every day that Intl writes in 30 languages is read back, in any case, with and without points', () => {
    const locales =
      'fr de es it pt pt-BR nl pl ru uk sv da nb fi et lv lt hu ro hr sl sk cs bg el tr id en en-GB ca'.split(' ');
    for (const locale of locales) {
      for (const style of ['long', 'short'] as const) {
        const parts = { timeZone: 'UTC', day: 'numeric', month: style, year: 'numeric' } as const;
        const format = new Intl.DateTimeFormat(locale, parts);
        for (let month = 0; month < 12; month++) {
          const date = new Date(Date.UTC(2024, month, 9));
          const name = format.formatToParts(date).find(({ type }) => type === 'month')?.value ?? '';
          if (/\d/.test(name)) continue;
          const lone = new Intl.DateTimeFormat(locale, { timeZone: 'UTC', month: style }).format(date);
          for (const word of [name, lone, name.toLocaleUpperCase(locale), name.replace('.', '')])
            expect([locale, word, read('date', '%d %b %Y', `9 ${word} 2024`, { locale })]).toEqual([
              locale,
              word,
              iso(date.getTime()),
            ]);
        }
      }
    }
  });

  test('is a language that is known and has names, for dates only', () => {
    const problems = (type: string, locale: string): string[] =>
      columnProblems({ ...plainColumn('d', 'd', type), locale, formats: type === 'text' ? [] : ['%d %b %Y'] });
    expect(problems('date', 'fr-CA')).toEqual([]);
    expect(problems('date', 'xx')[0]).toContain('locale "xx" is no language');
    expect(problems('date', 'fr_FR')[0]).toContain('locale "fr_FR" is no language');
    expect(problems('date', 'ja')[0]).toContain('writes months as numbers');
    expect(problems('text', 'fr')).toEqual(['locale is for dates and times, not for text']);
  });
});

describe('%Z', () => {
  const at = (cell: string): string => read('timestamptz', '%Y-%m-%d %H:%M %Z', cell);

  test.each([
    ['2024-01-15 12:00 UTC', '2024-01-15 12:00:00+00:00:00'],
    ['2024-01-15 12:00 CET', '2024-01-15 12:00:00+01:00:00'],
    ['2024-07-15 12:00 CEST', '2024-07-15 12:00:00+02:00:00'],
    ['2024-07-15 12:00 cet', '2024-07-15 12:00:00+01:00:00'],
    ['2024-01-15 12:00 EST', '2024-01-15 12:00:00-05:00:00'],
    ['2024-01-15 12:00 ACST', '2024-01-15 12:00:00+09:30:00'],
    ['2024-01-15 12:00 Europe/Paris', '2024-01-15 12:00:00+01:00:00'],
    ['2024-07-15 12:00 Europe/Paris', '2024-07-15 12:00:00+02:00:00'],
    ['2024-07-15 12:00 europe/paris', '2024-07-15 12:00:00+02:00:00'],
    ['2024-07-15 12:00 America/Port-au-Prince', '2024-07-15 12:00:00-04:00:00'],
    ['2024-07-15 12:00 Asia/Kolkata', '2024-07-15 12:00:00+05:30:00'],
    ['2024-07-15 12:00 Etc/GMT+5', '2024-07-15 12:00:00-05:00:00'],
    ['2024-10-27 02:30 Europe/Paris', '2024-10-27 02:30:00+02:00:00'],
  ])('%s is %s', (cell, value) => {
    expect(at(cell)).toBe(value);
  });

  test.each([
    ['2024-01-15 12:00 IST', 'IST is the time of India, Israel or Ireland: write the zone'],
    ['2024-01-15 12:00 cst', 'CST is the time of Central America, China or Cuba'],
    ['2024-01-15 12:00 BST', 'BST is the time of British summer or Bangladesh'],
    ['2024-01-15 12:00 XYZ', 'no such time zone'],
    ['2024-01-15 12:00 Europe/Nowhere', 'no such time zone'],
    ['2024-03-31 02:30 Europe/Paris', 'this local time does not exist in the zone behind it'],
    ['2024-01-15 12:00 ', 'not a timestamptz as'],
    ['2024-01-15 12:00 CET+1', 'not a timestamptz as'],
  ])('%s is refused: %s', (cell, reason) => {
    expect(at(cell)).toContain(`! ${reason}`);
  });

  test('a zone name gives the instant at which Intl shows that time there', () => {
    const zones = ['Europe/Paris', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'America/St_Johns'];
    fc.assert(
      fc.property(fc.constantFrom(...zones), fc.integer({ min: 0, max: 4_000_000_000 }), (zone, second) => {
        const minute = second - (second % 60);
        const shown = new Intl.DateTimeFormat('sv', { timeZone: zone, dateStyle: 'short', timeStyle: 'short' }).format(
          minute * 1000,
        );
        const found = at(`${shown} ${zone}`).replace(/:00$/, '');
        const instant = Date.parse(found.replace(' ', 'T')) / 1000;
        // The earlier of two: by an hour at most.
        expect([0, 1800, 3600]).toContain(minute - instant);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('a month, an ISO week', () => {
  test.each([
    ['%Y-%m', '2024-02', '2024-02-01'],
    ['%Y-%m', '2024-13', '! no such day in the calendar'],
    ['%b %Y', 'Feb 2024', '2024-02-01'],
    ['%G-W%V-%u', '2024-W01-1', '2024-01-01'],
    ['%G-W%V-%u', '2020-W53-7', '2021-01-03'],
    ['%G-W%V', '2024-W10', '2024-03-04'],
    ['%GW%V', '2024W10', '2024-03-04'],
    ['%G%V%u', '2024107', '2024-03-10'],
    ['%G-W%V-%u', '2021-W53-1', '! no such day in the calendar'],
    ['%G-W%V-%u', '2021-W00-1', '! no such day in the calendar'],
    ['%G-W%V-%u', '2021-W01-8', '! no such day in the calendar'],
    ['%G-W%V-%u', '2021-W01-0', '! no such day in the calendar'],
    ['%a %G-W%V-%u', 'Tue 2024-W01-1', '! the weekday is not that of the date'],
    ['%Y-%m-%d (%u)', '2024-01-01 (1)', '2024-01-01'],
    ['%Y-%m-%d (%u)', '2024-01-01 (2)', '! the weekday is not that of the date'],
  ])('%s: %s is %s', (format, cell, value) => {
    expect(read('date', format, cell)).toBe(value);
  });

  test("weeks are those of Python's isocalendar", () => {
    const script = [
      'import datetime as d',
      'for n in range(1, 3652059, 997):',
      ' t = d.date.fromordinal(n); y, w, u = t.isocalendar()',
      ' print(t.isoformat(), "%04d-W%02d-%d" % (y, w, u))',
    ].join('\n');
    const { status, stdout } = spawnSync('python3', ['-c', script], { encoding: 'utf8' });
    if (status !== 0) return;
    const wrong = stdout
      .trim()
      .split('\n')
      .map((line) => line.split(' '))
      .filter(([day, week]) => read('date', '%G-W%V-%u', week ?? '') !== day);
    expect(wrong).toEqual([]);
  });
});

describe('counts', () => {
  const TOP = 253_402_300_799_999_999_999n;

  test.each([
    ['epoch_us', '0', '1970-01-01 00:00:00'],
    ['epoch_us', '1700000000123456', '2023-11-14 22:13:20.123456'],
    ['epoch_us', '1700000000123456.0', '2023-11-14 22:13:20.123456'],
    ['epoch_us', '-1', '1969-12-31 23:59:59.999999'],
    ['epoch_us', '1.5', '! digits past microseconds'],
    ['epoch_ns', '1700000000123456000', '2023-11-14 22:13:20.123456'],
    ['epoch_ns', '1700000000123456789', '! digits past microseconds'],
    ['epoch_ns', '5', '! digits past microseconds'],
    ['epoch_ns', '000', '1970-01-01 00:00:00'],
    ['epoch_ns', String(TOP + 1n), '! year outside 0001 to 9999'],
    ['epoch_ns', '1e18', '! not a timestamp as epoch_ns'],
    ['epoch_ns', '1.', '! not a timestamp as epoch_ns'],
    ['epoch_ns', '-', '! not a timestamp as epoch_ns'],
  ])('%s: %s is %s', (format, cell, value) => {
    expect(read('timestamp', format, cell)).toBe(value);
  });

  test('epoch_ns with round goes to the nearest microsecond, a half to the later', () => {
    const rounded = (cell: string): string => read('timestamp', 'epoch_ns', cell, { round: true });
    expect(rounded('1700000000123456499')).toBe('2023-11-14 22:13:20.123456');
    expect(rounded('1700000000123456500')).toBe('2023-11-14 22:13:20.123457');
    expect(rounded('-1500')).toBe('1969-12-31 23:59:59.999999');
    expect(rounded('-1501')).toBe('1969-12-31 23:59:59.999998');
  });

  test('10,000 instants are the same as by BigInt, in microseconds and nanoseconds', () => {
    const print = (micros: bigint): string => {
      const second = (micros - (((micros % 1_000_000n) + 1_000_000n) % 1_000_000n)) / 1_000_000n;
      const fraction = micros - second * 1_000_000n;
      const text = new Date(Number(second) * 1000).toISOString().slice(0, 19).replace('T', ' ');
      return fraction === 0n ? text : `${text}.${String(fraction).padStart(6, '0')}`;
    };
    fc.assert(
      fc.property(fc.bigInt({ min: -62_135_596_800_000_000n, max: TOP / 1000n }), (micros) => {
        expect(read('timestamp', 'epoch_us', String(micros))).toBe(print(micros));
        expect(read('timestamp', 'epoch_ns', String(micros * 1000n))).toBe(print(micros));
      }),
      { numRuns: 5_000 },
    );
  });

  test.each([
    ['date', '1', '1900-01-01'],
    ['date', '59', '1900-02-28'],
    ['date', '60', '! no such day in the calendar'],
    ['date', '61', '1900-03-01'],
    ['date', '45306', '2024-01-15'],
    ['date', '45306.0', '2024-01-15'],
    ['date', '45306.5', '! a date with a time of day'],
    ['date', '2958465', '9999-12-31'],
    ['date', '2958466', '! year outside 0001 to 9999'],
    ['date', '0', '! no such day in the calendar'],
    ['date', '-1', '! no such day in the calendar'],
    ['date', '4.5e4', '! not a date as excel_serial'],
    ['timestamp', '45306.604166666664', '2024-01-15 14:30:00'],
    ['timestamp', '45306.6041666667', '2024-01-15 14:30:00'],
    ['timestamp', '45306.999999999', '2024-01-16 00:00:00'],
    ['time', '0.75', '18:00:00'],
    ['time', '0', '00:00:00'],
    ['time', '1.5', '! no such time of day'],
  ])('excel_serial: %s %s is %s', (type, cell, value) => {
    expect(read(type, 'excel_serial', cell)).toBe(value);
  });

  test('excel_serial is what the library of spreadsheets makes of the number', () => {
    const ssf = SSF as {
      parse_date_code(day: number): Readonly<Record<'y' | 'm' | 'd' | 'H' | 'M' | 'S' | 'u', number>>;
    };
    fc.assert(
      fc.property(fc.integer({ min: 61, max: 2_958_464 }), fc.integer({ min: 0, max: 86_399 }), (day, second) => {
        const serial = day + second / 86_400;
        const { y, m, d, H, M, S, u } = ssf.parse_date_code(serial);
        // It counts whole seconds and leaves the rest in u.
        const told = new Date(Date.UTC(y, m - 1, d, H, M, S + Math.round(u)));
        expect(read('timestamp', 'excel_serial', String(serial))).toBe(
          told.toISOString().slice(0, 19).replace('T', ' '),
        );
      }),
      { numRuns: 2_000 },
    );
  });
});

test('10,000 moments printed by each letter are read back', () => {
  const names = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
  const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
  const two = (value: number, width = 2): string => String(value).padStart(width, '0');
  const print = (format: string, date: Date): string => {
    const year = date.getUTCFullYear();
    const dayOfYear = Math.floor((date.getTime() - Date.UTC(year, 0, 1)) / DAY_MS) + 1;
    const hour = date.getUTCHours();
    const letters: Readonly<Record<string, string>> = {
      Y: two(year, 4),
      y: two(year % 100),
      m: two(date.getUTCMonth() + 1),
      d: two(date.getUTCDate()),
      e: String(date.getUTCDate()).padStart(2, ' '),
      b: names[date.getUTCMonth()] ?? '',
      a: days[date.getUTCDay()] ?? '',
      j: two(dayOfYear, 3),
      H: two(hour),
      I: two(hour % 12 || 12),
      p: hour < 12 ? 'AM' : 'PM',
      M: two(date.getUTCMinutes()),
      S: two(date.getUTCSeconds()),
      f: two(date.getUTCMilliseconds(), 3),
      u: String(date.getUTCDay() || 7),
    };
    return format.replace(/%(.)/g, (_, letter: string) => letters[letter] ?? letter);
  };
  const formats = [
    '%Y-%m-%d %H:%M:%S.%f',
    '%d/%m/%Y %H:%M:%S.%f',
    '%d%m%Y%H%M%S%f',
    '%a %b %e %I:%M:%S.%f %p %Y',
    '%Y-%j %H:%M:%S,%f',
    '%u %y%m%d %H%M%S.%f',
    '%d. %b %y, %I.%M.%S.%f%p',
  ];
  fc.assert(
    fc.property(
      fc.constantFrom(...formats),
      fc.integer({ min: Date.UTC(1969, 0, 1), max: Date.UTC(2068, 11, 31) }),
      (format, ms) => {
        const date = new Date(ms);
        const wanted = date
          .toISOString()
          .slice(0, -1)
          .replace('T', ' ')
          .replace('.000', '')
          .replace(/(\.\d{3})$/, '$1000');
        expect(read('timestamp', format, print(format, date))).toBe(wanted);
      },
    ),
    { numRuns: 10_000 },
  );
});
