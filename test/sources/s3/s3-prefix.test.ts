import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeListed, etagOf, keysBeside, s3Uri, versionToken } from '../../../src/sources/s3/key.js';
import { connectionOptions, sourceOptions } from '../../../src/sources/s3/options.js';
import { prefixesAt, prefixTest } from '../../../src/sources/s3/prefix.js';
import { Secret } from '../../../src/core/secret.js';

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

describe('options', () => {
  const problems = (options: Record<string, unknown>): string[] => {
    const parsed = sourceOptions.safeParse({ connection: 'lake', bucket: 'b', ...options });
    return parsed.success ? [] : parsed.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`);
  };

  test.each([
    [{ prefix: 'in/%Q/' }, /^prefix %Q is no date letter/],
    [{ prefix: 'in/%H%M/' }, /^prefix %M is too fine/],
    [{ prefix: 'in/%Y%m%d%H/', lookback: '60d' }, /^lookback makes more than 1000 prefixes/],
    [{ bucket: 'b/in' }, /^bucket is no name of a bucket/],
    [{ events: { sqs: 'drops' } }, /^events\.sqs is no address of a queue/],
  ])('%j is refused', (options, message) => {
    expect(problems(options)).toEqual([expect.stringMatching(message)]);
  });

  test('a connection has both keys or none, and no login in its endpoint', () => {
    const key = new Secret('x');
    expect(connectionOptions.safeParse({}).success).toBe(true);
    expect(
      connectionOptions.safeParse({ access_key_id: key, secret_access_key: key, session_token: key }).success,
    ).toBe(true);
    for (const options of [
      { access_key_id: key },
      { secret_access_key: key },
      { session_token: key },
      { endpoint: 'http://user:pass@host' },
      { endpoint: 'ftp://host' },
      { regoin: 'x' },
    ]) {
      expect(connectionOptions.safeParse(options).success, Object.keys(options).join()).toBe(false);
    }
  });
});

describe('keys', () => {
  test('a key comes back from a listing as it was, however the store writes blanks', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (key) => {
        const escaped = encodeURIComponent(key);
        expect(decodeListed(escaped)).toBe(key);
        expect(decodeListed(escaped.replaceAll('%20', '+'))).toBe(key);
      }),
    );
  });

  test('bytes that are no UTF-8 are no key', () => {
    expect(decodeListed('a%FF')).toBeNull();
  });

  test('the uri holds the key escaped', () => {
    expect(s3Uri('b', 'in/a b?#%+ä.csv')).toBe('s3://b/in/a%20b%3F%23%25+%C3%A4.csv');
  });

  test('the version is the ETag and the second, with or without quotes', () => {
    const version = versionToken('"abc-2"', new Date(1_700_000_000_999));
    expect(version).toBe('abc-2@1700000000');
    expect(versionToken('abc-2', new Date(1_700_000_000_000))).toBe(version);
    expect(etagOf(version)).toBe('"abc-2"');
  });

  test('names beside a key fit the 1,024 bytes of S3, whole characters', () => {
    const [, beside = ''] = keysBeside(`in/${'😀'.repeat(254)}.csv`, '42');
    expect(Buffer.byteLength(beside)).toBeLessThanOrEqual(1_024);
    expect(beside).toMatch(/^in\/(😀)+-42\.csv$/u);
  });
});
