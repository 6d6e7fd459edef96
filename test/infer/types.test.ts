import { describe, expect, test } from 'vitest';
import { feedYaml } from '../../src/infer/draft/yaml.js';
import { onlyFeed, parse, REGISTERED } from '../config/support.js';
import { doubtsOf, inferFiles, inferText, put, readBack, readBackAs, roundTrip, typesOf } from './support.js';

/** A file of one column `v` beside an id. */
const column = (...values: readonly string[]): string =>
  [
    'id,v',
    ...values.map(
      (value, index) => `${index + 1},${/[",\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value}`,
    ),
    '',
  ].join('\n');

/** Type of column v, and what the proof against the whole file says. */
async function typeOf(...values: readonly string[]): Promise<string> {
  const file = put('v.csv', column(...values));
  const { draft, rows, error } = await roundTrip(file);
  expect({ rows, error }).toMatchObject({
    rows: { read: values.length, loaded: values.length, quarantined: 0 },
    error: null,
  });
  return typesOf(draft)[1] ?? '';
}

describe('numbers', () => {
  test.each([
    ['integer', ['1', '-2', '300']],
    ['bigint', ['1', '3000000000']],
    ['numeric(38,0)', ['99999999999999999999999', '5']],
    ['text', ['12345678901234567890', '12345678901234567891']],
    ['numeric(12,2)', ['1.5', '20.25']],
    ['numeric(12,4)', ['1.5000', '20.2500']],
    ['numeric', ['-6.081689834590001', '145.391998291']],
    ['double precision', ['1e5', '2.5E-3']],
    ['double precision', ['1.5', 'NaN', '2']],
    ['double precision', ['1.5', '-Infinity', 'inf']],
    ['integer thousands=,', ['1,234', '12,500,000', '7']],
    ['numeric(12,2) decimal=,', ['1,5', '12,25']],
    ['numeric(12,2) decimal=, thousands=.', ['1.234,50', '12,00']],
    ['numeric(12,2) decimal=, thousands=\u00a0', ['1\u00a0234,50', '12,00']],
    ["integer thousands='", ["1'234", '12']],
  ])('%s: %j', async (type, values) => {
    expect(await typeOf(...values)).toBe(`v ${type}`);
  });

  test.each([
    ['numeric(12,2) percent=keep', '2 with a percent sign, which is dropped ("10%")', ['10%', '12.5 %']],
    ['numeric(12,2) currency=$', '2 with $', ['$5.00', '$ 6.10']],
    ['numeric(12,2) currency=$', '1 with $, 1 without', ['$5.00', '6.10']],
    ['numeric(12,2) currency=$+\u20ac', 'the numbers do not keep which', ['$5.00', '$7', '5000.00 \u20ac']],
    ['integer negative=minus+parentheses', '1 in parentheses, read as below zero', ['1', '(2)', '-3']],
    ['numeric(12,2) negative=minus+trailing_minus', '1 with the minus sign behind', ['1.5', '12.00-']],
    ['integer negative=minus', '1 with U+2212 for the minus sign', ['1', '\u22125']],
    ['integer thousands=,', '', ['12,34,567', '1,234']],
    ['integer decimal=, thousands=\u202f', '', ['1\u202f234', '1']],
    [
      'numeric(12,2) thousands=, negative=minus+parentheses+trailing_minus currency=$ percent=keep',
      '1 of 5 with a percent sign',
      ['108.94', '(2493.62)', '$1,234.50', '12.00-', '7.5%'],
    ],
  ])('as people write them: %s', async (type, doubt, values) => {
    expect(await typeOf(...values)).toBe(`v ${type}`);
    expect(doubtsOf(await inferText(column(...values)), 'v')).toContain(doubt);
  });

  test.each([
    ['leading zeros', ['00501', '90210']],
    ['telephone numbers', ['+447911123456', '+447911123457']],
    ['every value stands in parentheses', ['(1)', '(2)']],
    ['every value ends in a dash', ['1-', '2-']],
    ['hexadecimal', ['0x1F', '0xFF']],
    ['versions', ['1.10.3', '1.9.0']],
    ['mixed: numbers in the first 3 values, then "x" (line 5)', ['1', '2', '3', 'x']],
  ])('that are none (%s) stay text, and it says why', async (why, values) => {
    expect(await typeOf(...values)).toBe('v text');
    expect(doubtsOf(await inferText(column(...values)), 'v')).toContain(why);
  });

  test('a column called version stays text', async () => {
    expect(typesOf(await inferText('pkg,version\na,1.10\nb,1.9\n'))).toEqual(['pkg text', 'version text']);
  });

  test('a decimal comma in one column reads 1,234 in another as decimals', async () => {
    expect(typesOf(await inferText('a;b\n1,5;1,234\n2,25;2,500\n'))).toEqual([
      'a numeric(12,2) decimal=,',
      'b numeric(12,3) decimal=,',
    ]);
  });

  test('a type that changes late in the file is seen', async () => {
    const lines = Array.from({ length: 120_000 }, (_, index) => `${index},${index < 100_000 ? index : 'late'}`);
    const draft = await inferText(`id,v\n${lines.join('\n')}\n`, 'late.csv', 64 * 1024);
    expect(typesOf(draft)).toEqual(['id integer', 'v text']);
  });
});

