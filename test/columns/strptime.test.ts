import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatProblem } from '../../src/columns/time/strptime-format.js';
import { codecOf, encode } from './support.js';

/** What a column of that type makes of the cell: its text, or the reason of the refusal. */
function read(
  typeName: string,
  format: string | readonly string[],
  cell: string,
  options: { readonly timezone?: string; readonly round?: boolean } = {},
): string {
  const codec = codecOf(typeName, { formats: typeof format === 'string' ? [format] : format, ...options });
  const outcome = encode(codec, cell, 'text');
  if (outcome === 'NULL') return 'NULL';
  return 'value' in outcome ? outcome.value.toString() : outcome.refused;
}

describe('formats', () => {
  test.each([
    ['%d/%m/%Y', '31/12/2024', '2024-12-31'],
    ['%d/%m/%Y', '1/2/2024', '2024-02-01'],
    ['%d/%m/%Y', '01/2/2024', '2024-02-01'],
    ['%d.%m.%y', '01.02.68', '2068-02-01'],
    ['%d.%m.%y', '01.02.69', '1969-02-01'],
    ['%d.%m.%y', '01.02.99', '1999-02-01'],
    ['%d.%m.%y', '01.02.00', '2000-02-01'],
    ['%Y%m%d', '20240229', '2024-02-29'],
    ['%d%b%Y', '5Jan2024', '2024-01-05'],
    ['%d-%b-%y', '05-SEP-24', '2024-09-05'],
    ['%d %B %Y', '5 september 2024', '2024-09-05'],
    ['%B %d, %Y', 'May 31, 2024', '2024-05-31'],
    ['%b %d, %Y', 'June 1, 2024', '2024-06-01'],
    ['%b %e %Y', 'Jan  5 2024', '2024-01-05'],
    ['%e.%m.%Y', ' 5.01.2024', '2024-01-05'],
    ['%a, %d %b %Y', 'Mon, 01 Jan 2024', '2024-01-01'],
    ['%A %d %B %Y', 'thursday 29 February 2024', '2024-02-29'],
    ['%Y-%j', '2024-366', '2024-12-31'],
    ['%Y/%j', '2023/1', '2023-01-01'],
    ['%Y%j', '2023001', '2023-01-01'],
    ['%F', '2024-01-02', '2024-01-02'],
    ['%D', '12/31/24', '2024-12-31'],
    ['100%% %Y-%m-%d', '100% 2024-01-02', '2024-01-02'],
    ['%%T%Y-%m-%d', '%T2024-01-02', '2024-01-02'],
    ['%Y年%m月%d日', '2024年1月2日', '2024-01-02'],
    ['le %d/%m/%Y', 'le   1/2/2024', '2024-02-01'],
  ])('%s reads %s as %s', (format, cell, expected) => {
    expect(read('date', format, cell)).toBe(expected);
  });

  test.each([
    ['%d/%m/%Y %H:%M:%S', '01/02/2024 13:14:15', '2024-02-01 13:14:15'],
    ['%d/%m/%Y %H:%M', '1/2/2024 9:05', '2024-02-01 09:05:00'],
    ['%d/%m/%Y %T', '01/02/2024 23:59:59', '2024-02-01 23:59:59'],
    ['%m/%d/%Y %I:%M %p', '02/01/2024 12:00 AM', '2024-02-01 00:00:00'],
    ['%m/%d/%Y %I:%M %p', '02/01/2024 12:00 pm', '2024-02-01 12:00:00'],
    ['%m/%d/%Y %I:%M%p', '02/01/2024 1:30PM', '2024-02-01 13:30:00'],
    ['%Y-%m-%d %H:%M:%S.%f', '2024-02-01 00:00:00.5', '2024-02-01 00:00:00.500000'],
    ['%Y-%m-%d %H:%M:%S,%f', '2024-02-01 00:00:00,000001', '2024-02-01 00:00:00.000001'],
    ['%Y%m%d%H%M%S%f', '20240201131415123', '2024-02-01 13:14:15.123000'],
    ['%d/%m/%Y', '01/02/2024', '2024-02-01 00:00:00'],
    ['%s', '1700000000', '2023-11-14 22:13:20'],
  ])('%s reads %s as %s', (format, cell, expected) => {
    expect(read('timestamp', format, cell)).toBe(expected);
  });

  test.each([
    ['%d/%b/%Y:%H:%M:%S %z', '10/Oct/2000:13:55:36 -0700', '2000-10-10 13:55:36-07:00:00'],
    ['%a, %d %b %Y %H:%M:%S %Z', 'Wed, 21 Oct 2015 07:28:00 GMT', '2015-10-21 07:28:00+00:00:00'],
    ['%Y-%m-%d %H:%M %z', '2024-02-01 00:00 +05:30', '2024-02-01 00:00:00+05:30:00'],
    ['%Y-%m-%dT%H:%M%z', '2024-02-01T00:00Z', '2024-02-01 00:00:00+00:00:00'],
    ['%d/%m/%Y %H:%M', '01/07/2024 12:00', '2024-07-01 12:00:00+02:00:00'],
  ])('%s reads %s as %s', (format, cell, expected) => {
    expect(read('timestamptz', format, cell, { timezone: 'Europe/Paris' })).toBe(expected);
  });

  test.each([
    ['%H.%M', '9.05', '09:05:00'],
    ['%H%M', '0905', '09:05:00'],
    ['%I:%M:%S %p', '12:00:01 am', '00:00:01'],
    ['%H:%M:%S.%f', '23:59:59.999999', '23:59:59.999999'],
  ])('%s reads %s as %s', (format, cell, expected) => {
    expect(read('time', format, cell)).toBe(expected);
  });

  test('blanks around the cell do not count, and a blank cell is NULL', () => {
    expect(read('date', '%d/%m/%Y', '  1/2/2024 ')).toBe('2024-02-01');
    expect(read('date', '%d/%m/%Y', '   ')).toBe('NULL');
  });

  test('take the whole cell or nothing', () => {
    for (const cell of [
      '1/2/2024x',
      '1/2/2024 ?',
      'x1/2/2024',
      '1/2/',
      '1/2',
      '/2/2024',
      '1//2024',
      '1-2-2024',
      '1/2/24',
      '1/2/20244',
      '001/2/2024',
      '+1/2/2024',
      '1 /2/2024',
      '2024-02-01',
      '١/٢/2024',
    ]) {
      expect(read('date', '%d/%m/%Y', cell), cell).toBe('not a date as %d/%m/%Y');
    }
  });

  test('a number that touches another takes all its digits: 2024115 could be two days', () => {
    expect(read('date', '%Y%m%d', '2024115')).toBe('not a date as %Y%m%d');
    expect(read('date', '%d%m%Y', '1022024')).toBe('not a date as %d%m%Y');
    expect(read('time', '%H%M', '905')).toBe('not a time as %H%M');
  });

  test('say what does not exist', () => {
    expect(read('date', '%d/%m/%Y', '29/02/2023')).toBe('no such day in the calendar');
    expect(read('date', '%d/%m/%Y', '01/13/2024')).toBe('no such day in the calendar');
    expect(read('date', '%d/%m/%Y', '00/01/2024')).toBe('no such day in the calendar');
    expect(read('date', '%Y-%j', '2023-366')).toBe('no such day in the calendar');
    expect(read('date', '%Y-%j', '2023-0')).toBe('no such day in the calendar');
    expect(read('date', '%d/%m/%Y', '01/01/0000')).toBe('year outside 0001 to 9999');
    expect(read('date', '%a %d/%m/%Y', 'Tue 01/01/2024')).toBe('the weekday is not that of the date');
    expect(read('date', '%d/%m/%Y %H:%M', '01/02/2024 10:00')).toBe('a date with a time of day');
    expect(read('timestamp', '%d/%m/%Y %H:%M', '01/02/2024 24:00')).toBe('no such time of day');
    expect(read('timestamp', '%d/%m/%Y %H:%M:%S', '01/02/2024 10:00:60')).toBe('no such time of day');
    expect(read('timestamp', '%d/%m/%Y %I:%M %p', '01/02/2024 13:00 PM')).toBe('no such time of day');
    expect(read('timestamp', '%d/%m/%Y %I:%M %p', '01/02/2024 0:30 AM')).toBe('no such time of day');
    expect(read('timestamp', '%Y-%m-%d %H:%M:%S.%f', '2024-02-01 00:00:00.0000001')).toBe('digits past microseconds');
    expect(read('timestamp', '%Y-%m-%d %H:%M %z', '2024-02-01 00:00 +02')).toBe(
      'has an offset from UTC, but the column has no timezone',
    );
    expect(read('timestamptz', '%d/%m/%Y %H:%M', '31/03/2024 02:30', { timezone: 'Europe/Paris' })).toBe(
      'this local time does not exist in Europe/Paris',
    );
  });

  test('of a list are tried in order', () => {
    const formats = ['%d/%m/%Y', '%m/%d/%Y', '%Y%m%d', 'epoch_s'];
    expect(read('date', formats, '01/02/2024')).toBe('2024-02-01');
    expect(read('date', formats, '01/13/2024')).toBe('2024-01-13');
    expect(read('date', formats, '20240113')).toBe('2024-01-13');
    expect(read('date', formats, '86400')).toBe('1970-01-02');
    expect(read('date', formats, '31/31/2024')).toBe('no such day in the calendar');
    expect(read('date', formats, 'x')).toBe('not a date as %d/%m/%Y or %m/%d/%Y or %Y%m%d or epoch_s');
  });

  test('a value that a format failed on leaves nothing behind for the next', () => {
    const formats = ['%d/%m/%Y %H:%M:%S.%f %z', '%d/%m/%Y'];
    expect(read('timestamptz', formats, '01/02/2024')).toBe('2024-02-01 00:00:00+00:00:00');
    expect(read('timestamp', ['epoch_s', '%d/%m/%Y %H:%M'], '01/02/2024 10:00')).toBe('2024-02-01 10:00:00');
  });

  test('read back every date that they write', () => {
    const two = (n: number): string => String(n).padStart(2, '0');
    const date = fc.tuple(
      fc.integer({ min: 1, max: 9999 }),
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 1, max: 28 }),
    );
    fc.assert(
      fc.property(date, fc.constantFrom('/', '.', '-', ' '), ([y, m, d], sign) => {
        const year = String(y).padStart(4, '0');
        const expected = `${year}-${two(m)}-${two(d)}`;
        expect(read('date', `%d${sign}%m${sign}%Y`, `${d}${sign}${m}${sign}${year}`)).toBe(expected);
        expect(read('date', '%Y%m%d', `${year}${two(m)}${two(d)}`)).toBe(expected);
      }),
      { numRuns: 200 },
    );
  });
});

