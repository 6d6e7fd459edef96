import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TallymanError } from '../../../src/core/errors.js';
import { read } from './helpers.js';

const pieces = [
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '"',
  '"a"',
  '"a":',
  '{"a":1}',
  '{"a":1}',
  '{"a":1}',
  '{"a":"xyz"}\n',
  '\n',
  '\n',
  '\r\n',
  ' ',
  '1',
  'null',
  '\\',
  '\\"',
  '{"a":[1,{"b":2}]}',
  '],',
  '{"a":}',
  'x',
  '\0',
  'é',
  '"a":{',
  '{"d":[',
  ']}',
];

const records = [
  '{"a":1}',
  '{"a":"xyz"}',
  '{"a":[1,{"b":2}]}',
  '{ "b" : null }',
  '{}',
  '{"a":}',
  '{"a":1',
  '{"a":"x}',
  '7',
  '{"a":"\\ud800"}',
  "{'a':1}",
  '{"a":{"d":[1,2,[3]]}}',
];

/** Records with the separators of their shape, and a few pieces put in anywhere. */
const files = fc
  .record({
    kind: fc.constantFrom('lines', 'array', 'objects', 'root', 'auto'),
    all: fc.array(
      fc.oneof(
        { weight: 4, arbitrary: fc.constantFrom(...records.slice(0, 5)) },
        { weight: 1, arbitrary: fc.constantFrom(...records) },
      ),
      { maxLength: 8 },
    ),
    space: fc.constantFrom('', '', '\n', ' \r\n'),
    damages: fc.oneof(
      { weight: 2, arbitrary: fc.constant([]) },
      { weight: 1, arbitrary: fc.array(fc.tuple(fc.nat(), fc.constantFrom(...pieces), fc.nat(2)), { maxLength: 3 }) },
    ),
    maxRecord: fc.constantFrom(5, 12, 10_000, 10_000),
    chunks: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 }),
    window: fc.integer({ min: 1, max: 40 }),
    batchRows: fc.integer({ min: 1, max: 4 }),
  })
  .map(({ kind, all, space, damages, ...rest }) => {
    const body = all.join(
      `${kind === 'lines' ? '\n' : kind === 'array' || kind === 'root' ? `${space},` : ''}${space}`,
    );
    const head = kind === 'array' ? '[' : kind === 'root' ? '{"x":[{}],"d":[' : kind === 'objects' ? '{\n}' : '';
    let text = `${head}${body}${kind === 'array' ? ']' : kind === 'root' ? '],"y":1}' : ''}${space}`;
    for (const [place, put, drop] of damages) {
      const at = place % (text.length + 1);
      text = text.slice(0, at) + put + text.slice(at + drop);
    }
    return { ...rest, text, kind };
  });

describe('any bytes at all', () => {
  test('give the same records or the same rejection, however they are cut into chunks, windows and batches', async () => {
    let faults = 0;
    let good = 0;
    let rejected = 0;
    await fc.assert(
      fc.asyncProperty(files, async ({ text, kind, maxRecord, chunks, window, batchRows }) => {
        const options = {
          max_record: maxRecord,
          ...(kind === 'root' ? { root: 'd' } : { shape: kind === 'lines' ? kind : 'auto' }),
        };
        const outcome = async (setting: Parameters<typeof read>[2]): Promise<unknown> =>
          await read(text, options, { columns: ['a', 'b=a[1].b'], ...setting }).catch((error: unknown) => {
            if (error instanceof TallymanError && ['FILE_CORRUPT', 'FORMAT_MISMATCH'].includes(error.code))
              return error.message;
            throw error;
          });
        const whole = await outcome({});
        expect(await outcome({ chunks, window, batchRows })).toEqual(whole);
        if (!Array.isArray(whole)) {
          rejected += 1;
          return;
        }
        const rows = whole as Awaited<ReturnType<typeof read>>;
        faults += rows.filter((row) => row.fault !== undefined).length;
        good += rows.filter((row) => row.cells !== undefined).length;
        // Nothing is lost: what stands between the records is only space, commas, and the array's brackets.
        if (kind !== 'root' && rows.every((row) => (row.rawLength ?? null) === null)) {
          const bytes = Buffer.from(text);
          for (const row of rows) bytes.fill(' ', row.offset, row.offset + Buffer.byteLength(row.raw));
          expect(bytes.toString().replace(/[\s,[\]]/g, '')).toBe('');
        }
      }),
      { numRuns: 3_000, seed: 5 },
    );
    expect(Math.min(faults, good, rejected)).toBeGreaterThan(400);
  });
});
