import { expect, test } from 'vitest';
import { guardJson, indented, jsonText, oneLine, shownJson, visible } from '../../../src/base/text/terminal-text.js';

const EVIL = 'a\n\t\r\u001b[2J\u007f\u009b2J\u202e\u2028\u061c\ufeffé€😀\\n"';

test('text of several lines keeps newlines and tabs, and shows every other control character', () => {
  expect(visible(EVIL)).toBe('a\n\t\\u000d\\u001b[2J\\u007f\\u009b2J\\u202e\\u2028\\u061c\\ufeffé€😀\\n"');
  expect(indented('a\nb\nc', '  ')).toBe('a\n  b\n  c');
});

test('what must stay one line does', () => {
  expect(oneLine('a\r\nb\rc\nd\te\u0085')).toBe('a\\r\\nb\\rc\\nd\\te\\u0085');
});

test('JSON stays the same to every reader and holds nothing raw', () => {
  const value = { name: EVIL, [EVIL]: [EVIL] };
  expect(JSON.parse(jsonText(value))).toEqual(value);
  expect(visible(jsonText(value))).toBe(jsonText(value));
  expect(guardJson('"\u009b"')).toBe('"\\u009b"');
});

test('JSON whose strings are shown: an escape becomes its text, a backslash stays one', () => {
  const shown = JSON.parse(shownJson(JSON.stringify(EVIL))) as string;
  expect(shown).toBe('a\\n\\t\\r\\u001b[2J\\u007f\\u009b2J\\u202e\\u2028\\u061c\\ufeffé€😀\\n"');
  expect(oneLine(shown)).toBe(shown);
});
