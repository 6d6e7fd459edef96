import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { column, read } from './helpers.js';
import { oracle } from './oracle.js';

const pieces = ['a', 'b', 'cc', '"', '"', '"', '""', ',', ',', '\n', '\n', '\r', '\r\n', '\\', '\\"', '#', ' ', 'a","'];

const files = fc.record({
  text: fc.array(fc.constantFrom(...pieces), { maxLength: 60 }).map((p) => p.join('')),
  delimiter: fc.constantFrom(',', ',', '",', 'cc'),
  escape: fc.constantFrom('"', '"', '\\'),
  comment: fc.constantFrom(null, '#'),
  width: fc.integer({ min: 1, max: 4 }),
  maxRecord: fc.constantFrom(4, 9, 20, 1_000),
  chunks: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 }),
  window: fc.integer({ min: 1, max: 40 }),
  batchRows: fc.integer({ min: 1, max: 4 }),
});

describe('any bytes at all', () => {
  test('are read as the rules say, character by character, however they are cut into chunks, windows and batches', async () => {
    let faults = 0;
    let good = 0;
    await fc.assert(
      fc.asyncProperty(
        files,
        async ({ text, delimiter, escape, comment, width, maxRecord, chunks, window, batchRows }) => {
          fc.pre(!delimiter.startsWith('"'));
          const contract = Array.from({ length: width }, (_, i) => column(`c${i}`, [i + 1]));
          const options = { header: false, delimiter, escape, comment, nulls: [], max_record: maxRecord };
          const got = await read(text, options, { contract, chunks, window, batchRows });
          // The file may show more columns than the contract names (every sampled row has them).
          const seenWidth = Math.max(width, ...got.map((row) => row.cells?.length ?? 0));
          const expected = oracle(text, { delimiter, quote: '"', escape, comment, width: seenWidth, maxRecord });
          expect(
            got.map(({ row, line, offset, raw, cells, found, fault }) => ({
              row,
              line,
              offset,
              raw,
              cells,
              found,
              fault,
            })),
          ).toEqual(expected);
          faults += got.filter((row) => row.fault !== undefined).length;
          good += got.filter((row) => row.cells !== undefined).length;
        },
      ),
      { numRuns: 4_000 },
    );
    expect(faults).toBeGreaterThan(1_000);
    expect(good).toBeGreaterThan(1_000);
  });
});
