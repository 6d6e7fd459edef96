import { describe, expect, test } from 'vitest';
import { NEVER_CLOSED, TEXT_BEHIND_QUOTE, WRONG_COUNT } from '../../../src/formats/csv/scanner.js';
import { cells, column, openText, read } from './helpers.js';
import { readAll } from '../../contract/format-suite.js';

describe('records', () => {
  test('end at LF, CRLF and CR, in any mixture', async () => {
    expect(await cells('a,b\n1,2\r\n3,4\r5,6')).toEqual([
      ['1', '2'],
      ['3', '4'],
      ['5', '6'],
    ]);
  });

  test('need no line end at the end of the file', async () => {
    expect(await cells('a,b\n1,')).toEqual([['1', null]]);
  });

  test('are not made of blank lines, which count as lines', async () => {
    expect((await read('\n\r\na\n\n\n1\r\r2\n')).map((row) => [row.line, row.raw])).toEqual([
      [6, '1'],
      [8, '2'],
    ]);
  });

  test('of blanks alone are records', async () => {
    expect(await cells('a\n \n')).toEqual([[' ']]);
  });

  test('keep byte offsets from the first byte of the stream, mark and skipped lines included', async () => {
    const text = '\uFEFFtitle\nä\nx\ny\n';
    expect((await read(text, { skip_lines: 1 })).map((row) => row.offset)).toEqual([
      Buffer.byteLength('\uFEFFtitle\nä\n'),
      Buffer.byteLength('\uFEFFtitle\nä\nx\n'),
    ]);
  });

  test('that consist of \\. are data', async () => {
    expect(await cells('a\n1\n\\.\n2\n')).toEqual([['1'], ['\\.'], ['2']]);
  });

  test('with fewer cells than columns show which are missing', async () => {
    expect(await read('a,b,c\n1\n')).toMatchObject([{ cells: ['1'] }]);
  });

  test('with fewer cells get NULL for the rest under short_rows: fill_null', async () => {
    expect(await read('a,b,c\n1\n', { short_rows: 'fill_null' })).toMatchObject([{ cells: ['1', null, null] }]);
  });

  test('with filled cells past the last column say how many', async () => {
    expect(await read('a,b\n1,2,,4\n')).toMatchObject([{ cells: ['1', '2'], found: 4 }]);
  });

  test('with empty cells past the last column are whole, told once as drift', async () => {
    const reader = await openText('a,b\n1,2,,""\n3,4,\n');
    expect((await readAll(reader)).map((row) => [row.cells, row.found])).toEqual([
      [['1', '2'], undefined],
      [['3', '4'], undefined],
    ]);
    expect(reader.layout.drift).toMatchObject([{ kind: 'ignored', column: 'column_3' }]);
  });
});

describe('skip_lines and comments', () => {
  test('skip_lines passes over physical lines, quotes in them are not seen, blank ones count', async () => {
    expect(await cells('"x\n\ra\n1\n', { skip_lines: 3 })).toEqual([]);
    expect(await cells('"x\r\n\ny"\ra\n1\n', { skip_lines: 3 })).toEqual([['1']]);
  });

  test('a comment stands at the start of a record, before the header too', async () => {
    expect(await cells('# by "us\na,b\n#1,2\n3,#4\n "#",5\n', { comment: '#' })).toEqual([
      ['3', '#4'],
      [' "#"', '5'],
    ]);
  });

  test('a comment of several characters is told from its first one', async () => {
    expect(await cells('a\n//x\n/y\n/', { comment: '//' })).toEqual([['/y'], ['/']]);
  });

  test('a comment longer than everything else costs no memory and no record', async () => {
    const rows = await read(
      Buffer.concat([Buffer.from('a\n#'), Buffer.alloc(3_000_000, 'x'), Buffer.from('\r\n1\n')]),
      { comment: '#' },
      { chunks: [64_000] },
    );
    expect(rows).toMatchObject([{ cells: ['1'], line: 3, offset: 3_000_005 }]);
  });

  test('without comment, # is data', async () => {
    expect(await cells('a\n#1\n')).toEqual([['#1']]);
  });
});

