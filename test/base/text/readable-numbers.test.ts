import { expect, test } from 'vitest';
import { bytes, count, seconds } from '../../../src/base/text/readable-numbers.js';

test('counts, sizes and times as people read them', () => {
  const intl = new Intl.NumberFormat('en-US');
  for (const n of [0, 7, 999, 1_000, 12_345, 999_999, 1_234_567, -1_234_567, -999, Number.MAX_SAFE_INTEGER])
    expect(count(n)).toBe(intl.format(n));
  expect(count(1_234_567)).toBe('1,234,567');
  expect([0, 999, 1_000, 999_949, 999_950, 1_400_000, 2e18].map(bytes)).toEqual([
    '0 B',
    '999 B',
    '1.0 kB',
    '999.9 kB',
    '1.0 MB',
    '1.4 MB',
    '2000.0 PB',
  ]);
  expect([0.411, 12.34, 250].map(seconds)).toEqual(['0.41 s', '12.3 s', '4 min 10 s']);
});
