import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeListed, s3Uri } from '../../../src/sources/s3/key.js';
import { etagOf, versionToken } from '../../../src/sources/s3/object.js';
import { connectionOptions, sourceOptions } from '../../../src/sources/s3/options.js';
import { Secret } from '../../../src/core/secret.js';

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
    [
      { bucket: 'arn:aws:s3:eu-west-1:123456789012:accesspoint/drops', events: { sqs: 'https://sqs.x/1/q' } },
      /^events needs the name of the bucket itself/,
    ],
    [{ events: { sqs: 'drops' } }, /^events\.sqs is no address of a queue/],
  ])('%j is refused', (options, message) => {
    expect(problems(options)).toEqual([expect.stringMatching(message)]);
  });

  test('a bucket may be the ARN of an access point', () => {
    expect(problems({ bucket: 'arn:aws:s3:eu-west-1:123456789012:accesspoint/drops' })).toEqual([]);
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
});
