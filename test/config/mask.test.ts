import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { maskSecrets, maskUrls } from '../../src/config/mask.js';

describe('masking', () => {
  test('every secret that appears is replaced, the longest first', () => {
    expect(maskSecrets('a hunter2 b hunter2hunter2 c', ['hunter2', 'hunter2hunter2'])).toBe('a ******** b ******** c');
  });

  test('also as a URL or a JSON string carries it', () => {
    expect(maskSecrets('p%40ss%2Fword and "say \\"hi\\" now"', ['p@ss/word', 'say "hi" now'])).toBe(
      '******** and "********"',
    );
  });

  test('a short secret is replaced only where it stands alone', () => {
    expect(maskSecrets('abc=abc, abcd', ['abc'])).toBe('********=********, abcd');
  });

  test('a line of a key is replaced too', () => {
    const key = '-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG\nabc\n-----END KEY-----\n';
    expect(maskSecrets('bad line MIIEvQIBADANBgkqhkiG', [key])).toBe('bad line ********');
  });

  test('passwords inside URLs go, known or not', () => {
    expect(maskUrls('postgresql://ingest:hunter2@db:5432/w and sftp://u:p@h and postgres://h/d?password=x&a=b')).toBe(
      'postgresql://ingest:********@db:5432/w and sftp://u:********@h and postgres://h/d?password=********&a=b',
    );
  });

  test('addresses without password stay', () => {
    expect(maskUrls('http://127.0.0.1:8321/x?a=b file:///a:b@c postgresql://u@h/d')).toBe(
      'http://127.0.0.1:8321/x?a=b file:///a:b@c postgresql://u@h/d',
    );
  });

  test('no secret of four characters or more survives, whatever is around it', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 4 }), fc.string(), fc.string(), (secret, before, after) => {
        fc.pre(!'********'.includes(secret));
        return !maskSecrets(`${before}${secret}${after}`, [secret]).includes(secret);
      }),
    );
  });
});
