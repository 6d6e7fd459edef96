import { describe, expect, test } from 'vitest';
import { openText } from './helpers.js';
import { readAll, type ReadRow } from '../../contract/format-suite.js';

const NAMES = ['id', 'name', 'note', 'amount'];
/** A table with cells that need quotes, and every twelfth over two lines. */
const ROWS = Array.from({ length: 84 }, (_, i) => [
  String(i + 1),
  `name ${i % 7}`,
  i % 12 === 5 ? `two\nlines, ${i}` : i % 3 === 0 ? `a; b, "${i}"` : i % 5 === 0 ? '' : `note ${i}`,
  `${i}.50`,
]);

interface Writing {
  readonly delimiter: string;
  readonly quote: string;
  /** How a quote stands in quotes; the quote itself: doubled. */
  readonly escape: string;
  readonly end: string;
}
const PLAIN: Writing = { delimiter: ',', quote: '"', escape: '"', end: '\n' };

const cell = (text: string, { delimiter, quote, escape }: Writing): string =>
  [delimiter, quote, escape, '\n'].some((sign) => text.includes(sign))
    ? quote +
      text
        .replaceAll(escape === quote ? quote : escape, (found) => escape + found)
        .replaceAll(escape === quote ? '\u0000' : quote, (found) => escape + found) +
      quote
    : text;
const record = (cells: readonly string[], writing: Writing): string =>
  cells.map((text) => cell(text, writing)).join(writing.delimiter);
const lines = (writing: Writing = PLAIN, rows: readonly (readonly string[])[] = ROWS): string[] =>
  rows.map((row) => record(row, writing));
const file = (records: readonly string[], { end } = PLAIN, header: readonly string[] = [NAMES.join(',')]): string =>
  [...header, ...records, ''].join(end);

async function rowsOf(text: string, options: Record<string, unknown>): Promise<readonly ReadRow[]> {
  return await readAll(await openText(text, { nulls: [], ...options }));
}
const isRefused = (row: ReadRow): boolean =>
  row.fault !== undefined || row.found !== undefined || row.cells?.length !== NAMES.length;
const good = (rows: readonly ReadRow[]): unknown => rows.filter((row) => !isRefused(row)).map((row) => row.cells);

describe('files polluted in one place load exactly once the key for it is set', () => {
  const writings: [string, Writing, Record<string, unknown>][] = [
    ...[';', '\t', '|', ' ', '::'].map((delimiter): [string, Writing, Record<string, unknown>] => [
      `delimiter ${JSON.stringify(delimiter)}`,
      { ...PLAIN, delimiter },
      { delimiter },
    ]),
    ['single quotes', { ...PLAIN, quote: "'", escape: "'" }, { quote: "'" }],
    ['a backslash as escape', { ...PLAIN, escape: '\\' }, { escape: '\\' }],
    ['records that end in CRLF', { ...PLAIN, end: '\r\n' }, {}],
    ['records that end in CR', { ...PLAIN, end: '\r' }, {}],
  ];
  test.each(writings)('%s', async (_name, writing, options) => {
    const text = file(lines(writing), writing, [NAMES.join(writing.delimiter)]);
    expect((await rowsOf(text, options)).map((row) => row.cells)).toEqual(ROWS);
  });

  const tops: [string, readonly string[], Record<string, unknown>][] = [
    ['no header', [], { header: false }],
    ['a header of two records', ['id,name,note,amount', ',,,EUR'], { header: 2 }],
    ['a header of three, names in the second', ['Sales', NAMES.join(','), ',,,EUR'], { header: { rows: 3, names: 2 } }],
    ['a preamble', ['Report of "today', 'x,y', NAMES.join(',')], { skip_lines: 2 }],
    ['a ruler below the header', [NAMES.join(','), '--,"--,--'], { skip_after_header: 1 }],
  ];
  test.each(tops)('%s', async (_name, header, options) => {
    expect((await rowsOf(file(lines(), PLAIN, header), options)).map((row) => row.cells)).toEqual(ROWS);
  });

  test('several tables with one header each, and a sum at the end', async () => {
    const all = [...lines().slice(0, 40), NAMES.join(','), ...lines().slice(40), 'Total,,,99'];
    const rows = await rowsOf(file(all), { repeated_header: 'skip', footer: '^Total' });
    expect(rows.filter((row) => row.fault === undefined).map((row) => row.cells)).toEqual(ROWS);
    expect(rows.filter((row) => row.fault !== undefined).map((row) => row.message)).toEqual([
      'passed over: repeated_header',
      'passed over: footer',
    ]);
  });
});

describe('rows that are damaged are refused, they alone, and taken with the key for it', () => {
  // Rows on one line: a record of several is damaged as a whole.
  const hit = [1, 2, 9, 40, 83];
  const damaged = (damage: (row: readonly string[]) => string): string =>
    file(ROWS.map((row, i) => (hit.includes(i) ? damage(row) : record(row, PLAIN))));
  const rest = ROWS.filter((_, i) => !hit.includes(i));
  const plain = (row: readonly string[]): readonly string[] => [row[0]!, row[1]!, 'note', row[3]!];

  const cases: [
    string,
    (row: readonly string[]) => string,
    Record<string, unknown>,
    (row: readonly string[]) => unknown,
  ][] = [
    [
      'a delimiter too few at the end',
      (row) => record(plain(row).slice(0, 3), PLAIN),
      { short_rows: 'fill_null' },
      (row) => [...plain(row).slice(0, 3), null],
    ],
    [
      'delimiters and cells too many',
      (row) => `${record(plain(row), PLAIN)},x,,"y, z"`,
      { long_rows: 'drop' },
      (row) => plain(row),
    ],
    [
      'quotes that nobody escaped',
      (row) => `${row[0]},"48" table, "wide" one","say "hi"",${row[3]}`,
      { quotes: 'lenient' },
      (row) => [row[0], '48" table, "wide" one', 'say "hi"', row[3]],
    ],
    [
      'blanks around quotes',
      (row) => `${row[0]}, "a, b" ,"c"\t,${row[3]}`,
      { quote_blanks: true },
      (row) => [row[0], 'a, b', 'c', row[3]],
    ],
  ];
  test.each(cases)('%s', async (_name, damage, options, taken) => {
    const text = damaged(damage);
    const strict = await rowsOf(text, {});
    expect(good(strict)).toEqual(rest);
    expect(strict.filter(isRefused).length).toBeGreaterThanOrEqual(hit.length);
    const loose = await rowsOf(text, options);
    expect(loose.map((row) => row.cells)).toEqual(ROWS.map((row, i) => (hit.includes(i) ? taken(row) : row)));
  });

  test('a quote that nothing closes costs its own line', async () => {
    for (const quotes of ['strict', 'lenient']) {
      const rows = await rowsOf(
        damaged((row) => `${row[0]},"open,note,${row[3]}`),
        { quotes },
      );
      expect(good(rows)).toEqual(quotes === 'strict' ? rest : good(rows));
      expect(rows.filter(isRefused).length).toBeGreaterThanOrEqual(1);
    }
  });
});