describe('dates and times', () => {
  test.each([
    ['date', ['2024-01-31', '2023-12-01']],
    ['date %d/%m/%Y', ['31/01/2024', '02/03/2024']],
    ['date %m/%d/%Y', ['01/31/2024', '02/03/2024']],
    ['date %d.%m.%Y', ['31.1.2024', '2.12.2024']],
    ['date %Y%m%d', ['20240131', '20231201']],
    ['date %d-%b-%Y', ['31-Jan-2024', '02-FEB-2024']],
    ['date %b %d, %Y', ['Jan 31, 2024', 'February 2, 2024']],
    ['date %d/%m/%y', ['31/01/24', '02/03/24']],
    ['date %Y-%m-%d %d.%m.%Y', ['2024-01-31', '31.01.2024']],
    ['timestamp', ['2024-01-31 10:00:00', '2024-01-31T10:00:00.5']],
    ['timestamptz', ['2024-01-31T10:00:00Z', '2024-01-31T10:00:00+02:00']],
    ['timestamptz', ['2024-01-31T10:00:00Z', '2024-01-31']],
    ['timestamptz round', ['2024-01-31T10:00:00.123456789Z', '2024-01-31T10:00:00Z']],
    ['timestamp %d/%m/%Y %H:%M', ['31/01/2024 10:00', '02/03/2024 23:59']],
    ['timestamp %m/%d/%Y %I:%M %p', ['01/31/2024 1:30 PM', '02/03/2024 11:00 am']],
    ['timestamptz %d/%b/%Y:%H:%M:%S %z', ['31/Jan/2024:10:00:00 +0100', '01/Feb/2024:10:00:00 +0100']],
    ['timestamptz %a, %d %b %Y %H:%M:%S %Z', ['Wed, 31 Jan 2024 10:00:00 GMT', 'Thu, 01 Feb 2024 10:00:00 GMT']],
    ['timestamp %a %b %d %H:%M:%S %Y', ['Wed Jan 31 10:00:00 2024', 'Thu Feb 1 10:00:00 2024']],
    ['time', ['10:00', '23:59:59']],
    ['time %I:%M %p', ['1:30 PM', '11:45 AM']],
    ['date %d %b %Y locale=fr', ['5 f\u00e9vr. 2024', '31 ao\u00fbt 2024', '1 mars 2024']],
    ['date %d %b %Y locale=fr', ['1 mar 2024', '5 f\u00e9vrier 2024']],
    ['date %d. %b %Y locale=de', ['5. M\u00e4rz 2024', '31. Dez. 2024']],
    ['date %d.%b.%Y locale=de', ['05.Okt.2024', '05.Mai.2024']],
    ['date %d de %b de %Y locale=es', ['5 de enero de 2024', '6 de mayo de 2024']],
    [
      'timestamp %d %b %Y %H:%M locale=ru',
      ['5 \u044f\u043d\u0432\u0430\u0440\u044f 2024 10:30', '6 \u043c\u0430\u044f 2024 10:30'],
    ],
    ['date %a %d %b %Y locale=fr', ['lundi 5 f\u00e9vrier 2024', 'mardi 6 f\u00e9vrier 2024']],
    ['date %G-W%V-%u', ['2024-W03-1', '2020-W53-7']],
    ['date %GW%V', ['2024W03', '2024W04']],
    ['timestamptz %Y-%m-%d %H:%M %Z', ['2024-07-31 10:00 Europe/Paris', '2024-01-31 10:00 Europe/Paris']],
    ['timestamptz %Y-%m-%d %H:%M:%S %Z', ['2024-07-31 10:00:00 CEST', '2024-01-31 10:00:00 CET']],
    ['timestamptz %a %b %d %H:%M:%S %Z %Y', ['Wed Jan 31 10:00:00 CET 2024', 'Thu Feb 1 10:00:00 CET 2024']],
    ['text', ['2024-07-31 10:00 IST', '2024-01-31 10:00 IST']],
    ['text', ['2024-W54-1', '2024-W03-1']],
    ['text', ['25:00', '10:00']],
    ['text', ['2024-02-30', '2024-01-01']],
    ['text', ['31/01/2024', '01/31/2024']],
    ['integer', ['45292', '45293']],
  ])('%s: %j', async (type, values) => {
    expect(await typeOf(...values)).toBe(`v ${type}`);
  });

  test('01/02/2024 may be either: it says so, and picks by what speaks for one', async () => {
    expect(doubtsOf(await inferText('id,v\n1,01/02/2024\n2,02/01/2024\n'), 'v')).toContain(
      'every value also fits %m/%d/%Y: nothing tells which',
    );
    const other = await inferText('id,v,w\n1,01/02/2024,12/31/2024\n2,02/01/2024,01/02/2024\n');
    expect(typesOf(other).slice(1)).toEqual(['v date %m/%d/%Y', 'w date %m/%d/%Y']);
    expect(doubtsOf(other, 'v')).toContain('month first, as other dates of the file say');
    const rows = Array.from({ length: 10 }, (_, index) => `${index},03/${String(index + 1).padStart(2, '0')}/2024`);
    expect(doubtsOf(await inferText(`id,v\n${rows.join('\n')}\n`), 'v')).toContain(
      'so read, the days lie close together',
    );
    const named = await inferText('id,v\n1,02/01/2024\n2,02/01/2024\n', 'orders_20240201.csv');
    expect(typesOf(named)[1]).toBe('v date %m/%d/%Y');
    expect(doubtsOf(named, 'v')).toContain("the date in the file's name");
  });

  const months = Array.from({ length: 12 }, (_, index) => String(index + 1).padStart(2, '0'));
  const firsts = (form: (month: string) => string): string => column(...months.map(form));

  test.each([
    ['%Y/%m/%d', (month: string) => `2024/${month}/01`],
    ['', (month: string) => `2024-${month}-01`],
    ['%Y.%m.%d', (month: string) => `2024.${month}.01`],
    ['%Y/%m/%d %I:%M %p', (month: string) => `2024/${month}/01 01:30 PM`],
    ['%Y-%m-%d %H:%M:%S.%f%z', (month: string) => `2024-${month}-01 00:00:00.25 +0100`.replace(' +', '+')],
    ['%Y/%m/%d %H:%M:%S.%f', (month: string) => `2024/${month}/01 00:00:00.5`],
  ])('behind the year comes the month, whatever the days: %s', async (format, form) => {
    const draft = await inferText(firsts(form));
    const [, { guess } = {}] = draft.columns;
    expect(guess?.formats ?? ['']).toEqual([guess?.formats === undefined ? '' : format]);
    expect(doubtsOf(draft, 'v')).not.toContain('also fits');
    expect(guess?.type).not.toBe('text');
  });

  test('first days of months tell no order: points, decimal commas, semicolons and other dates do', async () => {
    const german = months.map((month, index) => `${index};01.${month}.2024;${index},5`);
    const read = await inferText(`id;day;amount\n${german.join('\n')}\n`);
    expect(typesOf(read)[1]).toBe('day date %d.%m.%Y');
    expect(doubtsOf(read, 'day')).toBe(
      'every value also fits %m.%d.%Y: with points between them the day is usually first',
    );
    const slashes = await inferText(`id;v\n${months.map((month) => `1;01/${month}/2024`).join('\n')}\n`);
    expect(doubtsOf(slashes, 'v')).toContain('every value also fits %m/%d/%Y: day first goes with semicolons');
    const beside = months.map((month) => `01/${month}/2024,0${Number(month) % 9 || 9}.01.2024`);
    expect(doubtsOf(await inferText(`v,w\n${beside.join('\n')}\n`), 'v')).toContain('as dates with points in another');
    const other = months.map((month) => `${month}/01/2024,${month}/28/2024`);
    expect(typesOf(await inferText(`v,w\n${other.join('\n')}\n`))).toEqual(['v date %m/%d/%Y', 'w date %m/%d/%Y']);
    for (const form of [(month: string) => `01/${month}/2024`, (month: string) => `${month}/01/2024`])
      expect(doubtsOf(await inferText(firsts(form)), 'v')).toContain('nothing tells which; day first was taken');
  });

  test('the order of time tells, forwards and backwards', async () => {
    const days = months.map((month, index) => `0${(index % 3) + 1}/${month}/2024`);
    for (const values of [days, [...days].reverse()])
      expect(doubtsOf(await inferText(column(...values)), 'v')).toContain('so read, the file is in order of time');
  });

  test('dates that no order fits stay text, with both examples', async () => {
    expect(doubtsOf(await inferText(column('13/01/2024', '01/13/2024')), 'v')).toContain(
      '"13/01/2024" and "01/13/2024"',
    );
  });

  test('weeks without a day and abbreviations of zones say what they are taken for', async () => {
    expect(doubtsOf(await inferText(column('2024-W03', '2024-W04')), 'v')).toBe(
      'weeks without a day: taken as their Monday',
    );
    const zones = ['2024-07-31 10:00 CEST', '2024-01-31 10:00 CET'];
    expect(doubtsOf(await inferText(column(...zones)), 'v')).toContain('an abbreviation is one offset');
  });

  test('names that several languages have say which was taken, and where months would differ', async () => {
    expect(doubtsOf(await inferText(column('5 maj 2024', '6 maj 2024')), 'v')).toContain('pl was taken');
    expect(doubtsOf(await inferText(column('5 lis 2024', '6 lis 2024')), 'v')).toContain('%d %b %Y in hr');
  });

  test.each([
    ['1705312800000000', 'epoch_us'],
    ['1705312800000000000', 'epoch_ns'],
    ['45306', 'excel_serial'],
  ])('counts are a hint only: %s', async (count, format) => {
    const draft = await inferText(`id,created_at\n1,${count}\n2,${count}\n`);
    expect(doubtsOf(draft, 'created_at')).toContain(format);
  });

  test('seconds since 1970 are a hint only', async () => {
    const draft = await inferText('id,created_at,n\n1,1705312800,1705312800\n2,1705312900,1705312900\n');
    expect(typesOf(draft)).toEqual(['id integer', 'created_at bigint', 'n bigint']);
    expect(doubtsOf(draft, 'created_at')).toContain('epoch_s');
    expect(doubtsOf(draft, 'n')).toBe('');
  });
});