describe('epochs', () => {
  test.each([
    ['epoch_s', '0', '1970-01-01 00:00:00'],
    ['epoch_s', '-1', '1969-12-31 23:59:59'],
    ['epoch_s', '+1', '1970-01-01 00:00:01'],
    ['epoch_s', '1700000000.123456', '2023-11-14 22:13:20.123456'],
    ['epoch_s', '-0.000001', '1969-12-31 23:59:59.999999'],
    ['epoch_s', '-1.25', '1969-12-31 23:59:58.750000'],
    ['epoch_s', '1700000000.10', '2023-11-14 22:13:20.100000'],
    ['epoch_s', '0000000000000000000001', '1970-01-01 00:00:01'],
    ['epoch_s', '253402300799.999999', '9999-12-31 23:59:59.999999'],
    ['epoch_s', '-62135596800', '0001-01-01 00:00:00'],
    ['epoch_ms', '1700000000123', '2023-11-14 22:13:20.123000'],
    ['epoch_ms', '1700000000123.456', '2023-11-14 22:13:20.123456'],
    ['epoch_ms', '1700000000123.4560', '2023-11-14 22:13:20.123456'],
    ['epoch_ms', '-1', '1969-12-31 23:59:59.999000'],
    ['epoch_ms', '-1000.5', '1969-12-31 23:59:58.999500'],
    ['epoch_ms', '253402300799999', '9999-12-31 23:59:59.999000'],
  ])('%s %s is %s', (format, cell, expected) => {
    expect(read('timestamp', format, cell)).toBe(expected);
  });

  test('are refused past microseconds, or rounded to the nearest', () => {
    expect(read('timestamp', 'epoch_s', '1.1234567')).toBe('digits past microseconds');
    expect(read('timestamp', 'epoch_ms', '1.1234')).toBe('digits past microseconds');
    const round = { round: true };
    expect(read('timestamp', 'epoch_s', '1.1234565', round)).toBe('1970-01-01 00:00:01.123457');
    expect(read('timestamp', 'epoch_s', '1.12345649', round)).toBe('1970-01-01 00:00:01.123456');
    expect(read('timestamp', 'epoch_ms', '1.1235', round)).toBe('1970-01-01 00:00:00.001124');
    expect(read('timestamp', 'epoch_s', '-1.1234567', round)).toBe('1969-12-31 23:59:58.876543');
    expect(read('timestamp', 'epoch_s', '-1.1234561', round)).toBe('1969-12-31 23:59:58.876544');
    expect(read('timestamp', 'epoch_s', '-0.9999999', round)).toBe('1969-12-31 23:59:59');
  });

  test('outside the years 1 to 9999 are refused', () => {
    for (const cell of ['253402300800', '-62135596801', '-62135596800.5', '99999999999999999999999'])
      expect(read('timestamp', 'epoch_s', cell), cell).toBe('year outside 0001 to 9999');
    expect(read('timestamp', 'epoch_ms', '253402300800000')).toBe('year outside 0001 to 9999');
  });

  test('are plain numbers', () => {
    for (const cell of [
      '',
      '-',
      '+',
      '.',
      '.5',
      '5.',
      '1e9',
      '1,5',
      '0x10',
      '1_000',
      'NaN',
      '1 2',
      '2024-01-01',
    ].filter((c) => c !== ''))
      expect(read('timestamp', 'epoch_s', cell), cell).toBe('not a timestamp as epoch_s');
  });

  test("are instants: local time in the column's timezone, UTC without one", () => {
    expect(read('timestamp', 'epoch_s', '1720000000', { timezone: 'Europe/Paris' })).toBe('2024-07-03 11:46:40');
    expect(read('timestamptz', 'epoch_s', '1720000000', { timezone: 'Europe/Paris' })).toBe(
      '2024-07-03 09:46:40+00:00:00',
    );
    expect(read('date', 'epoch_s', '1719957600', { timezone: 'Europe/Paris' })).toBe('2024-07-03');
    expect(read('date', 'epoch_s', '1719957600')).toBe('a date with a time of day');
  });

  test('agree with Date for every millisecond', () => {
    fc.assert(
      fc.property(fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 }), (ms) => {
        const [day, clock] = new Date(ms).toISOString().split('T') as [string, string];
        const millis = clock.slice(9, 12);
        const expected = `${day} ${clock.slice(0, 8)}${millis === '000' ? '' : `.${millis}000`}`;
        expect(read('timestamp', 'epoch_ms', String(ms))).toBe(expected);
      }),
      { numRuns: 500 },
    );
  });
});

