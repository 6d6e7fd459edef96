import { describe, expect, test } from 'vitest';
import { openText, read, texts } from './helpers.js';

const shapeOf = async (text: string, options: Record<string, unknown> = {}): Promise<unknown> =>
  (await openText(text, options)).dialect()['shape'];

/** The file's rejection, read to the end. */
async function rejection(
  text: string,
  options: Record<string, unknown> = {},
  setting: Parameters<typeof read>[2] = {},
): Promise<unknown> {
  return await read(text, options, setting).then(
    (rows) => rows.map((row) => row.fault ?? row.raw),
    (error: unknown) =>
      error instanceof Error && 'code' in error
        ? `${String(error.code)}: ${error.message}`
        : Promise.reject(error as Error),
  );
}

describe('shape: auto', () => {
  test.each([
    ['[{"a":1}]', 'array'],
    ['\uFEFF \n [', 'array'],
    ['{"a":1}\n{"a":2}', 'lines'],
    ['{"a":1} \r\n{', 'lines'],
    ['\n\n{"a":1}', 'lines'],
    ['{"a":1}', 'lines'],
    ['{"a":1}{"a":2}', 'objects'],
    ['{\n"a":1}', 'objects'],
    ['{"a":1}\r{"a":2}\r', 'objects'],
    ['1\n{"a":1}', 'objects'],
  ])('%j is %s', async (text, shape) => {
    expect(await shapeOf(text)).toBe(shape);
    expect((await openText(text, {}, { window: 1, chunks: [1] })).dialect()['shape']).toBe(shape);
  });

  test('a first line past max_record makes lines', async () => {
    expect(await read(`{"a":"${'x'.repeat(9_000)}"}\n{"a":1}`, { max_record: 100 }, { window: 64 })).toMatchObject([
      { fault: 'too-long', rawLength: null },
      { raw: '{"a":1}', line: 2 },
    ]);
  });
});

describe.each(['', ' ', '\n\r\n\n', '\uFEFF', '\uFEFF\n', ' \t\n '])('%j', (text) => {
  test.each([{}, { shape: 'lines' }, { shape: 'array' }, { root: 'a' }])('is an empty file %j', async (options) => {
    const reader = await openText(text, options, { columns: ['a'] });
    expect([reader.empty, reader.layout.missing, await reader.next(), reader.layout.drift]).toEqual([
      true,
      [],
      null,
      [],
    ]);
  });
});

test('an empty array is no empty file, and has no records', async () => {
  const reader = await openText(' [ ] ');
  expect([reader.empty, await reader.next()]).toEqual([false, null]);
});

describe('lines', () => {
  test('a bad line costs that line, with its raw bytes, line and offset', async () => {
    const rows = await read('{"a":1}\r\n{"a":1,}\r\n\r\n{"a":3}\n{"a":4', {}, { columns: ['a'] });
    expect(rows).toEqual([
      { row: 1, line: 1, offset: 0, raw: '{"a":1}', cells: ['1'] },
      {
        row: 2,
        line: 2,
        offset: 9,
        raw: '{"a":1,}',
        fault: 'json-error',
        message: 'not valid JSON: a key in quotes was expected',
        rawLength: null,
      },
      { row: 3, line: 4, offset: 21, raw: '{"a":3}', cells: ['3'] },
      {
        row: 4,
        line: 5,
        offset: 29,
        raw: '{"a":4',
        fault: 'json-error',
        message: 'the file ends within the record',
        rawLength: null,
      },
    ]);
  });

  test.each([
    ['{"a":"x', 'the line ends within the record'],
    ['{"a":', 'the line ends within the record'],
    ['{"a":1}{"a":2}', 'text stands behind the object on its line'],
    ['{"a":1} x', 'text stands behind the object on its line'],
    ['[{"a":1}]', 'not an object'],
    ['7', 'not an object'],
    ['null', 'not an object'],
    ['"x"', 'not an object'],
    ['{"a":01}', 'not valid JSON: a number of no valid form'],
    ["{'a':1}", 'not valid JSON: a key in quotes was expected'],
    ['{"a" 1}', 'not valid JSON: a colon was expected behind the key'],
    ['{"a":1 "b":2}', 'not valid JSON: a comma or the closing bracket was expected'],
    ['{"a":NaN}', 'not valid JSON: a value was expected'],
    ['{"a":"\\x"}', 'not valid JSON: an unknown escape stands in a string'],
    ['{"a":"\t"}', 'not valid JSON: a control character stands in a string'],
    ['<html>', 'not valid JSON: a value was expected'],
    ['\0', 'not valid JSON: a value was expected'],
  ])('%j is a json-error: %s', async (line, message) => {
    const text = `{"a":1}\n${line}\n{"a":2}\n`;
    const expected = [
      { raw: '{"a":1}' },
      { raw: line, fault: 'json-error', message, line: 2 },
      { raw: '{"a":2}', line: 3 },
    ];
    expect(await read(text, { shape: 'lines' }, { columns: ['a'] })).toMatchObject(expected);
    expect(await read(text, { shape: 'lines' }, { columns: ['a'], window: 1, chunks: [1] })).toMatchObject(expected);
  });

  test('a record does not go on over a line end, and each broken line counts', async () => {
    expect(await read('{"z":0}\n{"a":\n1}\n{"a":2}\n')).toMatchObject([
      { line: 1 },
      { fault: 'json-error', line: 2 },
      { fault: 'json-error', line: 3 },
      { raw: '{"a":2}', line: 4 },
    ]);
  });

  test('a bad first line costs only itself when shape: lines is said', async () => {
    expect(await texts('{"a":}\n{"a":1}', { shape: 'lines' })).toEqual(['json-error', '{"a":1}']);
  });
});

