import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { csvSplitter } from '../../../src/formats/csv/split-record.js';
import { cells, column, openText, read } from './helpers.js';
import { looseOracle } from './loose-oracle.js';
import { oracle } from './oracle.js';

const pieces = [
  'a',
  'b',
  'cc',
  '"',
  '"',
  '"',
  '""',
  '","',
  ',',
  ',',
  '\n',
  '\n',
  '\r',
  '\r\n',
  '\\',
  '\\"',
  '#',
  ' ',
  '\t',
  '="',
];

const setting = {
  text: fc.array(fc.constantFrom(...pieces), { maxLength: 60 }).map((p) => p.join('')),
  delimiter: fc.constantFrom(',', ',', '",', 'cc', '\t'),
  escape: fc.constantFrom('"', '"', '\\'),
  comment: fc.constantFrom(null, '#'),
  width: fc.integer({ min: 1, max: 4 }),
  chunks: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 }),
  window: fc.integer({ min: 1, max: 40 }),
  batchRows: fc.integer({ min: 1, max: 4 }),
};

/** What both tell of a record. */
const comparable = ({
  row,
  line,
  offset,
  raw,
  cells: own,
  found,
  fault,
}: Awaited<ReturnType<typeof read>>[number]): unknown => ({
  row,
  line,
  offset,
  raw,
  cells: own,
  found,
  fault,
});

const contractOf = (width: number): ReturnType<typeof column>[] =>
  Array.from({ length: width }, (_, i) => column(`c${i}`, [i + 1]));

describe('the scanner of lenient quotes, blanks around quotes and escapes outside of them', () => {
  test('reads as the rules say, character by character, however the text is cut into chunks, windows and batches', async () => {
    let faults = 0;
    let good = 0;
    const keys = {
      lenient: fc.boolean(),
      quoteBlanks: fc.boolean(),
      escapeUnquoted: fc.boolean(),
      excelText: fc.boolean(),
    };
    await fc.assert(
      fc.asyncProperty(
        fc.record({ ...setting, ...keys }),
        async ({ chunks, window, batchRows, text, width, ...rest }) => {
          const { delimiter, escape, comment, lenient, quoteBlanks, excelText } = rest;
          fc.pre(!delimiter.startsWith('"'));
          const escapeUnquoted = rest.escapeUnquoted && escape === '\\';
          const options = {
            header: false,
            delimiter,
            escape,
            comment,
            nulls: [],
            quotes: lenient ? 'lenient' : 'strict',
            quote_blanks: quoteBlanks,
            escape_unquoted: escapeUnquoted,
            excel_text: excelText,
          };
          const got = await read(text, options, { contract: contractOf(width), chunks, window, batchRows });
          const seenWidth = Math.max(width, ...got.map((row) => row.cells?.length ?? 0));
          const expected = looseOracle(text, { ...rest, quote: '"', escapeUnquoted, width: seenWidth });
          expect(got.map(comparable)).toEqual(expected);
          faults += got.filter((row) => row.fault !== undefined).length;
          good += got.filter((row) => row.cells !== undefined).length;
        },
      ),
      { numRuns: 1_500 },
    );
    expect(faults).toBeGreaterThan(300);
    expect(good).toBeGreaterThan(500);
  });

  test('reads strict quotes as the fast one does, up to the longest record', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({ ...setting, maxRecord: fc.constantFrom(4, 9, 20, 1_000) }),
        async ({ text, delimiter, escape, comment, width, maxRecord, ...cut }) => {
          fc.pre(!delimiter.startsWith('"') && !text.includes('="'));
          const options = {
            header: false,
            delimiter,
            escape,
            comment,
            nulls: [],
            max_record: maxRecord,
            excel_text: true,
          };
          const got = await read(text, options, { contract: contractOf(width), ...cut });
          const seenWidth = Math.max(width, ...got.map((row) => row.cells?.length ?? 0));
          const expected = oracle(text, { delimiter, quote: '"', escape, comment, width: seenWidth, maxRecord });
          expect(got.map(comparable)).toEqual(expected);
        },
      ),
      { numRuns: 700 },
    );
  });
});

