import { SSF, utils, write, type WorkSheet } from '@e965/xlsx';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dateFormat, numberText, serialText } from '../../../src/formats/excel/serial.js';
import { excel } from '../../../src/formats/excel/index.js';
import { plainColumn } from '../../../src/columns/plain-column.js';
import { cellsOf, openExcel, problemOf, readExcel, withFile, workbookOf } from './helpers.js';

const row = (number: number, cells: string): string => `<row r="${number}">${cells}</row>`;
const text = (reference: string, value: string): string =>
  `<c r="${reference}" t="inlineStr"><is><t xml:space="preserve">${value}</t></is></c>`;
const HEADER = row(1, text('A1', 'id') + text('B1', 'name'));
const styles = (...codes: readonly string[]): string =>
  `<numFmts>${codes.map((code, i) => `<numFmt numFmtId="${164 + i}" formatCode="${code}"/>`).join('')}</numFmts><cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs><xf numFmtId="0"/>${codes.map((_, i) => `<xf numFmtId="${164 + i}" applyNumberFormat="1"/>`).join('')}<xf numFmtId="14"/><xf numFmtId="22"/></cellXfs>`;

/** SheetJS does not declare them. */
const ssf = SSF as { is_date(code: string): boolean; parse_date_code(day: number, options: object): unknown };

describe('footers', () => {
  test('the rows at the end that match an expression are passed over, others that match are data', async () => {
    const rows = [
      HEADER,
      row(2, text('A2', 'Total') + text('B2', 'x')),
      row(3, '<c r="A3"><v>1</v></c>' + text('B3', 'a')),
      row(5, text('A5', 'Total') + '<c r="B5"><v>1</v></c>'),
      row(7, text('B7', 'made by me')),
    ].join('');
    const { rows: read } = await readExcel(workbookOf({ rows }), { footer: ['^Total\\t1$', '^made'] });
    expect(read.map(({ row: number, cells, message }) => [number, message ?? cells])).toEqual([
      [1, ['Total', 'x']],
      [2, ['1', 'a']],
      [3, 'passed over: footer'],
      [4, 'passed over: footer'],
    ]);
  });
});