describe('other types', () => {
  test.each([
    ['boolean', ['Y', 'N', 'Y']],
    ['boolean', ['true', 'FALSE']],
    ['boolean', ['ja', 'nein']],
    ['integer', ['0', '1', '1']],
    ['text', ['Y', 'Y']],
    ['text', ['Y', 'N', 'maybe']],
    ['uuid', ['123e4567-e89b-12d3-a456-426614174000', '123E4567-E89B-12D3-A456-426614174001']],
    ['text', ['d41d8cd98f00b204e9800998ecf8427e', 'd41d8cd98f00b204e9800998ecf8427f']],
    ['jsonb', ['{"a":1}', '[1,2]']],
    ['text', ['{"a":1}', '{a}']],
    ['text', ['{"a":"\\u0000"}', '{}']],
  ])('%s: %j', async (type, values) => {
    expect(await typeOf(...values)).toBe(`v ${type}`);
  });

  test('0 and 1 may be a boolean: it says so', async () => {
    expect(doubtsOf(await inferText(column('0', '1', '0')), 'v')).toBe('only 0 and 1 in the sample: perhaps boolean');
  });

  test('a column without a value is text', async () => {
    expect(doubtsOf(await inferText('a,b\n1,\n2,\n'), 'b')).toContain('no value in the sample');
  });
});