describe('quotes', () => {
  test('hold delimiters, line ends and doubled quotes; lines are counted physically', async () => {
    const rows = await read('a,b\r\n"1,2","x\r\ny\rz\n"\n3,"""4"" "\n');
    expect(rows.map((row) => [row.line, row.cells])).toEqual([
      [2, ['1,2', 'x\r\ny\rz\n']],
      [6, ['3', '"4" ']],
    ]);
  });

  test('inside an unquoted cell are ordinary characters, also after leading blanks', async () => {
    expect(await cells('a,b\n1"2",x"\n "3",4\n')).toEqual([
      ['1"2"', 'x"'],
      [' "3"', '4'],
    ]);
  });

  test('null: there is no quoting', async () => {
    expect(await cells('a,b\n"1,2"\n', { quote: null })).toEqual([['"1', '2"']]);
  });

  test('of another sign leave the usual one alone', async () => {
    expect(await cells("a,b\n'1,2','it''s'\n\"3,4\"\n", { quote: "'" })).toEqual([
      ['1,2', "it's"],
      ['"3', '4"'],
    ]);
  });

  test('of several bytes may be doubled too', async () => {
    expect(await cells('a,b\n``1,2``,````\n``x````y``,“z”\n', { quote: '``' })).toEqual([
      ['1,2', ''],
      ['x``y', '“z”'],
    ]);
    expect(await cells('a,b\n“1,2“,“““\n3“,4\n“x““y“,z\n', { quote: '“' })).toEqual([
      'quote-error',
      ['3“', '4'],
      ['x“y', 'z'],
    ]);
  });

  test('an escape other than the quote works inside quotes only and makes the next character literal', async () => {
    expect(await cells('a,b\n"1\\"2","\\\\"\n"\\x\\\\n",\\"3\n"","4"\n', { escape: '\\' })).toEqual([
      ['1"2', '\\'],
      ['x\\n', '\\"3'],
      ['', '4'],
    ]);
  });

  test('escape: null means that the first quote closes', async () => {
    expect(await cells('a,b\n"1","2"\n"3""4",5\n', { escape: null })).toEqual([['1', '2'], 'quote-error']);
  });

  test('text behind a closing quote costs the line', async () => {
    expect(await read('a,b\n1,"2" \n3,4\n')).toMatchObject([
      { fault: 'quote-error', message: TEXT_BEHIND_QUOTE, raw: '1,"2" ', line: 2 },
      { cells: ['3', '4'], line: 3 },
    ]);
  });

  test('that never close cost one line', async () => {
    expect(await read('a,b\n1,"2\r\n3,4\n5,6')).toMatchObject([
      { fault: 'quote-error', message: NEVER_CLOSED, raw: '1,"2', rawLength: null, line: 2, offset: 4 },
      { cells: ['3', '4'], line: 3, offset: 10 },
      { cells: ['5', '6'], line: 4, offset: 14 },
    ]);
  });

  test('that stay open for max_record cost one line', async () => {
    const rows = await read('a,b\n1,"2\n3,4\n5,6\n7",8\n', { max_record: 10 });
    expect(rows.map((row) => row.fault ?? row.cells)).toEqual(['quote-error', ['3', '4'], ['5', '6'], ['7"', '8']]);
    expect(rows[0]!.message).toContain('10B (format.max_record)');
  });

  test('that join lines to a record with the wrong number of cells cost the first line', async () => {
    const rows = await read('a,b,c\n1,"2\n3,4,5\n6",7,8,9\n"x\ny",z\n');
    expect(rows.map((row) => row.fault ?? row.cells)).toEqual([
      'quote-error',
      ['3', '4', '5'],
      ['6"', '7', '8'],
      'quote-error',
      ['y"', 'z'],
    ]);
    expect(rows[0]!.message).toBe(WRONG_COUNT);
  });

  test('that join lines to a short record cost the first line also under fill_null: padding would hide the lines that were swallowed', async () => {
    expect(await cells('a,b,c\n1,"2\n3,4,5\n6"\n', { short_rows: 'fill_null' })).toEqual([
      'quote-error',
      ['3', '4', '5'],
      ['6"', null, null],
    ]);
  });

  test('that join lines to a record with only empty cells too many are fine', async () => {
    expect(await cells('a,b\n1,"2\n3",,\n')).toEqual([['1', '2\n3']]);
  });

  test('alone on every line cost each second line', async () => {
    expect(await cells('a\n"\n"\n"\n')).toEqual([['\n'], 'quote-error']);
  });
});