describe('an array', () => {
  test('a broken element costs that element', async () => {
    const bad = [
      '{"a":1,}',
      '{"a" 1}',
      "{'a':1}",
      '{"a":tru}',
      '7',
      'null',
      '[{"a":1}]',
      '"]"',
      'nope',
      '{"a":"\\ud80"}',
      '{"a":NaN,"b":"],["}',
      '{"a":01}',
      '{a:1}',
    ];
    for (const element of bad) {
      const text = `[{"a":1}, ${element} ,{"a":2}]`;
      const rows = await read(text, {}, { columns: ['a'] });
      expect(rows.map((row) => row.fault ?? row.cells?.[0])).toEqual(['1', 'json-error', '2']);
      expect(rows[1]).toMatchObject({ raw: element, offset: 10 });
      expect(await read(text, {}, { columns: ['a'], window: 1, chunks: [1], batchRows: 1 })).toEqual(rows);
    }
  }, 30_000);

  test.each([
    [
      '[{"a":1},{"a":[1}},{"a":2}]',
      'Byte 16 (line 1): not valid JSON: a comma or the closing bracket was expected. The end of this record cannot be found.',
    ],
    [
      '[\n{"a":1},\n{"a":"x},\n{"a":2}]',
      'Byte 20 (line 3): not valid JSON: a control character stands in a string. The end of this record cannot be found.',
    ],
    ['[{"a":1}', 'Byte 8 (line 1): the file ends within the array.'],
    ['[{"a":1},', 'Byte 9 (line 1): the file ends within the array.'],
    ['[', 'Byte 1 (line 1): the file ends within the array.'],
    ['[{"a":1},{"a"', 'Byte 13 (line 1): the file ends within the record.'],
    ['[{"a":1},{"a":"', 'Byte 15 (line 1): the file ends within the record.'],
    ['[{"a":1},]', 'Byte 9 (line 1): not valid JSON: a value was expected.'],
    ['[,{"a":1}]', 'Byte 1 (line 1): not valid JSON: a value was expected.'],
    ['[{"a":1},,{"a":1}]', 'Byte 9 (line 1): not valid JSON: a value was expected.'],
    ['[{"a":1} {"a":2}]', 'Byte 9 (line 1): not valid JSON: a comma or the closing bracket was expected.'],
    ['[{"a":1}]]', 'Byte 9 (line 1): text stands behind the end of the document.'],
    ['[1]\n[2]\n', 'Byte 4 (line 2): text stands behind the end of the document.'],
    ['[{"a":1}}', 'Byte 8 (line 1): not valid JSON: a comma or the closing bracket was expected.'],
  ])('%j is rejected: %s', async (text, message) => {
    expect(await rejection(text)).toBe(`FILE_CORRUPT: ${message}`);
    expect(await rejection(text, {}, { window: 1, chunks: [1], batchRows: 1 })).toBe(`FILE_CORRUPT: ${message}`);
  });

  test('that was asked for and is not there is a mismatch', async () => {
    expect(await rejection('{"a":1}', { shape: 'array' })).toBe('FORMAT_MISMATCH: The file does not begin with [.');
  });
});

