import fc from 'fast-check';
import { isUtf8 } from 'node:buffer';
import { expect, test } from 'vitest';
import { visibleText } from '../../../src/base/text/visible-text.js';

const visible = (bytes: Buffer, limit = 1024): string => visibleText(bytes, 0, bytes.length, limit);

test('valid text stays as it is', () => {
  expect(visible(Buffer.from('Grüße, 東京 \u{1f600}\t"x"'))).toBe('Grüße, 東京 \u{1f600}\t"x"');
});

test('NUL and bytes that are no UTF-8 become visible, one by one', () => {
  expect(visible(Buffer.from('a\0b'))).toBe('a\\x00b');
  expect(visible(Buffer.from('Caf\xe9', 'latin1'))).toBe('Caf\\xE9');
  expect(visible(Buffer.from([0xc0, 0xaf, 0xed, 0xa0, 0x80, 0xf4, 0x90, 0x80, 0x80, 0xff]))).toBe(
    '\\xC0\\xAF\\xED\\xA0\\x80\\xF4\\x90\\x80\\x80\\xFF',
  );
  expect(visible(Buffer.from([0xe6, 0x9d, 0xb1, 0xe4, 0xba]))).toBe('東\\xE4\\xBA');
});

test('only the cell is shown', () => {
  expect(visibleText(Buffer.from('ab,cd,ef'), 3, 5, 1024)).toBe('cd');
});

test('a long cell is cut between characters at the limit', () => {
  expect(visible(Buffer.from('x'.repeat(5000)))).toBe('x'.repeat(1024));
  expect(visible(Buffer.from('ü'.repeat(600)), 1023)).toBe('ü'.repeat(511));
  expect(visible(Buffer.from('\u{1f600}'.repeat(3)), 7)).toBe('\u{1f600}');
  expect(visible(Buffer.alloc(1000), 10)).toBe('\\x00\\x00');
});

test('any bytes give text that PostgreSQL and JSON take, within the limit', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.integer({ min: 4, max: 80 }), (array, limit) => {
      const bytes = Buffer.from(array);
      const text = visible(bytes, limit);
      expect(text).not.toContain('\0');
      // throws on a lone surrogate
      expect(encodeURIComponent(text).length).toBeGreaterThanOrEqual(text.length);
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(limit);
      if (isUtf8(bytes) && !bytes.includes(0) && bytes.length <= limit) expect(text).toBe(bytes.toString());
    }),
  );
});
