import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TestDatabase, createDatabase } from '../support/postgres.js';
import { codecOf, encode, expectAsPostgres, expectOrderOfPostgres, refusal } from './support.js';

let db: TestDatabase;
beforeAll(async () => {
  db = await createDatabase();
  await db.client.query(`set timezone = 'UTC'`);
});
afterAll(async () => {
  await db.drop();
});

const two = (n: number): string => String(n).padStart(2, '0');
const year = (n: number): string => String(n).padStart(4, '0');
const anyDate = fc
  .tuple(fc.integer({ min: 1, max: 9999 }), fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 31 }))
  .map(([y, m, d]) => `${year(y)}-${two(m)}-${two(d)}`);
const clock = fc
  .tuple(
    fc.nat(23),
    fc.nat(59),
    fc.option(
      fc.tuple(
        fc.nat(59),
        fc.option(
          fc.string({
            unit: fc.constantFrom('0', '1', '2', '3', '4', '5', '6', '7', '8', '9'),
            minLength: 1,
            maxLength: 6,
          }),
        ),
      ),
    ),
  )
  .map(([h, m, s]) => `${two(h)}:${two(m)}${s === null ? '' : `:${two(s[0])}${s[1] === null ? '' : `.${s[1]}`}`}`);
const offset = fc
  .tuple(fc.constantFrom('+', '-'), fc.nat(15), fc.option(fc.nat(59)), fc.constantFrom(':', ''))
  .map(([sign, h, m, colon]) => `${sign}${two(h)}${m === null ? '' : `${colon}${two(m)}`}`);
const dateTime = fc.tuple(anyDate, fc.constantFrom('T', ' '), clock).map((parts) => parts.join(''));

const DAYS = [
  '0001-01-01',
  '0001-12-31',
  '0004-02-29',
  '1582-10-04',
  '1582-10-10',
  '1582-10-15',
  '1600-02-29',
  '1699-12-31',
  '1700-02-28',
  '1900-02-28',
  '1900-03-01',
  '1969-12-31',
  '1970-01-01',
  '1999-12-31',
  '2000-01-01',
  '2000-02-29',
  '2000-03-01',
  '2024-02-29',
  '2024-12-31',
  '2038-01-19',
  '2100-02-28',
  '9999-12-31',
];
const NO_DAYS = [
  '2023-02-29',
  '1900-02-29',
  '2100-02-29',
  '2024-02-30',
  '2024-04-31',
  '2024-00-10',
  '2024-13-01',
  '2024-01-00',
  '2024-01-32',
  '0000-01-01',
  '0000-00-00',
];
const NOT_DATES = [
  '',
  ' ',
  '-',
  '2024',
  '2024-',
  'x024-01-01',
  '2024-o1-01',
  '2024-01-0a',
  '20a4-01-01',
  '2024_01_01x',
  'heute',
].filter((cell) => cell.trim() !== '');
/** PostgreSQL takes these; tallyman wants a format for them, or none at all. */
const LENIENT_DATES = [
  '2024-1-1',
  '20240101',
  '2024/01/01',
  '2024.01.01',
  '01/02/2024',
  'Jan 2, 2024',
  '2024-Jan-02',
  '2024.001',
  '12024-01-01',
  '10000-01-01',
  '2024-01-01 BC',
  'epoch',
  'infinity',
  '-infinity',
  'today',
  'now',
  'J2451545',
  '24-01-01',
];

