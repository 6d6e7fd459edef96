import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { exportCsv } from '../../src/quarantine/export/csv.js';
import { harmless } from '../../src/quarantine/export/formula.js';
import { aboutOf, csvRecords, detailOf, fault, pagesOf, quarantined, written } from './support.js';

describe('the csv export', () => {
  test('begins with a byte order mark and ends every line with CRLF', async () => {
    expect(await written(exportCsv, [quarantined('1,x')], aboutOf(['a', 'b']))).toBe(
      '\uFEFFa,b,_row,_reason,_raw\r\n1,x,3,a: type-error: not an integer,"1,x"\r\n',
    );
  });

  test("has the file's columns in the file's order, then _row, _reason and _raw", async () => {
    const about = aboutOf(['Zeta', 'Alpha'], { cells: { alpha: 2, zeta: 1 } });
    expect(await csvRecords([quarantined('z,a')], about)).toEqual([
      ['Zeta', 'Alpha', '_row', '_reason', '_raw'],
      ['z', 'a', '3', 'a: type-error: not an integer', 'z,a'],
    ]);
  });

  test('says every fault of a row, with the names that the file uses', async () => {
    const errors = [fault('customer', 'constraint-error', { rule: 'enum', message: 'not one of X' }), fault('amount')];
    const [, row] = await csvRecords(
      [quarantined('x,y', errors)],
      aboutOf(['Customer Name', 'Amount'], { cells: { customer: 1, amount: 2 } }),
    );
    expect(row?.[3]).toBe('Customer Name: constraint-error (enum): not one of X; Amount: type-error: not an integer');
  });

  test("of an archive begins the reason with the member's name, which cannot become a formula", async () => {
    const rows = [
      quarantined('1', [fault('a'), fault('b')], { member: 'day1.csv' }),
      quarantined('1', [fault('a')], { member: '=1+1.csv' }),
    ];
    expect((await csvRecords(rows, aboutOf(['a']))).slice(1).map((row) => row[2])).toEqual([
      'day1.csv: a: type-error: not an integer; b: type-error: not an integer',
      "'=1+1.csv: a: type-error: not an integer",
    ]);
  });

  test('has the header alone when nothing is in quarantine', async () => {
    expect(await csvRecords([], aboutOf(['a']))).toEqual([['a', '_row', '_reason', '_raw']]);
  });

  test('leaves the cells of a record with a broken quote empty', async () => {
    const [, row] = await csvRecords([quarantined('1,"x', [fault(null, 'quote-error')])], aboutOf(['a', 'b']));
    expect(row).toEqual(['', '', '3', 'quote-error: not an integer', '1,"x']);
  });

  test('leaves the cells of a record that was not kept whole empty', async () => {
    const [, row] = await csvRecords(
      [quarantined('1,x', [fault(null, 'too-long')], { rawLength: 99 })],
      aboutOf(['a', 'b']),
    );
    expect(row?.slice(0, 2)).toEqual(['', '']);
  });

  test('leaves what a short record lacks empty', async () => {
    const [, row] = await csvRecords([quarantined('1', [fault('b', 'missing-cell')])], aboutOf(['a', 'b', 'c']));
    expect(row?.slice(0, 4)).toEqual(['1', '', '', '3']);
  });

  test('keeps the cells past the last column in _raw', async () => {
    const [, row] = await csvRecords([quarantined('1,2,3,4', [fault(null, 'extra-cell')])], aboutOf(['a', 'b']));
    expect(row).toEqual(['1', '2', '3', 'extra-cell: not an integer', '1,2,3,4']);
  });

  test.each([
    ['a delimiter of its own', { delimiter: '||' }, 'x||y,z', ['x', 'y,z']],
    ['a quote of its own', { quote: "'", escape: "'" }, "'x''y',\"z\"", ["x'y", '"z"']],
    ['an escape of its own', { escape: '\\' }, '"x\\"y","\\\\"', ['x"y', '\\']],
    ['no quotes', { quote: null, escape: null }, '"x,y"', ['"x', 'y"']],
    ['a line end in quotes', {}, '"x\r\ny",z', ['x\r\ny', 'z']],
    ['tabs', { delimiter: '\t' }, 'x\ty', ['x', 'y']],
  ])('takes records apart as the file was read: %s', async (_, dialect, raw, cells) => {
    const [, row] = await csvRecords([quarantined(raw)], aboutOf(['a', 'b'], dialect));
    expect(row?.slice(0, 2)).toEqual(cells);
  });

  test("heads the columns of a file without header with the contract's names", async () => {
    const [header] = await csvRecords(
      [],
      aboutOf(['column_1', 'column_2', 'column_3'], { header: false, cells: { id: 3, name: 1 } }),
    );
    expect(header?.slice(0, 3)).toEqual(['name', 'column_2', 'id']);
  });

  test.each([
    ['another format', { format: 'other' }],
    ['a receipt that tells no columns', { columns: undefined }],
    ['a receipt that tells nonsense', { delimiter: 7 }],
    ['columns that are no list of names', { columns: ['a', 1] }],
  ])('has only the record for %s', async (_, dialect) => {
    expect(await csvRecords([quarantined('1,x')], aboutOf(['a', 'b'], dialect))).toEqual([
      ['_row', '_reason', '_raw'],
      ['3', 'a: type-error: not an integer', '1,x'],
    ]);
  });

  test('makes bytes that are no text visible', async () => {
    const [, row] = await csvRecords([quarantined(Buffer.from([0x78, 0xff, 0x2c, 0x00]))], aboutOf(['a', 'b']));
    expect(row).toEqual(['x\\xFF', '\\x00', '3', 'a: type-error: not an integer', 'x\\xFF,\\x00']);
  });

  test('asks for a page only when the one before is written', async () => {
    let asked = 0;
    async function* endless(): AsyncGenerator<ReturnType<typeof quarantined>[]> {
      for (;;) {
        asked++;
        yield await Promise.resolve([quarantined('1,x')]);
      }
    }
    const pieces = exportCsv(detailOf(), endless(), aboutOf(['a', 'b']))[Symbol.asyncIterator]();
    for (let i = 0; i < 3; i++) await pieces.next();
    expect(asked).toBe(2);
    await pieces.return?.();
  });

  test('hands on a page of large records in pieces', async () => {
    const page = Array.from({ length: 100 }, () => quarantined('x'.repeat(10_000)));
    let longest = 0;
    for await (const piece of exportCsv(detailOf(), pagesOf(page, 100), aboutOf(['a'])))
      longest = Math.max(longest, piece.length);
    expect(longest).toBeLessThan(100_000);
  });

  test('is read back by csv-parse, cell for cell, whatever the cells hold', async () => {
    const cell = fc.string({
      unit: fc.constantFrom('a', '1', '"', ',', ';', '\n', '\r', ' ', "'", '=', '-', '＝', 'é', '😀'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(cell, { minLength: 2, maxLength: 6 }), async (cells) => {
        const raw = cells.map((text) => `"${text.replaceAll('"', '""')}"`).join(',');
        const [header, row] = await csvRecords([quarantined(raw)], aboutOf(cells));
        expect(header).toEqual([...cells.map(harmless), '_row', '_reason', '_raw']);
        expect(row?.slice(0, cells.length)).toEqual(cells.map(harmless));
        expect(row?.at(-1)).toBe(harmless(raw));
      }),
      { numRuns: 300 },
    );
  });
});

describe('what a spreadsheet could run', () => {
  test.each([
    '=1+1',
    '=HYPERLINK("http://evil.example","click")',
    "=cmd|' /C calc'!A0",
    '+1+1',
    "+cmd|' /C calc'!A0",
    '-1+1',
    "-2+3+cmd|' /C calc'!A0",
    '-1-1',
    '-A1',
    '@SUM(1+1)*cmd',
    '\t=1+1',
    '\r=1+1',
    '\n=1+1',
    '\ttext',
    '＝1+1',
    '＋1+1',
    '－1+1',
    '＠SUM(A1)',
    '  =1+1',
    '\u00a0=1+1',
    '\u200b=1+1',
    '\uFEFF=1+1',
    '-',
    '+',
    '--1',
    '+-1',
    '-1e5+1',
    '-1%',
    '-1 000',
    '-1:2',
    '-1\n=2',
    '- 1 =2',
    '+49 170 1234',
  ])('gets a leading quote: %j', async (text) => {
    const raw = `"${text.replaceAll('"', '""')}",x`;
    const [, row] = await csvRecords([quarantined(raw)], aboutOf(['a', 'b']));
    expect(row?.[0]).toBe(`'${text}`);
  });

  test.each([
    '-12.50',
    '+3',
    '-1',
    '+49170123456',
    '-0.5',
    '-.5',
    '-1.234,50',
    '-1,234.50',
    '-1e5',
    '+1.5E-7',
    ' -5 ',
    '- 5',
    '12',
    '1+1',
    'a=1',
    'x@y.example',
    '',
    "'=1",
  ])('leaves as it is what it could not run: %j', (text) => {
    expect(harmless(text)).toBe(text);
  });

  test('is made harmless in headers too', async () => {
    const [header] = await csvRecords([], aboutOf(['=1+1', '@b']));
    expect(header?.slice(0, 2)).toEqual(["'=1+1", "'@b"]);
  });

  test('is made harmless in reasons and raw records too', async () => {
    const [, row] = await csvRecords([quarantined('=1,x', [fault('=evil', 'type-error')])], aboutOf(['a', 'b']));
    expect(row?.slice(3)).toEqual(["'=evil: type-error: not an integer", "'=1,x"]);
  });

  test('never begins a cell, whatever the record holds', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: fc.constantFrom('=', '+', '-', '@', '\t', '\r', '\n', '＝', '1', '.', ' ', 'a') }), {
          minLength: 1,
          maxLength: 4,
        }),
        async (cells) => {
          const raw = cells.map((text) => `"${text}"`).join(',');
          const [, row] = await csvRecords([quarantined(raw)], aboutOf(cells.map((_, i) => `c${i}`)));
          for (const cell of row ?? []) expect(/^[\t\r\n]|^\s*[=@＝]|^\s*[+-].*[^\d.,\s]/s.test(cell)).toBe(false);
        },
      ),
      { numRuns: 300 },
    );
  });
});
