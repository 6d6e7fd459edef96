import { isUtf8 } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TallymanError } from '../../../src/core/errors.js';
import { columnFrom, read, records } from './helpers.js';

/** Does the reader take this text as the value of a key? Fed whole and one byte at a time. */
async function takes(value: string | Buffer): Promise<boolean> {
  const text = Buffer.concat([Buffer.from('{"v":'), Buffer.from(value), Buffer.from('}')]);
  // Three ways through the scanner: a value that nobody takes, one that a column takes, one that is looked into.
  const verdicts = [];
  for (const columns of [['x'], ['v'], ['x=v.a[0].b', 'y=v[0].a']]) {
    for (const setting of [{}, { window: 1, chunks: [1] }]) {
      const verdict = await read(text, {}, { columns, ...setting }).then(
        (rows) => rows.length === 1 && rows[0]?.fault === undefined,
        (error: unknown) =>
          error instanceof TallymanError && error.code === 'FILE_CORRUPT' ? false : Promise.reject(error as Error),
      );
      verdicts.push(verdict);
    }
  }
  expect(new Set(verdicts).size).toBe(1);
  return verdicts[0]!;
}

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const YES = [
  '1',
  '-0',
  '0',
  '-1.5',
  '1e5',
  '1E+5',
  '1e-5',
  '0.10',
  '1.0e0',
  '12345678901234567890123456789',
  '1e400',
  'true',
  'false',
  'null',
  '""',
  '" "',
  '"a"',
  '"é日😀"',
  '"\\""',
  '"\\\\"',
  '"\\/"',
  '"\\b\\f\\n\\r\\t"',
  '"\\u0000"',
  '"\\u00E9"',
  '"\\ud83d\\ude00"',
  '"\u007f"',
  '"\u2028"',
  '[]',
  '[ ]',
  '[1]',
  '[1,2]',
  '[ 1 , [ ] , { } ]',
  '{}',
  '{ }',
  '{"a":1}',
  '{"a":1,"a":2}',
  '{"":0}',
  '{"a":{"b":[{"c":null}]}}',
  ' 1 ',
  '\t\n\r 1\r\n',
  '[[[[[]]]]]',
  '{"a":[{"b":1}]}',
  '[{"a":1},{"a":2}]',
  '{"__proto__":1}',
  '{"a":[{"b":{}}],"a":[]}',
];
const NO = [
  '',
  ' ',
  '01',
  '-01',
  '00',
  '1.',
  '.5',
  '+1',
  '-',
  '--1',
  '1e',
  '1e+',
  '1.e1',
  '0x1',
  '1_0',
  '1 2',
  'Infinity',
  'NaN',
  'TRUE',
  'nul',
  'nulll',
  'truefalse',
  'undefined',
  '"',
  '"a',
  'a"',
  "'a'",
  '"\\x"',
  '"\\u12"',
  '"\\u12g4"',
  '"\\U0041"',
  '"\t"',
  '"\n"',
  '"\u0000"',
  '"\u001f"',
  '"\\"',
  '[',
  ']',
  '[1',
  '[1,',
  '[1,]',
  '[,]',
  '[,1]',
  '[1 2]',
  '[1,,2]',
  '[1;2]',
  '{',
  '{"a"',
  '{"a":',
  '{"a":1',
  '{"a":1,',
  '{"a":1,}',
  '{,}',
  '{"a"}',
  '{a:1}',
  '{1:2}',
  '{"a" 1}',
  '{"a"::1}',
  '{"a":1 "b":2}',
  '{null:1}',
  '[}',
  '{]',
  '[1}',
  '{"a":1]',
  '[[]',
  '1]',
  '//1',
  '/**/1',
  '1//',
  '1#',
  '\u00a01',
  '\ufeff1',
  '\v1',
  '\f1',
  '\u20281',
  '{"a":1}}',
  '\\u0031',
  '"a"b',
  '\x001',
  '1\x00',
  '[1\x00]',
];