describe('date', () => {
  const check = (cells: readonly string[]) =>
    expectAsPostgres({ client: db.client, sqlType: 'date', send: 'date_send', codec: codecOf('date'), cells });

  test('is what PostgreSQL makes of the same literal, in all years from 1 to 9999', async () => {
    const everyYear = Array.from({ length: 9999 }, (_, i) => `${year(i + 1)}-02-29`);
    await check([
      ...DAYS,
      ...NO_DAYS,
      ...NOT_DATES,
      ' 2024-01-02 ',
      '\t2024-01-02\n',
      ...everyYear,
      ...fc.sample(anyDate, { numRuns: 3000, seed: 21 }),
    ]);
  });

  test('orders as PostgreSQL does', async () => {
    await expectOrderOfPostgres(db.client, 'date', codecOf('date'), [...DAYS, '2000-01-01', '1999-12-31']);
  });

  test('takes a midnight time part, with or without offset', async () => {
    await check([
      '2024-01-02T00:00',
      '2024-01-02 00:00:00',
      '2024-01-02 00:00:00.000000',
      '2024-01-02T00:00:00Z',
      '2024-01-02 00:00+02',
    ]);
    expect(refusal(codecOf('date'), '2024-01-02T00:00:00.0000000')).toBeNull();
  });

  test('refuses any other time of day', () => {
    for (const cell of [
      '2024-01-02T00:01',
      '2024-01-02 12:00:00',
      '2024-01-02 00:00:00.000001',
      '2024-01-02 00:00:00.0000001',
    ])
      expect(refusal(codecOf('date'), cell)).toBe('a date with a time of day');
  });

  test('refuses spellings that need a format, though PostgreSQL takes them', () => {
    for (const cell of LENIENT_DATES) expect(refusal(codecOf('date'), cell), cell).toBe('not a date');
  });

  test('says why a well-formed date is refused', () => {
    expect(refusal(codecOf('date'), '2023-02-29')).toBe('no such day in the calendar');
    expect(refusal(codecOf('date'), '0000-01-01')).toBe('year outside 0001 to 9999');
    expect(refusal(codecOf('date'), '2024-01-01 24:00')).toBe('no such time of day');
  });

  test('a blank cell is NULL', () => {
    expect(encode(codecOf('date'), '')).toBe('NULL');
    expect(encode(codecOf('date'), ' \t', 'text')).toBe('NULL');
  });
});

const TIMES = [
  '00:00',
  '00:00:00',
  '23:59',
  '23:59:59',
  '23:59:59.999999',
  '12:34:56.7',
  '12:34:56.000001',
  '01:02:03.120000',
  ' 10:00 ',
];
const NO_TIMES = ['25:00', '12:60', '12:30:61', 'noon', '12', '12:', '1a:00', ':30', '12:30:', '-01:00'];

describe('time', () => {
  const check = (typeName: string, cells: readonly string[]) =>
    expectAsPostgres({ client: db.client, sqlType: typeName, send: 'time_send', codec: codecOf(typeName), cells });

  test('is what PostgreSQL makes of the same literal', async () => {
    await check('time', [
      ...TIMES,
      '25:00',
      '12:60',
      '12:30:61',
      'noon',
      ':30',
      ...fc.sample(clock, { numRuns: 2000, seed: 22 }),
    ]);
  });

  test('orders as PostgreSQL does', async () => {
    await expectOrderOfPostgres(db.client, 'time', codecOf('time'), TIMES);
  });

  test('refuses 24:00, :60, and what is no time of day', () => {
    for (const cell of ['24:00', '24:00:00', '12:30:60', '25:00', '12:60'])
      expect(refusal(codecOf('time'), cell), cell).toBe('no such time of day');
    for (const cell of [
      ...NO_TIMES.slice(3),
      '1:00',
      '12:30:15.',
      '12:30:5',
      '12:30.5',
      '12:30:15,5',
      '10:00Z',
      '10:00+02',
      '2024-01-01 10:00',
      '10:00 PM',
      '10:00:00 ago',
      '100:00',
      '123456',
    ]) {
      expect(refusal(codecOf('time'), cell), cell).toBe('not a time');
    }
  });

  test('takes no more decimals than the column has, whole zeros apart', async () => {
    await check('time(3)', ['12:00:00.123', '12:00:00.123000', '12:00', '23:59:59.999']);
    expect(refusal(codecOf('time(3)'), '12:00:00.1234')).toBe('more than 3 decimals of a second');
    expect(refusal(codecOf('time(0)'), '12:00:00.5')).toBe('more than 0 decimals of a second');
    expect(refusal(codecOf('time'), '12:00:00.1234567')).toBe('digits past microseconds');
    expect(refusal(codecOf('time'), '12:00:00.12345600000')).toBeNull();
  });

  test('never becomes 24:00 by rounding', () => {
    const codec = codecOf('time(0)', { round: true });
    expect(refusal(codec, '23:59:59.5')).toBe('no such time of day');
    expect(encode(codec, '23:59:58.5', 'text')).toEqual({ value: Buffer.from('23:59:59') });
    expect(encode(codec, '23:59:58.499999999', 'text')).toEqual({ value: Buffer.from('23:59:58') });
  });
});