describe('quotes: lenient', () => {
  const lenient = { header: false, quotes: 'lenient' };

  test('a quote inside a quoted cell that nothing closes behind is a character', async () => {
    expect(await cells(`'Men's boots','it's'\n'a',b\n`, { ...lenient, quote: "'" })).toEqual([
      ["Men's boots", "it's"],
      ['a', 'b'],
    ]);
    expect(await cells('"48" table",1\n"x","y"\n', lenient)).toEqual([
      ['48" table', '1'],
      ['x', 'y'],
    ]);
  });

  test('doubled quotes are one quote, and close nothing', async () => {
    expect(await cells('"a ""b"", c",1\n"""",2\n', lenient)).toEqual([
      ['a "b", c', '1'],
      ['"', '2'],
    ]);
  });

  test('a quote at the end of a cell whose sender does not double them is a character', async () => {
    expect(await cells('"TV 48"","x"\n"say "hi"","y"\n', lenient)).toEqual([
      ['TV 48"', 'x'],
      ['say "hi"', 'y'],
    ]);
  });

  test('what is told of the file takes its single records apart in the same way', async () => {
    const reader = await openText('a,b\n"48" table",1\n', { quotes: 'lenient' });
    const split = csvSplitter(reader.dialect(), 10);
    expect(split?.(Buffer.from('"48" table",1'))?.cells.map(String)).toEqual(['48" table', '1']);
    await reader.close();
  });

  test('lines with one odd quote each take time in proportion to the file', async () => {
    // Read again from each line, they would take an hour.
    const lines = '1,"abc\n'.repeat(100_000);
    const count = async (text: string): Promise<{ rows: number; faults: number }> => {
      const reader = await openText(text, lenient, { contract: contractOf(3) });
      const counts = { rows: 0, faults: 0 };
      for (let batch = await reader.next(); batch !== null; batch = await reader.next()) {
        counts.rows += batch.rows;
        counts.faults += batch.faults.length;
      }
      return counts;
    };
    expect(await count(lines)).toEqual({ rows: 100_000, faults: 100_000 });
    // All of them are refused where the last line closes the quote too.
    expect(await count(`1,2,3\n${lines}x","y","z","0"\n`)).toEqual({ rows: 100_002, faults: 100_000 });
  });

  test('a cell of 3 MiB full of quotes is one cell', async () => {
    const value = 'it"s '.repeat(600_000);
    expect(await cells(`"${value}",1\n`, lenient, { chunks: [65_537] })).toEqual([[value, '1']]);
  });
});

describe('quote_blanks', () => {
  test('blanks and tabs around a quoted cell are passed over, those of other cells stay', async () => {
    expect(await cells('"2","b" \n"3" ,"c"\n  "4",\t"d"\t\n 5 , e \n', { header: false, quote_blanks: true })).toEqual([
      ['2', 'b'],
      ['3', 'c'],
      ['4', 'd'],
      [' 5 ', ' e '],
    ]);
  });

  test('a delimiter that is a blank stays one', async () => {
    expect(await cells('"1"\t"a" \t"b"\n', { header: false, quote_blanks: true, delimiter: '\t' })).toEqual([
      ['1', 'a', 'b'],
    ]);
  });
});

describe('escape_unquoted', () => {
  test('an escape makes a delimiter, a line end and itself part of the cell', async () => {
    const options = { header: false, delimiter: '|', escape_unquoted: true };
    expect(await cells('1|a \\| b|3\n2|a\\\nb|4\n3|a\\\r\nb|5\n4|\\\\|6\n', options)).toEqual([
      ['1', 'a | b', '3'],
      ['2', 'a\nb', '4'],
      ['3', 'a\r\nb', '5'],
      ['4', '\\', '6'],
    ]);
  });
});

describe('excel_text', () => {
  test('="00123" is its text, quoted or not, and other formulas stay as they are', async () => {
    const options = { header: false, excel_text: true };
    expect(await cells('="00123","=""0,1""",=1+1\n="","=""""",="a" & "b"\n', options)).toEqual([
      ['00123', '0,1', '=1+1'],
      ['', '', '="a" & "b"'],
    ]);
  });
});
