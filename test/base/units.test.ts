import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatDuration, formatSize, parseDuration, parseSize } from '../../src/base/units.js';

describe('durations', () => {
  test.each([
    ['500ms', 500],
    ['30s', 30_000],
    ['5m', 300_000],
    ['2h', 7_200_000],
    ['7d', 604_800_000],
    ['0s', 0],
    ['1.5h', 5_400_000],
    ['0.5ms', 1],
  ])('%s is %i ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  test.each(['', '30', 's', '-1s', '1 min', '1h30m', '1S', '1e3s', '1.s', ' 1s', '99999999999999d'])(
    '%j is none',
    (text) => {
      expect(parseDuration(text)).toBeNull();
    },
  );

  test('what is formatted reads back as the same number', () => {
    fc.assert(fc.property(fc.nat({ max: 1e12 }), (ms) => parseDuration(formatDuration(ms)) === ms));
  });

  test('a count and a unit make that many units', () => {
    const units = fc.constantFrom(['ms', 1], ['s', 1e3], ['m', 6e4], ['h', 36e5], ['d', 864e5]) as fc.Arbitrary<
      [string, number]
    >;
    fc.assert(
      fc.property(fc.nat({ max: 100_000 }), units, (n, [unit, factor]) => parseDuration(`${n}${unit}`) === n * factor),
    );
  });
});

describe('sizes', () => {
  test.each([
    ['64KiB', 65_536],
    ['1MiB', 1_048_576],
    ['10MB', 10_000_000],
    ['16 MiB', 16_777_216],
    ['1.5kib', 1_536],
    ['2GiB', 2_147_483_648],
    ['0B', 0],
    ['4096', 4_096],
    ['1TB', 1e12],
  ])('%s is %i bytes', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  test.each(['', 'KB', '1K', '1KBit', '-1B', '1e3', '1,5MB', '9999999TiB'])('%j is none', (text) => {
    expect(parseSize(text)).toBeNull();
  });

  test('what is formatted reads back as the same number', () => {
    fc.assert(fc.property(fc.nat({ max: Number.MAX_SAFE_INTEGER }), (bytes) => parseSize(formatSize(bytes)) === bytes));
  });

  test('a count and a unit make that many units', () => {
    const units = fc.constantFrom(
      ['B', 1],
      ['KB', 1e3],
      ['MB', 1e6],
      ['GB', 1e9],
      ['KiB', 1024],
      ['MiB', 1024 ** 2],
      ['GiB', 1024 ** 3],
    ) as fc.Arbitrary<[string, number]>;
    fc.assert(
      fc.property(fc.nat({ max: 1_000 }), units, (n, [unit, factor]) => parseSize(`${n}${unit}`) === n * factor),
    );
  });
});