describe('words for NULL', () => {
  test('keep no column from its type, and are listed under nulls', async () => {
    const draft = await inferText('a,b,c\n1,NULL,x\nN/A,2024-01-01,NULL\n3,2024-01-02,y\n');
    expect(draft.format['nulls']).toEqual(['', 'N/A', 'NULL']);
    expect(typesOf(draft)).toEqual(['a integer', 'b date', 'c text']);
    expect(draft.comments['format.nulls']).toContain('c (1 NULL)');
  });

  test('in quotes need nulls_quoted', async () => {
    const file = put('quoted.csv', 'a,b\n"NULL",5\n3,6\n');
    const { draft, rows } = await roundTrip(file);
    expect(draft.format).toMatchObject({ nulls: ['', 'NULL'], nulls_quoted: true });
    expect(rows).toMatchObject({ read: 2, loaded: 2 });
  });

  test('a code of a country is no such word', async () => {
    const draft = await inferText('country,n\nNA,1\nDE,NA\nFR,3\n');
    expect(draft.format['nulls']).toBeUndefined();
    expect(doubtsOf(draft, 'n')).toContain('looks like a code in country');
  });

  test('zero dates of MySQL are among them', async () => {
    const draft = await inferText('d,n\n0000-00-00,1\n2024-01-01,2\n');
    expect(typesOf(draft)[0]).toBe('d date');
    expect((await readBack(draft, put('probe.csv', 'd,n\n0000-00-00,1\n2024-01-01,2\n'))).rows).toMatchObject({
      read: 2,
      loaded: 2,
    });
  });

  test('JSON knows none: a column that has one is text', async () => {
    expect(typesOf(await inferText('{"a":1}\n{"a":"N/A"}\n', 'a.json'))).toEqual(['a text']);
  });
});

