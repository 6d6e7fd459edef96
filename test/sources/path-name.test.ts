import fc from 'fast-check';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { decodeName, encodeName, fileUri, isBelow } from '../../src/sources/common/path-name.js';

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
/** Names that come near the rule: bytes of all kinds, percent signs and hex digits in plenty. */
const nearNames = fc
  .array(
    fc.oneof(
      fc.constantFrom('%', '2', '5', 'F', 'E', '9', 'a', '/', '.', '\xff', '\xc3', '\xa9', '\xe2', '\x82'),
      fc.integer({ min: 1, max: 255 }).map((byte) => String.fromCharCode(byte)),
    ),
    { maxLength: 24 },
  )
  .map((parts) => bytes(parts.join('')));

describe('names as text', () => {
  test('a name that is UTF-8 stands as it is', () => {
    for (const name of ['orders.csv', '100%.csv', 'a%20b.csv', 'ä 😀\n".csv', '\uFEFFbom.csv', '%', '%2', '%7F'])
      expect(encodeName(Buffer.from(name))).toBe(name);
  });

  test('bytes that are not UTF-8 stand as %XX, and then a literal % as %25', () => {
    expect(encodeName(bytes('caf\xe9 100%.csv'))).toBe('caf%E9 100%25.csv');
    expect(encodeName(bytes('\xe2\x82'))).toBe('%E2%82');
  });

  test('a name that looks like an encoded one is encoded itself', () => {
    expect(encodeName(Buffer.from('a%FF.csv'))).toBe('a%25FF.csv');
    expect(encodeName(Buffer.from('a%25FF.csv'))).toBe('a%2525FF.csv');
  });

  test('the parts of a path are encoded each by itself', () => {
    expect(encodeName(bytes('100%/caf\xe9/50%.csv'))).toBe('100%/caf%E9/50%.csv');
  });

  test('decodeName undoes encodeName for all bytes', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          nearNames,
          fc.uint8Array({ maxLength: 64 }).map((array) => Buffer.from(array)),
        ),
        (name) => decodeName(encodeName(name)).equals(name),
      ),
      { numRuns: 5_000 },
    );
  });

  test('two names never become one path', () => {
    fc.assert(
      fc.property(nearNames, nearNames, (a, b) => a.equals(b) === (encodeName(a) === encodeName(b))),
      { numRuns: 5_000 },
    );
  });

  test('a path is the text of its parts with slashes between', () => {
    fc.assert(
      fc.property(
        fc.array(
          nearNames.filter((name) => !name.includes(0x2f)),
          { minLength: 1, maxLength: 4 },
        ),
        (parts) => {
          const joined = Buffer.concat(parts.flatMap((part, i) => (i === 0 ? [part] : [Buffer.from('/'), part])));
          return encodeName(joined) === parts.map(encodeName).join('/');
        },
      ),
    );
  });

  test('decodeName takes any text', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => Buffer.isBuffer(decodeName(text))));
  });
});

describe('file URIs', () => {
  test('of a UTF-8 path are those of Node', () => {
    for (const path of ['/srv/drop/orders.csv', '/srv/a b/100%#?.csv', '/ä/😀\n'])
      expect(fileUri(Buffer.from(path))).toBe(pathToFileURL(path).href);
  });

  test('hold the bytes of other paths as %XX', () => {
    expect(fileUri(bytes('/srv/caf\xe9 1%.csv'))).toBe('file:///srv/caf%E9%201%25.csv');
  });
});

test('isBelow refuses what leads elsewhere', () => {
  expect(['a', 'a/b', '..a', 'a/..b', '...', 'a b\n'].map(isBelow)).toEqual([true, true, true, true, true, true]);
  expect(['', '/', '/a', 'a/', 'a//b', '.', '..', 'a/..', '../a', 'a/./b', 'a\0b'].map(isBelow)).toEqual(
    new Array<boolean>(11).fill(false),
  );
});