describe('formatProblem', () => {
  test.each([
    ['%d/%m/%Y', 'date'],
    ['%d/%m/%Y %H:%M', 'timestamp'],
    ['%Y-%j', 'date'],
    ['%s', 'timestamp'],
    ['epoch_ms', 'timestamp'],
    ['%I %p', 'time'],
    ['%m/%Y', 'date'],
    ['%b %y', 'timestamp'],
    ['%G-W%V', 'date'],
    ['%G%V%u %H:%M', 'timestamp'],
    ['epoch_us', 'date'],
    ['excel_serial', 'time'],
    ['excel_serial', 'date'],
    ['%H:%M %p', 'time'],
  ] as const)('%s serves a %s', (format, content) => {
    expect(formatProblem(format, content)).toBeNull();
  });

  test.each([
    ['%q', 'date', '%q is not a letter'],
    ['%d/%m/%', 'date', '% is not a letter'],
    ['%d/%m', 'date', 'has no year'],
    ['%d %Y', 'date', 'has no month'],
    ['%m/%Y %H:%M', 'timestamp', 'has no day'],
    ['%a %m/%Y', 'date', 'has no day'],
    ['%G-%u', 'date', '%G and %V'],
    ['%Y-W%V-%u', 'date', '%G and %V'],
    ['%G-W%V %d', 'date', 'stands for the whole date'],
    ['epoch_ns', 'time', 'no meaning for a time of day'],
    ['%H:%M', 'timestamp', 'has no year'],
    ['', 'date', 'has no year'],
    ['epoch_us ', 'timestamp', 'has no strptime letter'],
    ['dd/MM/yyyy', 'date', 'has no strptime letter'],
    ['%d/%m/%Y %I:%M', 'timestamp', '%I and %p belong together'],
    ['%d/%m/%Y', 'time', 'neither date nor offset'],
    ['%M:%S', 'time', 'has no hour'],
    ['%H:%M%z', 'time', 'neither date nor offset'],
    ['epoch_s', 'time', 'no meaning for a time of day'],
    ['%s.%f', 'timestamp', 'stands alone'],
  ] as const)('%s for a %s: %s', (format, content, expected) => {
    expect(formatProblem(format, content)).toContain(expected);
  });
});