const EDGES = [
  '0001-01-01 00:00',
  '0001-01-01T00:00:00.000001',
  '9999-12-31T23:59:59.999999',
  '1999-12-31 23:59:59.999999',
  '2000-01-01 00:00:00',
  '1970-01-01T00:00',
  '2024-02-29T12:00:00.5',
  '1714-06-12 21:16:21.999999',
  '2285-12-31 12:00',
  '0001-12-31',
  '2024-06-01',
  '2262-04-11 23:47:16.854775',
];
const NO_MOMENTS = [
  '2024-02-30 10:00',
  '2024-01-01 25:00',
  '2024-01-01 10:60',
  '2024-01-01 10:00:61',
  'x',
  '2024-13-01T00:00:00',
];

describe('timestamp', () => {
  const check = (typeName: string, cells: readonly string[]) =>
    expectAsPostgres({ client: db.client, sqlType: typeName, send: 'timestamp_send', codec: codecOf(typeName), cells });

  test('is what PostgreSQL makes of the same literal, from year 1 to 9999', async () => {
    await check('timestamp', [
      ...EDGES,
      ...NO_MOMENTS,
      ' 2024-01-02 03:04:05 ',
      ...fc.sample(dateTime, { numRuns: 4000, seed: 23 }),
    ]);
  });

  test('orders as PostgreSQL does', async () => {
    await expectOrderOfPostgres(db.client, 'timestamp', codecOf('timestamp'), [...EDGES, '2000-01-01']);
  });

  test('takes T or one blank, Z or an offset behind a time, and nothing else', () => {
    const refused = [
      '2024-01-01t10:00',
      '2024-01-01Tx0:00',
      '2024-01-01T?0:00',
      '2024-01-01Tx10:00',
      '2024-01-01  10:00',
      '2024-01-01T',
      '2024-01-01T10',
      '2024-01-01T10:0',
      '2024-01-0110:00',
      '2024-01-01_10:00',
      '2024-01-01T10:00 Z',
      '2024-01-01T10:00z',
      '2024-01-01T10:00UTC',
      '2024-01-01T10:00+2',
      '2024-01-01T10:00+02:0',
      '2024-01-01T10:00+02:',
      '2024-01-01T10:00+16:00',
      '2024-01-01T10:00+02:60',
      '2024-01-01T10:00+020',
      '2024-01-01T10:00+02:00:00',
      '2024-01-01Z',
      '2024-01-01+02',
      '2024-01-01T10:00:00.',
      '2024-01-01T10:00:00,5',
      '2024-01-01 10:00 AM',
      'infinity',
      'now',
    ];
    for (const cell of refused) expect(refusal(codecOf('timestamptz'), cell), cell).toBe('not a timestamptz');
  });

  test('24:00 and :60 are errors, though PostgreSQL takes them', () => {
    for (const cell of ['2024-01-01 24:00', '2024-01-01 24:00:00', '2016-12-31 23:59:60', '2016-12-31T23:59:60Z']) {
      expect(refusal(codecOf('timestamp', { timezone: 'UTC' }), cell), cell).toBe('no such time of day');
    }
  });

  test('with an offset is refused, unless the column has a timezone: then it is local time there', () => {
    expect(refusal(codecOf('timestamp'), '2024-07-01T10:00:00Z')).toBe(
      'has an offset from UTC, but the column has no timezone',
    );
    const paris = codecOf('timestamp', { timezone: 'Europe/Paris' });
    const local = (cell: string) => encode(paris, cell, 'text');
    expect(local('2024-07-01T10:00:00Z')).toEqual({ value: Buffer.from('2024-07-01 12:00:00') });
    expect(local('2024-01-01T00:30:00.25+02:00')).toEqual({ value: Buffer.from('2023-12-31 23:30:00.250000') });
    expect(local('2024-07-01T10:00:00')).toEqual({ value: Buffer.from('2024-07-01 10:00:00') });
    expect(refusal(paris, '9999-12-31T23:30:00Z')).toBe('year outside 0001 to 9999');
    expect(refusal(codecOf('timestamp', { timezone: 'America/New_York' }), '0001-01-01T00:00:00Z')).toBe(
      'year outside 0001 to 9999',
    );
  });

  test('takes no more decimals than the column has, unless round: then the nearest, a half to the later', async () => {
    await check('timestamp(3)', ['2024-01-01 00:00:00.123', '2024-01-01 00:00:00.123000', '2024-01-01 00:00:00.1']);
    await check('timestamp(0)', ['2024-01-01 00:00:00', '2024-01-01 00:00:00.000000']);
    expect(refusal(codecOf('timestamp(0)'), '2024-01-01 00:00:00.6')).toBe('more than 0 decimals of a second');
    expect(refusal(codecOf('timestamp'), '2024-01-01 00:00:00.0000001')).toBe('digits past microseconds');
    expect(refusal(codecOf('timestamp'), '2024-01-01 00:00:00.00000000000')).toBeNull();
    const rounded = (typeName: string, cell: string) => {
      const outcome = encode(codecOf(typeName, { round: true }), cell, 'text');
      return typeof outcome === 'object' && 'value' in outcome ? outcome.value.toString() : outcome;
    };
    expect(rounded('timestamp(0)', '2024-12-31 23:59:59.5')).toBe('2025-01-01 00:00:00');
    expect(rounded('timestamp(0)', '2024-12-31 23:59:59.4999999')).toBe('2024-12-31 23:59:59');
    expect(rounded('timestamp(0)', '1980-12-31 23:59:59.5')).toBe('1981-01-01 00:00:00');
    expect(rounded('timestamp(3)', '2024-01-01 00:00:00.0015')).toBe('2024-01-01 00:00:00.002000');
    expect(rounded('timestamp', '2024-01-01 00:00:00.0000005')).toBe('2024-01-01 00:00:00.000001');
    expect(rounded('timestamp', '2024-01-01 00:00:00.00000049999')).toBe('2024-01-01 00:00:00');
    expect(rounded('timestamp(0)', '9999-12-31 23:59:59.5')).toEqual({ refused: 'year outside 0001 to 9999' });
  });
});

