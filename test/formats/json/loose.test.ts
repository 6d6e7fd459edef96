import { describe, expect, test } from 'vitest';
import { TallymanError } from '../../../src/core/errors.js';
import { openText, read, records, texts } from './helpers.js';

/** Windows and chunks of one byte too: a word may be cut anywhere. */
const SETTINGS = [{}, { window: 1, chunks: [1], batchRows: 1 }, { chunks: [3, 5] }] as const;

async function fixOf(text: string): Promise<string> {
  try {
    await read(text);
  } catch (error) {
    if (error instanceof TallymanError) return error.fix;
    throw error;
  }
  return 'nothing was wrong';
}

describe('strict: false', () => {
  const loose = { strict: false };

  test.each([
    ['{"a":NaN}', '{"a":"NaN"}'],
    ['{"a":[Infinity,-Infinity, 1]}', '{"a":["Infinity","-Infinity", 1]}'],
    ['{"a":"x\ty\u0001"}', '{"a":"x\\u0009y\\u0001"}'],
    ['{"a":"NaN, \\"Infinity\\""}', '{"a":"NaN, \\"Infinity\\""}'],
    ['{"a":-1}', '{"a":-1}'],
  ])('%j is read as %s', async (text, as) => {
    for (const setting of SETTINGS) {
      expect(await texts(`${text}\n{"b":1}\n`, loose, setting)).toEqual([as, '{"b":1}']);
      expect(await texts(`[${text},\n{"b":1}]`, loose, setting)).toEqual([as, '{"b":1}']);
    }
  });

  test.each([['{"a":NaNo}'], ['{"a":nan}'], ['{"a":-Inf}'], ["{'a':1}"], ['{"a":1,}'], ['{"a":+Infinity}']])(
    '%s stays a json-error',
    async (text) => expect(await texts(`{"b":1}\n${text}\n`, loose)).toEqual(['{"b":1}', 'json-error']),
  );

  test('a line end within a string ends the line, but not an element of an array', async () => {
    for (const setting of SETTINGS) {
      expect(await texts('{"b":1}\n{"a":"x\ny"}\n{"c":NaN}\n', loose, setting)).toEqual([
        '{"b":1}',
        'json-error',
        'json-error',
        '{"c":"NaN"}',
      ]);
      expect(await texts('[{"a":"x\ny"},{"c":1}]', loose, setting)).toEqual(['{"a":"x\\u000ay"}', '{"c":1}']);
    }
  });

  test('says how many it took', async () => {
    const reader = await openText('{"a":NaN}\n{"a":Infinity,"s":"\t"}\n', loose);
    while ((await reader.next()) !== null);
    expect(reader.layout.drift.map(({ message }) => message)).toEqual([
      'no strict JSON, taken by strict: false: 2 NaN or Infinity, read as texts, 1 control characters within strings',
    ]);
  });

  test('without it these are refused', async () => {
    expect(await texts('{"b":1}\n{"a":NaN}\n{"a":"\t"}\n')).toEqual(['{"b":1}', 'json-error', 'json-error']);
  });
});

test('a first line that is no JSON: the fix names shape: lines, which refuses that line only', async () => {
  const text = '{"id":0,"a":NaN}\n{"id":1,"a":1}\n';
  expect(await fixOf(text)).toContain('format.shape: lines');
  expect(await texts(text, { shape: 'lines' })).toEqual(['json-error', '{"id":1,"a":1}']);
});

describe('root: $values', () => {
  const text = '{"k,1":{"id":1,"n":"}"},\n "k\\"2\\\\":{"id":2,"n":{"k":[{}]}} , "":{}}';

  test('takes the values of an object as records, at their places', async () => {
    for (const setting of SETTINGS) {
      const rows = await read(text, { root: '$values' }, setting);
      expect(rows.map(({ raw, line, offset }) => ({ raw, line, offset }))).toEqual([
        { raw: '{"id":1,"n":"}"}', line: 1, offset: text.indexOf('{"id":1') },
        { raw: '{"id":2,"n":{"k":[{}]}}', line: 2, offset: text.indexOf('{"id":2') },
        { raw: '{}', line: 2, offset: text.lastIndexOf('{}') },
      ]);
    }
  });

  test('of an object further inside, past others of the same name', async () => {
    const inside = `{"x":{"data":{"a":{}}},"list":[{"data":{}}],"data":{"rows":${text}},"end":{"rows":{}}}`;
    for (const setting of SETTINGS)
      expect(await records(inside, { root: 'data.rows.$values' }, { ...setting, columns: ['id'] })).toEqual([
        { id: '1' },
        { id: '2' },
        {},
      ]);
  });

  test('refuses values that are no objects, and nothing else', async () => {
    expect(await texts('{"a":{"id":1},"b":7,"c":{"id":2}}', { root: '$values' })).toEqual([
      '{"id":1}',
      'json-error',
      '{"id":2}',
    ]);
  });

  test('an empty object holds no records; one that is cut off rejects the file', async () => {
    expect(await texts('{}', { root: '$values' })).toEqual([]);
    await expect(read('{"a":{}', { root: '$values' })).rejects.toMatchObject({ code: 'FILE_CORRUPT' });
    await expect(read('{"a":{}}', { root: 'b.$values' })).rejects.toMatchObject({ code: 'FORMAT_MISMATCH' });
  });
});
