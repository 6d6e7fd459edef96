import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { keysBeside } from '../../../src/sources/bucket/key.js';
import { prefixesAt, prefixTest } from '../../../src/sources/bucket/prefix.js';

const NOON = Date.UTC(2026, 2, 1, 12);
const DAY = 86_400_000;

describe('prefix', () => {
  test('without date letters it is one, %% a literal %', () => {
    expect(prefixesAt('in/100%%/', NOON, 2 * DAY)).toEqual(['in/100%/']);
  });

  test('with date letters the days of lookback are listed, and tomorrow where it has begun somewhere', () => {
    expect(prefixesAt('in/%Y/%m/%d/', NOON, 2 * DAY)).toEqual([
      'in/2026/02/27/',
      'in/2026/02/28/',
      'in/2026/03/01/',
      'in/2026/03/02/',
    ]);
    expect(prefixesAt('in/%Y-%m/', NOON, 2 * DAY)).toEqual(['in/2026-02/', 'in/2026-03/']);
  });

  test('with %H every hour is listed', () => {
    expect(prefixesAt('%Y%m%d/%H/', NOON, DAY)).toHaveLength(24 + 1 + 14);
  });

  test('one that begins with another is left to that one', () => {
    expect(prefixesAt('in/%B', Date.UTC(2026, 4, 2), 3 * DAY)).toEqual(['in/April', 'in/May']);
    expect(prefixesAt('%u', NOON, 0)).toEqual(['1', '7']);
  });

  test('a key of a day that has gone out of lookback is still one of the feed', () => {
    const takes = prefixTest('in.(x)/%Y/%m/%d/%%/');
    expect(takes('in.(x)/2020/01/31/%/a.csv')).toBe(true);
    expect(takes('inx(x)/2020/01/31/%/a.csv')).toBe(false);
    expect(takes('in.(x)/20/01/31/%/a.csv')).toBe(false);
  });

  test('every prefix that is listed passes the test', () => {
    const template = fc
      .array(fc.constantFrom('%Y', '%m', '%d', '%H', '%j', '%b', '%B', '%A', '%%', '/', 'x', '.', '(', '+'), {
        minLength: 1,
        maxLength: 8,
      })
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(template, fc.integer({ min: 0, max: 4e12 }), (prefix, now) => {
        const takes = prefixTest(prefix);
        for (const one of prefixesAt(prefix, now, 3 * DAY)) expect(takes(`${one}a.csv`), `${prefix} ${one}`).toBe(true);
      }),
      { numRuns: 100 },
    );
  });
});

describe('keys', () => {
  test('names beside a key fit the 1,024 bytes of most stores, whole characters', () => {
    const [, beside = ''] = keysBeside(`in/${'😀'.repeat(254)}.csv`, '42', 1_024);
    expect(Buffer.byteLength(beside)).toBeLessThanOrEqual(1_024);
    expect(beside).toMatch(/^in\/(😀)+-42\.csv$/u);
  });
});