describe('what is JSON', () => {
  test.each(YES)('%j is', async (text) => {
    expect([parses(`{"v":${text}}`), await takes(text)]).toEqual([true, true]);
  });

  test.each(NO)('%j is not', async (text) => {
    expect([parses(`{"v":${text}}`), await takes(text)]).toEqual([false, false]);
  });

  test('agrees with JSON.parse on documents that were damaged at random', async () => {
    const pieces = [
      '',
      ',',
      ':',
      '"',
      '{',
      '}',
      '[',
      ']',
      '0',
      '1',
      'e',
      '-',
      '.',
      '\\',
      ' ',
      '\n',
      'null',
      '\\u',
      '\\ud800',
      'é',
      '\t',
      '\0',
      '"a":',
      '{"b":',
    ];
    const cases = fc.tuple(
      fc.json({ maxDepth: 3 }),
      fc.array(fc.tuple(fc.nat(), fc.constantFrom(...pieces), fc.nat(2)), { maxLength: 3 }),
    );
    let yes = 0;
    let no = 0;
    await fc.assert(
      fc.asyncProperty(cases, async ([text, damages]) => {
        let value = text;
        for (const [place, put, drop] of damages) {
          const at = place % (value.length + 1);
          value = value.slice(0, at) + put + value.slice(at + drop);
        }
        value = Buffer.from(value).toString();
        // Half a pair is refused in a cell, though JSON.parse takes it.
        fc.pre(!/\\u[dD][89a-fA-F]/.test(value));
        const expected = parses(`{"v":${value}}`);
        expect(await takes(value)).toBe(expected);
        if (expected) yes += 1;
        else no += 1;
      }),
      { numRuns: 1_500, seed: 7 },
    );
    expect(Math.min(yes, no)).toBeGreaterThan(200);
  });

  test('bytes that are no UTF-8 are told by the batch', async () => {
    const rows = await read(Buffer.from('{"a":"\xff"}', 'latin1'), {}, { columns: ['a'] });
    expect(rows).toMatchObject([{ cells: ['\ufffd'] }]);
    expect(isUtf8(Buffer.from('{"a":"\xff"}', 'latin1'))).toBe(false);
  });
});

describe('values', () => {
  const text = fc.string({ unit: 'binary', maxLength: 12 });
  const scalar = fc.oneof(
    text,
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.constant(null),
  );
  const value = fc.oneof({ weight: 3, arbitrary: scalar }, { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 2 }) });
  const keys = ['a', 'b', 'é "q"', 'x\\y', 'deep'];
  const record = fc.dictionary(fc.constantFrom(...keys, 'other'), value);
  const escapeAll = fc.boolean();

  test('of random records are those of JSON.parse, however they are spelled and cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(record, { minLength: 1, maxLength: 8 }),
        escapeAll,
        fc.constantFrom('lines', 'array', 'objects'),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 1, max: 100 }),
        fc.integer({ min: 1, max: 5 }),
        async (all, escape, shape, chunks, window, batchRows) => {
          const spelled = all.map((one) =>
            escape
              ? JSON.stringify(one).replace(
                  /[^\x20-\x7e]/g,
                  (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
                )
              : JSON.stringify(one),
          );
          const file =
            shape === 'lines'
              ? spelled.join('\n')
              : shape === 'array'
                ? `[${spelled.join(' ,\n')}]`
                : `\n${spelled.join('')}{\n}`;
          const columns = keys.map((key) => columnFrom(key, key));
          const got = await records(file, {}, { columns, chunks, window, batchRows });
          const expected = all.map((one) =>
            Object.fromEntries(keys.flatMap((key) => (Object.hasOwn(one, key) ? [[key, cellOf(one[key])]] : []))),
          );
          expect(got).toEqual(shape === 'objects' ? [...expected, {}] : expected);
        },
      ),
      { numRuns: 800, seed: 11 },
    );
  });

  function cellOf(one: unknown): string | null {
    if (one === null) return null;
    return typeof one === 'string' ? one : JSON.stringify(one);
  }
});
