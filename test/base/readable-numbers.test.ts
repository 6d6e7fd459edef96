import { expect, test } from 'vitest';
import { bytes, count, seconds } from '../../src/base/readable-numbers.js';

test('counts, sizes and times as people read them', () => {
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
