import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { columnProblems } from '../../src/columns/column-problems.js';
import type { CodecOptions } from '../../src/columns/column-type.js';
import { ExactSum } from '../../src/columns/numbers/exact-sum.js';
import { plainColumn } from '../../src/columns/plain-column.js';
import { NEGATIVE_FORMS } from '../../src/core/feed/columns.js';
import { createDatabase } from '../support/postgres.js';
import { codecOf, encode, oneOf, type Outcome } from './support.js';

const ALL: Partial<CodecOptions> = {
  thousands: ',',
  negative: NEGATIVE_FORMS,
  currency: ['$', '\u20ac', 'Rs', 'US$'],
  percent: 'keep',
};

/** What the cell loads: a literal that PostgreSQL reads back, `NULL`, or `! reason`. */
function read(cell: string, options: Partial<CodecOptions> = ALL, type = 'numeric'): string {
  const outcome: Outcome = encode(codecOf(type, options), cell, 'text');
  if (outcome === 'NULL') return outcome;
  return 'value' in outcome ? plain(outcome.value.toString()) : `! ${outcome.refused}`;
}

/** `-1250e-2` as `-12.50`. */
function plain(literal: string): string {
  const [digits = '', exponent = '0'] = literal.split('e');
  const negative = digits.startsWith('-');
  const whole = digits.replace('-', '') + '0'.repeat(Math.max(0, Number(exponent)));
  const scale = Math.max(0, -Number(exponent));
  const padded = whole.padStart(scale + 1, '0');
  const point = padded.length - scale;
  return `${negative ? '-' : ''}${padded.slice(0, point)}${scale === 0 ? '' : `.${padded.slice(point)}`}`;
}

describe('a number as people write it', () => {
  test.each([
    ['5', '5'],
    ['-5', '-5'],
    ['+5', '5'],
    ['\u22125', '-5'],
    ['(1,234.50)', '-1234.50'],
    ['( 5 )', '-5'],
    ['12.00-', '-12.00'],
    ['12.00\u2212', '-12.00'],
    ['$5', '5'],
    ['$ 5', '5'],
    ['US$5', '5'],
    ['5 \u20ac', '5'],
    ['5\u00a0\u20ac', '5'],
    ['5\u20ac', '5'],
    ['-$5', '-5'],
    ['$-5', '-5'],
    ['- $5', '-5'],
    ['$ (1,234.50)', '-1234.50'],
    ['($1,234.50)', '-1234.50'],
    ['(5 \u20ac)', '-5'],
    ['(5) \u20ac', '-5'],
    ['5- \u20ac', '-5'],
    ['5 \u20ac-', '-5'],
    ['$.50', '0.50'],
    ['Rs 50', '50'],
    ['7.5%', '7.5'],
    ['7.5 %', '7.5'],
    ['%7.5', '7.5'],
    ['(7.5%)', '-7.5'],
    ['12,34,567', '1234567'],
    ['1,23,45,678.9', '12345678.9'],
    ['1,234,567', '1234567'],
    [' $5 ', '5'],
    ['', 'NULL'],
    ['  ', 'NULL'],
  ])('%j is %s', (cell, value) => {
    expect(read(cell)).toBe(value);
  });

  test.each([
    ['(5', 'not a numeric'],
    ['5)', 'not a numeric'],
    ['(-5)', 'two signs of one kind'],
    ['-5-', 'two signs of one kind'],
    ['-(5)', 'two signs of one kind'],
    ['(5)-', 'two signs of one kind'],
    ['$5$', 'two signs of one kind'],
    ['$5 \u20ac', 'two signs of one kind'],
    ['5%%', 'two signs of one kind'],
    ['- 5', 'not a numeric'],
    ['5 -', 'not a numeric'],
    ['$', 'not a numeric'],
    ['$ -', 'not a numeric'],
    ['-', 'not a numeric'],
    ['()', 'not a numeric'],
    ['\u00a0', 'not a numeric'],
    ['\u00a35', 'not a numeric'],
    ['5 kg', 'not a numeric'],
    ['$5.-', 'a dash behind the decimal sign: no cents, or a minus? Not known'],
    ['5,-', 'a dash behind the decimal sign: no cents, or a minus? Not known'],
    ['Rs.50', 'the point belongs to the currency or to the number: not known'],
    ['12,34', 'not a numeric'],
    ['1,234,56,789', 'not a numeric'],
    ['123,45,678', 'not a numeric'],
    ['1,2345', 'not a numeric'],
    ['$NaN', 'not a numeric'],
    ['5-6', 'not a numeric'],
    ['1-2-', 'not a numeric'],
  ])('%j is refused: %s', (cell, reason) => {
    expect(read(cell)).toBe(`! ${reason}`);
  });

  test('what the column does not list is refused by name', () => {
    expect(read('-5', { negative: ['parentheses'] })).toBe('! a minus sign in front, which negative does not list');
    expect(read('(5)', { currency: ['$'] })).toBe('! in parentheses, which negative does not list');
    expect(read('5-', { currency: ['$'] })).toBe('! a minus sign behind, which negative does not list');
    expect(read('5%', { currency: ['$'] })).toBe('! a percent sign, but the column has no percent');
    expect(read('-5', { currency: ['$'] })).toBe('-5');
  });

  test('a blank between thousands is any blank of print', () => {
    for (const blank of [' ', '\u00a0', '\u2007', '\u2009', '\u202f'])
      for (const declared of [' ', '\u00a0', '\u202f'])
        expect(read(`\u22121${blank}234${blank}567,5`, { decimal: ',', thousands: declared })).toBe('-1234567.5');
    expect(read('12 34', { thousands: ' ' })).toBe('! not a numeric');
    expect(read('1\u00a0234')).toBe('! not a numeric');
  });

  test('double precision keeps NaN and Infinity, but not with a currency', () => {
    expect(read('-Infinity', ALL, 'double precision')).toBe('-Infinity');
    expect(read('nan', ALL, 'double precision')).toBe('NaN');
    expect(read('$Infinity', ALL, 'double precision')).toBe('! not a double precision');
    expect(read('($1.5e3)', ALL, 'double precision')).toBe('-1500');
  });
});