describe('objects one after another', () => {
  test('need nothing between them', async () => {
    expect(await read('{\n"a":1}{"a":2}\n\n {"a":\n3}', {}, { columns: ['a'] })).toMatchObject([
      { line: 1, offset: 0, cells: ['1'] },
      { line: 2, offset: 8, cells: ['2'] },
      { line: 4, offset: 18, cells: ['3'] },
    ]);
  });

  test('what is no object is a json-error', async () => {
    expect(await texts('{\n}\n7 "x"\n[1] {}')).toEqual(['{\n}', 'json-error', 'json-error', 'json-error', '{}']);
  });

  test.each([
    ['<html>\n<body>', 'Byte 0 (line 1): not valid JSON: a value was expected.'],
    ['{\n"a":1}\n{"a":}', 'Byte 14 (line 3): not valid JSON: a value was expected.'],
    ['{\n"a":1}\n{"a":1', 'Byte 15 (line 3): the file ends within the record.'],
    ['{"a":1,}\n{"a":1}\n', 'Byte 7 (line 1): not valid JSON: a key in quotes was expected.'],
    ['{"a":1}{"a":1}]', 'Byte 14 (line 1): not valid JSON: a value was expected.'],
  ])('%j is rejected: %s', async (text, message) => {
    expect(await rejection(text)).toBe(`FILE_CORRUPT: ${message}`);
    expect(await rejection(text, {}, { window: 1, chunks: [1] })).toBe(`FILE_CORRUPT: ${message}`);
  });
});

describe('root', () => {
  const items = ['{"a":1}', '{"a":2}'];
  test.each([
    ['data', '{"data":[{"a":1},{"a":2}]}'],
    ['data', ' {"x":{"data":[0]},"y":"]}","data" : [ {"a":1} , {"a":2} ] , "z":[{}]} \n'],
    ['data.items', '{"data":{"n":2,"items":[{"a":1},{"a":2}],"next":null},"data.x":1}'],
    ['data.items', '{"data":{"n":2},"data.items":[{"a":1},{"a":2}]}'],
    ['a[1].b', '{"a":[{"b":[7]},{"b":[{"a":1},{"a":2}]},{"b":[7]}]}'],
    ['[0].b', '[{"b":[{"a":1},{"a":2}]},3]'],
    ['dä\\', '{"d\\u00e4\\\\":[{"a":1},{"a":2}]}'],
  ])('%s of %s', async (root, text) => {
    expect(await texts(text, { root })).toEqual(items);
    expect(await texts(text, { root }, { window: 1, chunks: [1], batchRows: 1 })).toEqual(items);
  });

  test.each([
    ['data', '{"x":1}', 'FORMAT_MISMATCH: There is no data in the document.'],
    ['data.items', '{"data":{"x":[]},"items":[]}', 'FORMAT_MISMATCH: There is no data.items in the document.'],
    ['data', '{"data":{"a":1}}', 'FORMAT_MISMATCH: What stands under data is not an array.'],
    ['data', '{"data":null}', 'FORMAT_MISMATCH: What stands under data is not an array.'],
    ['data', '7', 'FORMAT_MISMATCH: The document is neither an object nor an array.'],
    ['data', '{"x":1,}', 'FILE_CORRUPT: Byte 7 (line 1): not valid JSON: a key in quotes was expected.'],
    ['data', '{"x":tru}', 'FILE_CORRUPT: Byte 8 (line 1): not valid JSON: a value was expected.'],
    ['data', '{"data":[{}]', 'FILE_CORRUPT: Byte 12 (line 1): the file ends within the record.'],
    ['data', '{"data":[{}],}', 'FILE_CORRUPT: Byte 13 (line 1): not valid JSON: a key in quotes was expected.'],
    ['data', '{"data":[{}]}\n{}', 'FILE_CORRUPT: Byte 14 (line 2): text stands behind the end of the document.'],
    ['data', '{"data":[{}],"data":[{}]}', 'FILE_CORRUPT: Byte 20 (line 1): data stands in the document twice.'],
    ['a.b', '{"a":{"b":[{}]},"a":{}}', 'FILE_CORRUPT: Byte 20 (line 1): a.b stands in the document twice.'],
    [
      'data',
      '{"data":[{}],"x":[1}',
      'FILE_CORRUPT: Byte 19 (line 1): not valid JSON: a comma or the closing bracket was expected.',
    ],
  ])('%s of %s: %s', async (root, text, message) => {
    expect(await rejection(text, { root })).toBe(message);
    expect(await rejection(text, { root }, { window: 1, chunks: [1] })).toBe(message);
  });

  test('what stands beside it must fit into max_record', async () => {
    expect(
      await rejection(`{"x":"${'y'.repeat(20_000)}","data":[{}]}`, { root: 'data', max_record: 100 }, { window: 100 }),
    ).toMatch(/a value beside data is longer than 100B/);
  });
});