describe('timestamptz', () => {
  const check = (typeName: string, cells: readonly string[]) =>
    expectAsPostgres({
      client: db.client,
      sqlType: typeName,
      send: 'timestamptz_send',
      codec: codecOf(typeName),
      cells,
    });

  test('is what PostgreSQL makes of the same literal, with Z, every form of offset, and none (UTC)', async () => {
    const withOffset = fc
      .sample(fc.tuple(dateTime, fc.oneof(fc.constantFrom('Z', ''), offset)), { numRuns: 5000, seed: 24 })
      .map((parts) => parts.join(''));
    const edges = EDGES.flatMap((cell) =>
      cell.length > 10 ? [cell, `${cell}Z`, `${cell}+15:59`, `${cell}-15:59`, `${cell}-0000`] : [cell],
    );
    await check('timestamptz', [...edges, ...NO_MOMENTS, ...withOffset]);
  });

  test('orders as PostgreSQL does, and one instant written in two ways is one value', async () => {
    await expectOrderOfPostgres(db.client, 'timestamptz', codecOf('timestamptz'), [
      '2024-01-01T00:00Z',
      '2024-01-01T02:00+02',
      '2023-12-31T19:00-0500',
      '2024-01-01T00:00+00:01',
      '0001-01-01T00:00+14',
      '9999-12-31T23:59:59.999999-14:00',
      '2000-01-01',
      '1999-12-31T23:59:59.999999Z',
    ]);
  });

  test('takes no more decimals than the column has', async () => {
    await check('timestamptz(3)', ['2024-01-01 00:00:00.123Z', '2024-01-01 00:00:00.12300+01']);
    expect(refusal(codecOf('timestamptz(3)'), '2024-01-01 00:00:00.1234Z')).toBe('more than 3 decimals of a second');
  });
});