describe('percent: divide', () => {
  const divide = { ...ALL, percent: 'divide' } as const;

  test('moves the point, whatever the length, and leaves cells without the sign', () => {
    expect(read('7.5%', divide)).toBe('0.075');
    expect(read('7.5', divide)).toBe('7.5');
    expect(read('-.5%', divide)).toBe('-0.005');
    expect(read('5.%', divide)).toBe('0.05');
    expect(read('(1,234%)', divide)).toBe('-12.34');
    expect(read('12345678901234567890.123456789%', divide)).toBe('123456789012345678.90123456789');
    expect(read('1.5e3%', divide)).toBe('15');
  });

  test('an integer column takes whole hundreds only', () => {
    expect(read('500%', divide, 'integer')).toBe('5');
    expect(read('550%', divide, 'integer')).toBe('! not a whole number: integer has no decimals');
  });

  test('double precision is rounded once', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^-?\d{1,20}(\.\d{1,20})?$/), (digits) => {
        expect(Number(read(`${digits}%`, divide, 'double precision'))).toBe(Number(`${digits}e-2`));
      }),
    );
  });
});

/** The same by taking the cell apart into words: the number once, each sign at most once, and where it may stand. */
function naive(cell: string): string | null {
  const words = cell.trim().match(/US\$|[$\u20ac]|Rs|[ \u00a0\u2009]+|[-\u2212+()%]|[\d.,]+|./gsu) ?? [];
  const tokens = words.map((word) => (/^[ \u00a0\u2009]+$/.test(word) ? ' ' : word.replace('\u2212', '-')));
  const at = tokens.findIndex((word) => /^[\d.,]+$/.test(word));
  if (at < 0) return null;
  const number = tokens[at]!;
  const front = tokens.slice(0, at);
  const back = tokens.slice(at + 1);
  const isMoney = (word: string): boolean => ['$', '\u20ac', 'Rs', 'US$'].includes(word);
  const known = (list: readonly string[], signs: string): boolean =>
    list.every((word) => word === ' ' || isMoney(word) || (signs.includes(word) && word.length === 1));
  if (!known(front, '-+(%') || !known(back, '-)%')) return null;
  const count = (is: (word: string) => boolean): number => [...front, ...back].filter(is).length;
  const opened = front.includes('(');
  if (count((word) => '-+('.includes(word)) > 1 || count((word) => word === '(') > 1) return null;
  if (count((word) => word === ')') !== (opened ? 1 : 0) || count(isMoney) > 1 || count((w) => w === '%') > 1)
    return null;
  const sign = front.findIndex((word) => word === '-' || word === '+');
  if (sign >= 0 && front[sign + 1] === ' ' && !isMoney(front[sign + 2] ?? '')) return null;
  const behind = back.indexOf('-');
  if (behind >= 0 && back[behind - 1] === ' ' && !isMoney(back[behind - 2] ?? '')) return null;
  if (back[0] === '-' && /[.,]$/.test(number)) return null;
  if (/^[.]/.test(number) && /^(?:Rs ?)$/.test(front.slice(front.findIndex(isMoney)).join(''))) return null;
  if (!/^(?:\d*|\d{1,3}(?:,\d{3})+|\d{1,2}(?:,\d{2})+,\d{3})(?:\.\d*)?$/.test(number) || !/\d/.test(number))
    return null;
  const negative = opened || [...front, ...back].includes('-');
  const [whole = '', fraction = ''] = number.replaceAll(',', '').split('.');
  const digits = `${BigInt(whole === '' ? '0' : whole)}${fraction === '' ? '' : `.${fraction}`}`;
  return negative && /[1-9]/.test(digits) ? `-${digits}` : digits;
}

