import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { read } from './helpers.js';

interface Dialect {
  readonly delimiter: string;
  readonly quote: string | null;
  readonly escape: string | null;
  readonly comment: string | null;
}

const dialects: fc.Arbitrary<Dialect> = fc
  .record({
    delimiter: fc.constantFrom(',', ';', '\t', '|', '||', ', ', '§', '::', 'x'),
    quote: fc.constantFrom('"', '"', '"', "'", null, '``', '“', '<q>'),
    escape: fc.constantFrom('same', 'same', '\\', '^^'),
    comment: fc.constantFrom(null, '#', '//'),
  })
  .map(({ escape, ...rest }) => ({
    ...rest,
    escape: rest.quote === null ? null : escape === 'same' ? rest.quote : escape,
  }));

/**
 * Pieces that cells are made of: all that has a meaning somewhere, blanks, and letters of one to four bytes. Quotes and
 * escapes of several bytes do not stand inside cells here: csv-parse 7.0.3 reads a doubled `` as five backquotes and
 * protects only the first byte behind an escape. quotes.test.ts has them.
 */
const piecesOf = (d: Dialect): readonly string[] => [
  'a',
  'b',
  LONG,
  'b'.repeat(130),
  ' ',
  '\n',
  '\r',
  '\r\n',
  '"',
  '#',
  '//',
  'é',
  '日',
  '𝄞',
  'e\u0301',
  '\\',
  '.',
  d.delimiter,
  ...[d.quote, d.escape].filter((token) => token !== null && !longQuotes(d)).map(String),
];

/** Just short of, and past, the run from which the scanner and unescaping leave the search to Buffer.indexOf. */
const LONG = 'a'.repeat(62);

const longQuotes = (d: Dialect): boolean => [d.quote, d.escape].some((token) => Buffer.byteLength(token ?? '') > 1);

const lineEnds = ['\n', '\r\n', '\r'] as const;

/** A cell that can only be read in one way, written without quotes. */
const safeBare = (cell: string, d: Dialect, first: boolean, only: boolean): boolean =>
  !/[\r\n]/.test(cell) &&
  `${cell}${d.delimiter}`.indexOf(d.delimiter) === cell.length &&
  (d.quote === null || !cell.startsWith(d.quote)) &&
  !(first && d.comment !== null && `${cell}${d.delimiter}`.startsWith(d.comment)) &&
  !(only && cell === '');

function write(cell: string, d: Dialect, quoted: boolean, first: boolean, only: boolean): string {
  if (d.quote === null) {
    const bare = cell
      .replaceAll(/[\r\n]/g, '')
      .split(d.delimiter)
      .join('');
    return safeBare(bare, d, first, only) ? bare : '0';
  }
  if (!quoted && safeBare(cell, d, first, only)) return cell;
  const escape = d.escape ?? d.quote;
  const inside =
    escape === d.quote
      ? cell.split(d.quote).join(d.quote + d.quote)
      : cell
          .split(escape)
          .join(escape + escape)
          .split(d.quote)
          .join(escape + d.quote);
  return d.quote + inside + d.quote;
}

const files = dialects.chain((d) =>
  fc.record({
    dialect: fc.constant(d),
    rows: fc.array(
      fc.record({
        cells: fc.array(
          fc.record({
            text: fc.array(fc.constantFrom(...piecesOf(d)), { maxLength: 6 }).map((p) => p.join('')),
            quoted: fc.boolean(),
          }),
          { minLength: 1, maxLength: 5 },
        ),
        end: fc.constantFrom(...lineEnds),
        blank: fc.nat({ max: 6 }),
        commented: fc.boolean(),
      }),
      { maxLength: 8 },
    ),
    mark: fc.boolean(),
    finalEnd: fc.boolean(),
    chunks: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 }),
    window: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constant(1_000)),
    batchRows: fc.integer({ min: 1, max: 4 }),
  }),
);

/**
 * What csv-parse reads. A quote inside an unquoted cell is data (relax_quotes), rows have any length, a comment stands
 * at a record's start.
 */
function reference(text: string, d: Dialect): string[][] {
  return parse(text, {
    bom: true,
    delimiter: d.delimiter,
    quote: d.quote,
    escape: d.escape,
    comment: d.comment ?? '',
    comment_no_infix: true,
    record_delimiter: ['\r\n', '\n', '\r'],
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
  });
}

const clash = (a: string | null, b: string | null): boolean =>
  a !== null && b !== null && a !== b && (a.startsWith(b) || b.startsWith(a));

describe('scanner and csv-parse', () => {
  test('give the same records on every well-formed input, however it is cut into chunks, windows and batches', async () => {
    let compared = 0;
    await fc.assert(
      fc.asyncProperty(files, async ({ dialect: d, rows, mark, finalEnd, chunks, window, batchRows }) => {
        fc.pre(!clash(d.comment, d.quote) && !clash(d.comment, d.delimiter));
        const columns = rows[0]?.cells.length ?? 1;
        const lines = rows.map(({ cells: any, end, blank, commented }, i) => {
          // Any number of cells on one line; on several, as many as the file has columns
          // (docs/spec/rows-and-values.md#quotes).
          const cells = any.some((cell) => /[\r\n]/.test(cell.text))
            ? Array.from({ length: columns }, (_, c) => any[c] ?? { text: '', quoted: false })
            : any;
          const record = cells
            .map((cell, c) => write(cell.text, d, cell.quoted, c === 0, cells.length === 1))
            .join(d.delimiter);
          const before =
            blank === 0
              ? '\n'
              : commented && d.comment !== null && blank === 1
                ? `${d.comment} c${d.delimiter}"\n`
                : '';
          return before + record + (i === rows.length - 1 && !finalEnd ? '' : end);
        });
        const text = (mark ? '\uFEFF' : '') + lines.join('');
        // A record that ends in CR and a blank line that begins with LF would be one CRLF: the text says what it says,
        // both read the same text.
        const expected = reference(text, d);
        const width = expected[0]?.length ?? 1;
        const options = {
          header: false,
          delimiter: d.delimiter,
          quote: d.quote,
          escape: d.escape,
          comment: d.comment,
          nulls: [],
        };
        const got = await read(text, options, { chunks, window, batchRows });
        expect(got.map((row) => row.cells ?? row.fault)).toEqual(expected.map((record) => record.slice(0, width)));
        for (const row of got) {
          const before = Buffer.from(text).subarray(0, row.offset).toString();
          expect(row.line).toBe(1 + (before.match(/\r\n|\r|\n/g) ?? []).length);
        }
        compared += got.length;
      }),
      { numRuns: 1_500 },
    );
    expect(compared).toBeGreaterThan(1_000);
  });
});