describe('cells', () => {
  const one = async (cell: string, parts: Parameters<typeof workbookOf>[0] = {}): Promise<unknown> =>
    ((await cellsOf(workbookOf({ rows: row(1, cell), ...parts }), { header: false })) as unknown[][])[0]?.[0];

  test.each<[string, string, string]>([
    ['a whole number, all digits', '<v>12345678901234567890</v>', '12345678901234567890'],
    ['a number', '<v>-1.5</v>', '-1.5'],
    ['17 digits of a double: the shortest that are it', '<v>0.10000000000000001</v>', '0.1'],
    ['an exponent', '<v>1.0000000000000001E-5</v>', '0.00001'],
    ['a large exponent', '<v>1E+300</v>', '1e+300'],
    ['leading zeros', '<v>007</v>', '7'],
  ])('%s', async (_name, value, expected) => {
    expect(await one(`<c r="A1">${value}</c>`)).toBe(expected);
  });

  test('texts: inline, shared, of formulas; entities, line ends, signs that XML cannot hold', async () => {
    expect(await one(text('A1', 'a &lt;b&gt; &amp;amp; &#233;&#x1F600;'))).toBe('a <b> &amp; é😀');
    const strings =
      '<si><t>x_x000D_\r\ny</t></si><si><r><t>ri</t></r><r><rPr><b/></rPr><t>ch</t></r><rPh sb="0" eb="1"><t>spoken</t></rPh></si><si/><si><t><![CDATA[<raw> &amp;]]></t></si>';
    expect(await one('<c r="A1" t="s"><v>0</v></c>', { strings })).toBe('x\r\ny');
    expect(await one('<c r="A1" t="s"><v>1</v></c>', { strings })).toBe('rich');
    expect(await one('<c r="A1" t="s"><v>3</v></c>', { strings })).toBe('<raw> &amp;');
    expect(await one('<c r="A1" t="str"><f>"a"&amp;B1</f><v>computed</v></c>')).toBe('computed');
  });

  test('a number stored as text keeps its digits and zeros', async () => {
    expect(await one(text('A1', '00012345678901234567890'))).toBe('00012345678901234567890');
  });

  test('true, false, errors and formulas', async () => {
    expect(await one('<c r="A1" t="b"><v>1</v></c>')).toBe('true');
    expect(await one('<c r="A1" t="b"><v>0</v></c>')).toBe('false');
    expect(await one('<c r="A1" t="e"><v>#N/A</v></c>')).toBe('#N/A');
    expect(await one('<c r="A1"><f>1+1</f><v>2</v></c>')).toBe('2');
  });

  test('dates by their number format, to the millisecond', async () => {
    const style = {
      styles: styles('yyyy\\-mm\\-dd', '[$-409]d/m/yyyy\\ h:mm;@', 'h:mm:ss', '0.00', '[h]:mm', '&quot;day&quot; 0'),
    };
    const at = (s: number, v: string): Promise<unknown> => one(`<c r="A1" s="${s}"><v>${v}</v></c>`, style);
    expect(await at(1, '46346')).toBe('2026-11-20');
    expect(await at(1, '46346.5')).toBe('2026-11-20T12:00:00');
    expect(await at(2, '46346.510764')).toBe('2026-11-20T12:15:30.010');
    expect(await at(2, '46346')).toBe('2026-11-20T00:00:00');
    expect(await at(3, '0.999999999')).toBe('1900-01-01T00:00:00');
    expect(await at(3, '0.25')).toBe('06:00:00');
    expect(await at(4, '46346')).toBe('46346');
    expect(await at(5, '1.5')).toBe('1.5');
    expect(await at(6, '46346')).toBe('46346');
    expect(await at(7, '46346')).toBe('2026-11-20');
    expect(await at(8, '46346')).toBe('2026-11-20T00:00:00');
    expect(await at(1, '-1')).toBe('-1');
    expect(await at(1, '2958466')).toBe('2958466');
    expect(await at(1, '2958465')).toBe('9999-12-31');
  });

  test('the two calendars, and the day that never was', async () => {
    const style = { styles: styles('yyyy-mm-dd') };
    const at = (v: string, workbook = ''): Promise<unknown> =>
      one(`<c r="A1" s="1"><v>${v}</v></c>`, { ...style, workbook });
    expect([await at('1'), await at('59'), await at('60'), await at('61')]).toEqual([
      '1900-01-01',
      '1900-02-28',
      '1900-02-29',
      '1900-03-01',
    ]);
    const mac = '<workbookPr date1904="1"/>';
    expect([await at('0', mac), await at('1', mac), await at('44884', mac)]).toEqual([
      '1904-01-01',
      '1904-01-02',
      '2026-11-20',
    ]);
  });

  test('half a surrogate pair costs its row, NUL is left to the rules', async () => {
    expect(
      await cellsOf(workbookOf({ rows: HEADER + row(2, text('A2', 'x_xD800_')) + row(3, text('A3', 'nul_x0000_')) })),
    ).toEqual(['encoding-error', ['nul\0', null]]);
  });
});