test('10,000 random cells load what another parser reads, or are refused by both', () => {
  const sign = oneOf('$\u20ac-\u2212+()%% ').map((text) => (text === '+' ? 'Rs' : text));
  const digits = fc.oneof(
    fc.stringMatching(/^\d{1,4}(\.\d{1,3})?$/),
    fc.stringMatching(/^\d{1,3}(,\d{2,3}){1,2}(\.\d{0,2})?$/),
    fc.stringMatching(/^[\d.,]{1,5}$/),
  );
  const around = fc.array(sign, { maxLength: 3 }).map((signs) => signs.join(''));
  fc.assert(
    fc.property(around, digits, around, (front, number, back) => {
      const cell = `${front}${number}${back}`;
      const value = read(cell);
      expect(value.startsWith('!') ? null : value).toBe(naive(cell));
    }),
    { numRuns: 10_000 },
  );
});

test('10,000 amounts that Intl prints in 14 countries are read back', () => {
  const countries = (
    'en-US USD,en-IN INR,de-DE EUR,fr-FR EUR,sv-SE SEK,de-CH CHF,pl-PL PLN,pt-BR BRL,cs-CZ CZK,nb-NO NOK,da-DK DKK,' +
    'ja-JP JPY,es-ES EUR,ru-RU RUB'
  )
    .split(',')
    .map((country) => country.split(' '));
  const printers = countries.map(([locale = '', currency = '']) => {
    const digits = { minimumFractionDigits: 2, maximumFractionDigits: 2 } as const;
    const money = new Intl.NumberFormat(locale, { style: 'currency', currency, ...digits });
    const part = (type: string): string =>
      money.formatToParts(-1_234_567.5).find((one) => one.type === type)?.value ?? '';
    const options = {
      decimal: part('decimal'),
      thousands: part('group'),
      negative: ['minus', 'parentheses'],
      currency: [part('currency')],
      percent: 'divide',
    } as const;
    const accounting = new Intl.NumberFormat(locale, {
      style: 'currency',
      currency,
      currencySign: 'accounting',
      ...digits,
    });
    const percent = new Intl.NumberFormat(locale, { style: 'percent', ...digits });
    return { options, all: [money, accounting, percent] };
  });
  fc.assert(
    fc.property(
      fc.constantFrom(...printers),
      fc.nat({ max: 2 }),
      fc.integer({ min: -999_999_999, max: 999_999_999 }),
      ({ options, all }, which, cents) => {
        // Percent: two decimals of a hundredth.
        const value = which === 2 ? cents / 10_000 : cents / 100;
        expect(Number(read(all[which]!.format(value), options))).toBe(value);
      },
    ),
    { numRuns: 10_000 },
  );
});

describe('against PostgreSQL', () => {
  const opened = createDatabase();
  afterAll(async () => (await opened).drop());

  test('money reads the same amounts', async () => {
    const { client } = await opened;
    const cells = ['$1,234.50', '($1,234.50)', '-$5', '$-5', '(5)', '5-', '$5', '1,234,567.89', '-1.5'];
    await client.query("set lc_monetary = 'C'");
    const { rows } = await client.query<{ n: string }>(
      'select t::money::numeric::text as n from unnest($1::text[]) t',
      [cells],
    );
    expect(cells.map((cell) => Number(read(cell)))).toEqual(rows.map(({ n }) => Number(n)));
  });
});

test('sums add what the cells stand for', () => {
  const sum = new ExactSum({ ...plainColumn('v', 'v', 'numeric'), ...ALL, percent: 'divide' });
  for (const cell of ['$0.10', '(0.30)', '12.00-', '50%', '1,23,456']) expect(sum.addText(cell)).toBe(true);
  expect(sum.addText('5 kg')).toBe(false);
  expect(sum.toString()).toBe('123444.3');
});

test('the keys are for numbers, and a currency is no sign of numbers', () => {
  const problems = (type: string, more: object): string[] =>
    columnProblems({ ...plainColumn('v', 'v', type), ...more });
  expect(problems('text', { percent: 'keep' })).toEqual(['percent is for numbers, not for text']);
  expect(problems('date', { negative: ['minus'], currency: ['$'] })).toEqual([
    'negative is for numbers, not for date',
    'currency is for numbers, not for date',
  ]);
  for (const sign of ['-', '.', '5', ' $', '%', 'A1', '()'])
    expect(problems('numeric', { currency: [sign] })).toHaveLength(1);
  expect(problems('numeric', { currency: ['$', 'Rs.', 'kr', 'CHF', 'R$'] })).toEqual([]);
  expect(problems('numeric', { percent: 'divide', min: '0', max: '100%', default: '5%' })).toEqual([]);
});