describe('what a sample cannot prove', () => {
  test('stands beside the type and not in the contract', async () => {
    const rows = Array.from(
      { length: 40 },
      (_, index) => `${index + 1},${index % 2 === 0 ? 'EUR' : 'USD'},${index % 3 === 0 ? '' : 'x'}`,
    );
    const draft = await inferText(`id,currency,note\n${rows.join('\n')}\n`);
    expect(draft.columns.map(({ facts }) => facts)).toEqual([
      { required: true, unique: true, min: 1, max: 40 },
      { required: true, enum: ['EUR', 'USD'] },
      { enum: ['x'] },
    ]);
    expect(draft.columns.map(({ nullable }) => nullable)).toEqual([false, false, true]);
  });

  test('bounds are in the plain form of the type, as min and max are written', async () => {
    const draft = await inferText('betrag;tag\n1.234,50;31/01/2024\n7,25;02/03/2024\n');
    expect(draft.columns.map(({ min, max }) => [min, max])).toEqual([
      ['7.25', '1234.50'],
      ['2024-01-31', '2024-03-02'],
    ]);
  });

  test('can be moved into the braces as it is, and then takes the same file', async () => {
    const rows = [
      'n,at,local,day,hour,f,word,flag',
      '1.50,2024-01-31T10:00:00Z,2024-01-31 10:00:00,2024-01-31,06:00:00,1e5,"a: b",true',
      '20.25,2024-02-01T00:00:00+02:00,2024-02-01 00:00:00.5,2024-02-01,23:59:59,2.5E-3,x # y,false',
      '3,2024-02-01T00:00:00-05:30,2024-02-01 00:00:00,1999-02-01,00:00:00,0,"""q""",true',
    ];
    const file = put('facts.csv', `${rows.join('\n')}\n`);
    const draft = await inferFiles([file]);
    const moved = feedYaml(draft).replace(/ \}   # (?:.*; )?in the sample: (.*)$/gm, ', $1 }');
    expect(moved).toContain('max: "2024-02-01 00:00:00-05:30"');
    const feed = onlyFeed(
      parse(`version: 1\ndatabase: { embedded: true }\nfeeds:\n${moved}`, { parts: REGISTERED, base: '/' }),
    );
    expect(feed.columns?.filter((column) => column.min !== null).map(({ name }) => name)).toEqual([
      'n',
      'at',
      'local',
      'day',
      'hour',
      'f',
    ]);
    expect(await readBackAs(feed, file)).toMatchObject({ rows: { read: 3, loaded: 3, quarantined: 0 }, error: null });
  });

  test('unique is by file', async () => {
    const files = [put('u1.csv', 'id,v\n1,a\n2,a\n'), put('u2.csv', 'id,v\n1,a\n3,b\n')];
    expect((await inferFiles(files)).columns.map(({ unique }) => unique)).toEqual([true, false]);
  });
});
