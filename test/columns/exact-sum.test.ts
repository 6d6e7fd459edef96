import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PLAIN_OPTIONS } from '../../src/columns/column-type.js';
import { ExactSum } from '../../src/columns/numbers/exact-sum.js';

function sumOf(texts: readonly string[], decimal = '.', thousands: string | null = null): string {
  const sum = new ExactSum({ ...PLAIN_OPTIONS, decimal, thousands });
  for (const text of texts) expect(sum.addText(text)).toBe(true);
  return sum.toString();
}

/** The same by BigInt alone: digits and scale of each literal. */
function naive(texts: readonly string[]): string {
  const scale = Math.max(0, ...texts.map((text) => (text.split('.')[1] ?? '').length));
  const total = texts.reduce((sum, text) => {
    const [whole = '', fraction = ''] = text.replace(/^[+-]/, '').split('.');
    const digits = BigInt(whole + fraction.padEnd(scale, '0'));
    return text.startsWith('-') ? sum - digits : sum + digits;
  }, 0n);
  const digits = (total < 0n ? -total : total).toString().padStart(scale + 1, '0');
  const text = scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`.replace(/\.?0+$/, '');
  return total < 0n ? `-${text}` : text;
}

describe('an exact sum', () => {
  test.each([
    [['0.1', '0.2'], '0.3'],
    [['1.50', '2.5'], '4'],
    [['-1', '+1'], '0'],
    [[' 1 ', '\t2'], '3'],
    [['1e3', '1.5E-2'], '1000.015'],
    [['99999999999999999999', '1'], '100000000000000000000'],
    [['0.00000000000000000001', '1'], '1.00000000000000000001'],
    [['.5', '5.'], '5.5'],
    [['-0.0'], '0'],
    [[], '0'],
  ])('%j is %s', (texts, sum) => {
    expect(sumOf(texts)).toBe(sum);
  });

  test('of what the column writes with a comma and thousands', () => {
    expect(sumOf(['1.234,50', '-0,5', '1234'], ',', '.')).toBe('2468');
  });

  test('takes no text that is no number, and adds nothing of it', () => {
    const sum = new ExactSum();
    for (const text of ['', ' ', 'x', '1,5', '1 2', 'NaN', 'Infinity', '--1', '.', '1e99999', '0x10'])
      expect(sum.addText(text)).toBe(false);
    expect(sum.toString()).toBe('0');
  });

  const NUMBER = fc
    .tuple(
      fc.constantFrom('', '-', '+'),
      fc.oneof(
        fc.bigInt({ min: 0n, max: 10n ** 6n }),
        fc.bigInt({ min: 0n, max: 10n ** 15n }),
        fc.bigInt({ min: 0n, max: 10n ** 25n }),
      ),
      fc.stringMatching(/^[0-9]{0,17}$/),
    )
    .map(([sign, whole, fraction]) => `${sign}${whole}${fraction === '' ? '' : `.${fraction}`}`);

  test('is that of BigInt, whatever the digits', () => {
    fc.assert(
      fc.property(fc.array(NUMBER, { maxLength: 200 }), (texts) => {
        expect(sumOf(texts)).toBe(naive(texts));
      }),
      { numRuns: 300 },
    );
  });

  test('loses nothing where a double would: many numbers of 15 digits', () => {
    const texts = Array.from({ length: 50_000 }, (_, i) => (i % 3 === 0 ? '-' : '') + String(999_999_999_999_999 - i));
    expect(sumOf(texts)).toBe(naive(texts));
  });
});