describe('delimiters', () => {
  test('may be several characters', async () => {
    expect(await cells('a||b|c||d\n1|||2||"x||y"\n||\n', { delimiter: '||' })).toEqual([
      ['1', '|2', 'x||y'],
      [null, null],
    ]);
  });

  test('may be one character of several bytes', async () => {
    expect(await cells('a¬b\n1¬é\n', { delimiter: '¬' })).toEqual([['1', 'é']]);
  });
});

describe('nulls', () => {
  test('by default an empty cell is NULL and a quoted empty cell is not', async () => {
    expect(await cells('a,b\n,""\n')).toEqual([[null, '']]);
  });

  test('are raw cells, case-sensitive, unquoted', async () => {
    expect(await cells('a,b,c,d,e\n\\N,NULL,null,"NULL",\n', { nulls: ['\\N', 'NULL'] })).toEqual([
      [null, null, 'null', 'NULL', ''],
    ]);
  });

  test('nulls_quoted: also quoted, compared before unescaping', async () => {
    expect(await cells('a,b,c\n"NA","",""""\n', { nulls: ['NA', ''], nulls_quoted: true })).toEqual([
      [null, null, '"'],
    ]);
    expect(await cells('a\n"x""y"\n', { nulls: ['x""y'], nulls_quoted: true })).toEqual([[null]]);
    expect(await cells('a\n"x""y"\n', { nulls: ['x"y'], nulls_quoted: true })).toEqual([['x"y']]);
  });

  test('of 32 characters and more are told from cells of other lengths', async () => {
    const word = 'n'.repeat(32);
    expect(await cells(`a,b\n${word},\n`, { nulls: [word] })).toEqual([[null, '']]);
  });
});

describe('the dialect of a file', () => {
  test.each([
    ['a\n1\n', 'lf'],
    ['a\r\n1\r\n', 'crlf'],
    ['a\r1\r', 'cr'],
    ['a\r\n1\n', 'mixed'],
    ['a', null],
    ['a\n"x\r\ny"\n', 'lf'],
  ])('tells the line ends of %j', async (text, ends) => {
    const reader = await openText(text);
    await readAll(reader);
    expect(reader.dialect()).toEqual({
      format: 'csv',
      encoding: 'utf-8',
      delimiter: ',',
      quote: '"',
      escape: '"',
      header: true,
      line_ends: ends,
      bom: false,
      columns: ['a'],
    });
  });

  test('tells the names as they stand in the file, and which cell each column of the contract takes', async () => {
    const reader = await openText(
      'Amount,Id\n',
      {},
      { contract: [column('id', ['Id']), column('note'), column('amount', ['Amount'])] },
    );
    expect(reader.dialect()).toMatchObject({ columns: ['Amount', 'Id'], cells: { id: 2, amount: 1 } });
  });

  test('calls columns by number when there is no header', async () => {
    expect((await openText('1,2\n', { header: false })).dialect()).toMatchObject({
      header: false,
      columns: ['column_1', 'column_2'],
    });
  });

  test('tells a byte order mark', async () => {
    expect((await openText('\uFEFFa\n')).dialect()).toMatchObject({ bom: true });
  });
});
