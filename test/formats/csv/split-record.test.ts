import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { csvSplitter } from '../../../src/formats/csv/split-record.js';
import { read } from './helpers.js';

const told = (rest: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> => ({
  format: 'csv',
  delimiter: ',',
  quote: '"',
  escape: '"',
  ...rest,
});

function split(
  raw: string | Buffer,
  rest: Readonly<Record<string, unknown>> = {},
  most = 10,
): { readonly cells: readonly string[]; readonly found: number } | null {
  const record = csvSplitter(told(rest), most)?.(Buffer.from(raw)) ?? null;
  return record === null ? null : { cells: record.cells.map(String), found: record.found };
}

describe('a single record', () => {
  test('is taken apart with quotes and escapes resolved', () => {
    expect(split('1,"a ""b"", c",')).toEqual({ cells: ['1', 'a "b", c', ''], found: 3 });
  });

  test('may run over several lines', () => {
    expect(split('"a\nb",c')?.cells).toEqual(['a\nb', 'c']);
  });

  test('is not a comment, whatever it begins with', () => {
    expect(split('#a,b')?.cells).toEqual(['#a', 'b']);
  });

  test('gives no more cells than asked for, and tells how many there are', () => {
    expect(split('1,2,3,,', {}, 2)).toEqual({ cells: ['1', '2'], found: 5 });
  });

  test('keeps bytes that are no text', () => {
    expect(csvSplitter(told(), 2)?.(Buffer.from([0xff, 0x2c, 0x00]))?.cells).toEqual([
      Buffer.from([0xff]),
      Buffer.from([0x00]),
    ]);
  });

  test.each(['1,"x', '"a"b,c', 'a\nb', ''])('is refused when the bytes are not one record: %j', (raw) => {
    expect(split(raw)).toBeNull();
  });

  test('goes on after a record that was refused', () => {
    const splitter = csvSplitter(told(), 3);
    expect(splitter?.(Buffer.from('1,"x'))).toBeNull();
    expect(splitter?.(Buffer.from('1,2'))?.cells.map(String)).toEqual(['1', '2']);
  });

  test.each([{ format: 'json' }, { delimiter: '' }, { delimiter: null }, { quote: 3 }])(
    'needs a dialect of CSV: %j',
    (rest) => {
      expect(csvSplitter(told(rest), 3)).toBeNull();
    },
  );

  test("is taken apart as the file's reader does", async () => {
    const dialects = [{}, { delimiter: ';;' }, { escape: '\\' }, { quote: "'" }, { quote: null, escape: null }];
    const record = fc.string({
      unit: fc.constantFrom('a', ',', ';', '"', "'", '\\', ' ', 'é', '\n'),
      minLength: 1,
      maxLength: 20,
    });
    await fc.assert(
      fc.asyncProperty(record, fc.constantFrom(...dialects), async (raw, dialect) => {
        const options = { nulls: [], ...dialect };
        const [row, ...more] = await read(`${raw}\n`, { header: false, ...options });
        // Blank lines around it, several records, and faults are not one whole record.
        fc.pre(row?.cells !== undefined && row.raw === raw && more.length === 0);
        const own = { escape: 'quote' in dialect ? dialect.quote : '"', ...dialect };
        expect(split(raw, own, 30)?.cells.slice(0, row.cells.length)).toEqual(row.cells);
      }),
      { numRuns: 500 },
    );
  });
});