describe('a sheet', () => {
  test('header, rows by their own numbers, empty cells NULL, the row as JSON', async () => {
    const rows =
      HEADER +
      row(2, '<c r="A2"><v>1</v></c>' + text('B2', 'a"é')) +
      row(3, '<c r="A3" s="1"/>') +
      row(7, text('B7', 'c'));
    const read = await readExcel(workbookOf({ rows }));
    expect(read.names).toEqual(['id', 'name']);
    expect(read.rows.map(({ row: at, line, raw, cells }) => [at, line, raw, cells])).toEqual([
      [1, 2, '{"id":1,"name":"a\\"é"}', ['1', 'a"é']],
      [2, 7, '{"id":null,"name":"c"}', [null, 'c']],
    ]);
  });

  test('by name (in any case), by number; the receipt says which', async () => {
    const book = workbookOf({ rows: HEADER });
    for (const sheet of ['Other & more', 'other & more', 2]) {
      const read = await readExcel(book, { sheet });
      expect([read.names, read.rows.map(({ cells }) => cells)]).toEqual([['second'], [['2']]]);
      expect(read.reader.dialect()).toMatchObject({ format: 'excel', sheet: 'Other & more' });
    }
    expect(await problemOf(book, { sheet: 'Nope' })).toBe(
      'FORMAT_MISMATCH: The workbook has no sheet "Nope"; it has "Data", "Other & more".',
    );
    expect(await problemOf(book, { sheet: 3 })).toMatch(/^FORMAT_MISMATCH: The workbook has no sheet 3;/);
  });

  test('by a regular expression that one name meets', async () => {
    const book = workbookOf({ rows: HEADER });
    for (const sheet of ['/^Other/', '/& MORE$/i'])
      expect((await readExcel(book, { sheet })).reader.dialect()).toMatchObject({ sheet: 'Other & more' });
    expect(await problemOf(book, { sheet: '/^X/' })).toBe(
      'FORMAT_MISMATCH: The workbook has no sheet that /^X/u meets; it has "Data", "Other & more".',
    );
    expect(await problemOf(book, { sheet: '/t/' })).toMatch(/FORMAT_MISMATCH: .* meets several sheets: "Data", "Other/);
    for (const sheet of ['/(/', '/x', '//']) expect(excel.options.safeParse({ sheet }).success).toBe(false);
  });

  test('fill_merged gives merged cells the value of the first, below the header and in rows that are there', async () => {
    const rows =
      row(1, text('A1', 'Title') + text('C1', 'over the table')) +
      row(2, text('A2', 'region') + text('B2', 'id') + text('C2', 'c') + text('D2', 'd')) +
      row(3, text('A3', 'North') + '<c r="B3"><v>1</v></c><c r="C3"><v>5</v></c>') +
      row(4, '<c r="A4" s="0"/><c r="B4"><v>2</v></c>') +
      row(6, '<c r="B6"><v>3</v></c>') +
      row(7, '<c r="B7"><v>4</v></c>');
    const merged = ['A1:B1', 'C1:D2', 'A3:A6', 'C3:D4', 'A9:B9'].map((ref) => `<mergeCell ref="${ref}"/>`).join('');
    const sheet = `<worksheet><sheetData>${rows}</sheetData><mergeCells count="5">${merged}</mergeCells></worksheet>`;
    expect(await cellsOf(workbookOf({ sheet }), { skip_rows: 1, fill_merged: true })).toEqual([
      ['North', '1', '5', '5'],
      ['North', '2', '5', '5'],
      ['North', '3', null, null],
      [null, '4', null, null],
    ]);
    expect((await cellsOf(workbookOf({ sheet }), { skip_rows: 1 }))[1]).toEqual([null, '2', null, null]);
    expect((await cellsOf(workbookOf({ sheet }), { skip_rows: 2, header: false, fill_merged: true }))[1]).toEqual([
      'North',
      '2',
      '5',
      '5',
    ]);
    const twice = workbookOf({ sheet: sheet.replace('A9:B9', 'A3:XFD3') });
    expect(await problemOf(twice, { skip_rows: 1, fill_merged: true })).toMatch(
      /FILE_CORRUPT: .* merges cells of row 3 twice/,
    );
    const wrong = workbookOf({ sheet: sheet.replace('A9:B9', 'B9:A9') });
    expect(await problemOf(wrong, { skip_rows: 1, fill_merged: true })).toMatch(/FILE_CORRUPT: .* merges "B9:A9"/);
  });

  test('skip_rows passes over rows of the sheet, the table may begin in any column', async () => {
    const rows =
      row(1, text('A1', 'Report of May')) +
      row(3, text('C3', 'id') + text('D3', 'name')) +
      row(4, '<c r="C4"><v>1</v></c>' + text('D4', 'a'));
    const read = await readExcel(workbookOf({ rows }), { skip_rows: 2 });
    expect([read.names, read.rows.map(({ cells }) => cells)]).toEqual([['id', 'name'], [['1', 'a']]]);
  });

  test('values beside the table are cells too many, and stand in the record by their place in the sheet', async () => {
    const rows =
      row(1, text('B1', 'id') + text('C1', 'name')) +
      row(2, text('A2', 'left') + '<c r="B2"><v>1</v></c><c r="D2"><v>2</v></c>' + text('AB2', 'far "right"')) +
      row(3, '<c r="D3" t="b"><v>1</v></c>');
    const read = await readExcel(workbookOf({ rows }));
    expect(read.rows.map(({ found, raw }) => [found, raw])).toEqual([
      [5, '{"id":1,"name":null,"A2":"left","D2":2,"AB2":"far \\"right\\""}'],
      [3, '{"id":null,"name":null,"D3":true}'],
    ]);
    expect(JSON.parse(read.rows[0]!.raw)).toMatchObject({ AB2: 'far "right"' });
  });

  test('without header: columns by position; a contract may ask for more than the first row has', async () => {
    const rows = row(1, '<c r="B1"><v>1</v></c>') + row(2, '<c r="A2"><v>2</v></c>');
    expect(await cellsOf(workbookOf({ rows }), { header: false })).toEqual([
      [null, '1'],
      ['2', null],
    ]);
    const contract = ['a', 'b', 'c'].map((name) => plainColumn(name, name, 'text'));
    expect(await cellsOf(workbookOf({ rows }), { header: false }, { contract })).toEqual([
      [null, '1', null],
      ['2', null, null],
    ]);
  });

  test('nulls are texts that mean NULL, errors too', async () => {
    expect(
      await cellsOf(workbookOf({ rows: HEADER + row(2, '<c r="A2" t="e"><v>#N/A</v></c>' + text('B2', 'none')) }), {
        nulls: ['', '#N/A', 'none'],
      }),
    ).toEqual([[null, null]]);
  });

  test('cells and rows without references follow one another; any namespace prefix; attributes in single quotes', async () => {
    const sheet = `<x:worksheet xmlns:x="m"><x:sheetFormatPr/><x:rowBreaks/><x:sheetData><x:row><x:c t='inlineStr'><x:is><x:t>id</x:t></x:is></x:c></x:row><x:row><x:c><x:v>5</x:v></x:c></x:row></x:sheetData></x:worksheet>`;
    const read = await readExcel(workbookOf({ sheet }));
    expect([read.names, read.rows.map(({ cells, line }) => [cells, line])]).toEqual([['id'], [[['5'], 2]]]);
  });

  test('contract: header names meet columns as in CSV; twice one name is HEADER_DUPLICATE', async () => {
    const contract = [plainColumn('name', 'NAME', 'text')];
    const { reader } = await readExcel(
      workbookOf({ rows: HEADER }),
      {},
      { contract: [{ ...contract[0]!, from: ['NAME'] }] },
    );
    expect(reader.layout).toMatchObject({ cellOf: [1], unknown: [0] });
    await expect(
      readExcel(workbookOf({ rows: row(1, text('A1', 'a') + text('B1', 'a')) }), {}, { contract }),
    ).rejects.toMatchObject({ code: 'HEADER_DUPLICATE' });
  });

  test('in batches of any size, closed early', async () => {
    const book = workbookOf({
      rows: HEADER + Array.from({ length: 30 }, (_, i) => row(i + 2, `<c r="A${i + 2}"><v>${i}</v></c>`)).join(''),
    });
    expect(await cellsOf(book, {}, { batchRows: 7 })).toEqual(await cellsOf(book));
    await withFile(book, async (file) => {
      const reader = await openExcel(file, {}, { batchRows: 1 });
      await reader.next();
      await reader.close();
      await reader.close();
      expect(await reader.next()).toBeNull();
    });
  });

  test('of 40,000 rows is read through chunks of its parts', async () => {
    const strings = Array.from({ length: 5_000 }, (_, i) => `<si><t>text ${i} ${'é'.repeat(i % 50)}</t></si>`).join('');
    const rows =
      HEADER +
      Array.from({ length: 40_000 }, (_, i) =>
        row(i + 2, `<c r="A${i + 2}"><v>${i}</v></c><c r="B${i + 2}" t="s"><v>${i % 5_000}</v></c>`),
      ).join('');
    const got = await cellsOf(workbookOf({ rows, strings }));
    expect(got).toHaveLength(40_000);
    expect(got[39_999]).toEqual(['39999', `text 4999 ${'é'.repeat(49)}`]);
  }, 60_000);
});

describe('what is no workbook, or a damaged one', () => {
  test.each<[string, Parameters<typeof workbookOf>[0], RegExp]>([
    ['no workbook part', { leaveOut: ['xl/workbook.xml'] }, /^FORMAT_MISMATCH: The file is no Excel workbook/],
    [
      'no sheet part',
      { leaveOut: ['xl/worksheets/sheet1.xml'] },
      /^FILE_CORRUPT: .* names the sheet "Data", which is not there/,
    ],
    ['an empty sheet', {}, /^HEADER_MISSING: The sheet "Data" has no row with values/],
    ['only empty cells', { rows: row(1, '<c r="A1" s="3"/>') + row(2, '<c r="A2"><v></v></c>') }, /^HEADER_MISSING/],
    [
      'a shared text that is not there',
      { rows: HEADER + row(2, '<c r="A2" t="s"><v>9</v></c>') },
      /^FILE_CORRUPT: .* names a shared text "9"/,
    ],
    [
      'a sheet that is cut off',
      { sheet: `<worksheet><sheetData>${HEADER}<row r="2"><c r="A2"><v>1</v>` },
      /^FILE_CORRUPT: .* is cut off at byte \d+: <v> was the last tag/,
    ],
    ['rows out of order', { rows: HEADER + row(1, '<c r="A1"><v>1</v></c>') }, /^FILE_CORRUPT: .* behind row 1/],
    [
      'cells out of order',
      { rows: HEADER + row(2, '<c r="B2"><v>1</v></c><c r="A2"><v>1</v></c>') },
      /^FILE_CORRUPT: .* out of order/,
    ],
    ['a column behind XFD', { rows: HEADER + row(2, '<c r="XFE2"><v>1</v></c>') }, /^FILE_CORRUPT: .* out of order/],
    [
      'a DTD',
      { sheet: `<!DOCTYPE x [<!ENTITY a "b">]><worksheet><sheetData>${HEADER}</sheetData></worksheet>` },
      /^FILE_CORRUPT: .* DTD/,
    ],
    ['no XML', { sheet: 'hello' }, /^FILE_CORRUPT: .* no XML/],
  ])('%s', async (_name, parts, expected) => {
    expect(await problemOf(workbookOf(parts))).toMatch(expected);
  });

  test('one changed byte of a part: FILE_CORRUPT by its checksum', async () => {
    const book = workbookOf({
      rows:
        HEADER + Array.from({ length: 200 }, (_, i) => row(i + 2, `<c r="A${i + 2}"><v>${i * 7919}</v></c>`)).join(''),
    });
    const name = book.indexOf('xl/worksheets/sheet1.xml');
    for (let at = name + 60; at < name + 300; at += 17) {
      const changed = Buffer.from(book);
      changed[at]! ^= 4;
      expect(await problemOf(changed)).toMatch(/^FILE_CORRUPT: /);
    }
  });

  test('a part that expands past max_expansion: EXPANSION_LIMIT', async () => {
    expect(await problemOf(workbookOf({ sheet: `<worksheet>${' '.repeat(30_000_000)}</worksheet>` }))).toMatch(
      /^EXPANSION_LIMIT/,
    );
  });
});

describe('held against SheetJS', () => {
  const value = fc.oneof(
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e15, max: 1e15 }),
    fc.boolean(),
    fc.string({ unit: 'grapheme', minLength: 1 }).filter((one) => !/[\p{Cc}\p{Cs}\uFFFE\uFFFF]|_x/u.test(one)),
    fc.constant(null),
  );

  test('any values that it writes are read as they were, shared or inline', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(value, { minLength: 3, maxLength: 3 }), { minLength: 1, maxLength: 8 }),
        fc.boolean(),
        async (data, shared) => {
          const sheet: WorkSheet = utils.aoa_to_sheet([['a', 'b', 'c'], ...data]);
          const book = utils.book_new(sheet, 'S');
          const bytes = write(book, { type: 'buffer', bookType: 'xlsx', bookSST: shared, compression: true }) as Buffer;
          const wanted = data
            .filter((one) => one.some((cell) => cell !== null))
            .map((one) =>
              one.map((cell) =>
                cell === null ? null : typeof cell === 'number' ? (Object.is(cell, -0) ? 0 : cell) : String(cell),
              ),
            );
          const got = (await cellsOf(bytes)) as (string | null)[][];
          expect(
            got.map((one, i) => one.map((cell, j) => (typeof wanted[i]?.[j] === 'number' ? Number(cell) : cell))),
          ).toEqual(wanted);
        },
      ),
      { numRuns: 150 },
    );
  }, 60_000);

  test('a format is a date for both', () => {
    for (const code of [
      'General',
      '0',
      '0.00',
      '#,##0',
      '0%',
      '0.00E+00',
      '# ?/?',
      'd/m/yyyy',
      'd-mmm-yy',
      'mmm-yy',
      'h:mm AM/PM',
      'h:mm:ss',
      'm/d/yy h:mm',
      'mm:ss',
      'mm:ss.0',
      '@',
      'yyyy"y"',
      '"day" 0',
      '\\d0',
      '[Red]0',
      '[$-F800]dddd, mmmm dd, yyyy',
      'yyyy/mm/dd;@',
      '_-* #,##0.00_-',
      '0.0" m"',
      '[$€-407]#,##0',
    ]) {
      expect([code, dateFormat(200, code) !== null]).toEqual([code, ssf.is_date(code)]);
    }
  });

  test('a day is the same day for both', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2_958_465 }), fc.boolean(), (day, mac) => {
        // Fractions are not compared: SheetJS cuts the 00:00:01 of the year 4637 to 00:00:00.
        fc.pre(!mac || day < 2_957_003);
        const { y, m, d } = ssf.parse_date_code(day, { date1904: mac }) as Record<'y' | 'm' | 'd', number>;
        const two = (n: number): string => String(n).padStart(2, '0');
        expect(serialText(day, { date: true, time: false }, mac)).toBe(
          `${String(y).padStart(4, '0')}-${two(m)}-${two(d)}`,
        );
      }),
      { numRuns: 300 },
    );
  });

  test('a number is the same double', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (number) => {
        for (const raw of [String(number), number.toPrecision(17), number.toExponential(16).toUpperCase()])
          expect(Object.is(Number(numberText(raw)) + 0, number + 0)).toBe(true);
      }),
    );
    expect([numberText('1,5'), numberText(''), numberText('1e999'), numberText('0x10')]).toEqual([
      null,
      null,
      null,
      null,
    ]);
  });
});
