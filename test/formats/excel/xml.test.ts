import { describe, expect, test } from 'vitest';
import { zipOf } from '../../decode/support.js';
import { cellsOf, problemOf, readExcel, workbookOf } from './helpers.js';

const MAIN = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main';
const ID =
  '<row r="1"><c r="A1" t="inlineStr"><is><t>id</t></is></c><c r="B1" t="inlineStr"><is><t>b</t></is></c></row>';
const sheetOf = (rows: string, decl = ''): string =>
  `${decl}<worksheet xmlns="${MAIN}"><sheetData>${ID}${rows}</sheetData></worksheet>`;
const second = (cells: string): string => `<row r="2">${cells}</row>`;

describe('XML that says the same', () => {
  const shared = (strings: string): Promise<unknown[]> =>
    cellsOf(
      workbookOf({
        rows: ID + second('<c r="A2" t="s"><v>0</v></c><c r="B2" t="s"><v>1</v></c>'),
        strings,
      }),
    );

  test.each<[string, string, readonly (string | null)[]]>([
    ['an empty text takes nothing of its neighbour', '<si><t/></si><si><t>b</t></si>', [null, 'b']],
    ['an empty run', '<si><r><t/></r><r><t>a</t></r></si><si><t >b</t ></si>', ['a', 'b']],
    ['a text in a comment is none', '<!-- <si><t>x</t></si> --><si><t>a<!-- x -->b</t></si><si/>', ['ab', null]],
    [
      'CDATA is text, tags in it too',
      '<si><t>a<![CDATA[</t></si><si><t>x]]></t></si><si><t>b</t></si>',
      ['a</t></si><si><t>x', 'b'],
    ],
    [
      'entities are taken once',
      '<si><t>&amp;lt;&#38;amp;</t></si><si><t><![CDATA[&amp;]]></t></si>',
      ['&lt;&amp;', '&amp;'],
    ],
    ['processing instructions', '<?a <si>?><si><t>a<?b ?>c</t></si><si><t>b</t></si>', ['ac', 'b']],
    [
      'elements of others',
      '<o:si xmlns:o="urn:o"><o:t>x</o:t></o:si><si><t>a</t><o:t xmlns:o="urn:o">x</o:t></si><si><t>b</t></si>',
      ['a', 'b'],
    ],
  ])('%s', async (_name, strings, expected) => {
    expect(await shared(strings)).toEqual([expected]);
  });

  test.each<[string, string]>([
    ['a > in an attribute', `<c r='A2' x=">"><v>1</v></c><c r="B2"><v>2</v></c>`],
    ['single quotes, blanks, another order', `<c  s = '0'\n t\t=\r\n'n' r='A2' ><v >1</v ></c ><c r="B2"><v>2</v></c>`],
    ['references in attributes', '<c r="&#x41;2"><v>1</v></c><c r="B&#50;" t="&#110;"><v>2</v></c>'],
    [
      'a cell in a comment, before and in cells',
      '<!-- <c r="A2"><v>9</v></c> --><c r="A2"><!-- <v>9</v> --><v>1</v></c><c r="B2"><v><!-- 9 -->2</v></c>',
    ],
    ['a value in pieces', '<c r="A2"><v><![CDATA[1]]></v></c><c r="B2"><v>&#50;</v></c>'],
    ['a formula with tags in it', '<c r="A2"><f><![CDATA[</f><v>9</v>]]></f><v>1</v></c><c r="B2"><v>2</v></c>'],
    [
      'an extension with cells',
      '<c r="A2"><v>1</v><extLst><ext><c r="A2"><v>9</v></c></ext></extLst></c><c r="B2"><v>2</v></c>',
    ],
    ['another prefix half-way', `<c r="A2"><v>1</v></c><m:c xmlns:m="${MAIN}" r="B2"><m:v>2</m:v></m:c>`],
  ])('%s', async (_name, cells) => {
    expect(await cellsOf(workbookOf({ rows: ID + second(cells) }))).toEqual([['1', '2']]);
  });

  test('in UTF-16 of both orders, in UTF-8 with its mark; and each row begins at its byte', async () => {
    const cells = '<c r="A2" t="inlineStr"><is><t>é😀</t></is></c>';
    const xml = sheetOf(
      second(cells) + second(cells).replaceAll('2"', '3"'),
      '<?xml version="1.0" encoding="UTF-16"?>',
    );
    const little = Buffer.from(`\uFEFF${xml}`, 'utf16le');
    const small = Buffer.from(`\uFEFF${xml.replace('16', '8')}`);
    for (const sheet of [little, Buffer.from(little).swap16(), small]) {
      const { rows } = await readExcel(withSheet(sheet));
      expect(rows.map((one) => one.cells)).toEqual([
        ['é😀', null],
        ['é😀', null],
      ]);
      const row = Buffer.from('<row r="3"', sheet === small ? 'utf8' : 'utf16le');
      const at = sheet[0] === 0xfe ? Buffer.from(sheet).swap16().indexOf(row) : sheet.indexOf(row);
      expect(rows[1]!.offset).toBe(at);
    }
  });

  test('a strict workbook (ISO 29500) has other namespaces', async () => {
    const sheet = sheetOf(second('<c r="A2"><v>1</v></c>')).replace(
      MAIN,
      'http://purl.oclc.org/ooxml/spreadsheetml/main',
    );
    expect(await cellsOf(workbookOf({ sheet }))).toEqual([['1', null]]);
  });

  test('formats of conditional styles are not those of cells', async () => {
    const styles =
      '<numFmts><numFmt numFmtId="164" formatCode="0.00"/></numFmts><cellXfs><xf/><xf numFmtId="164"/></cellXfs><dxfs><dxf><numFmt numFmtId="164" formatCode="yyyy-mm-dd"/></dxf></dxfs>';
    expect(await cellsOf(workbookOf({ rows: ID + second('<c r="A2" s="1"><v>46346</v></c>'), styles }))).toEqual([
      ['46346', null],
    ]);
  });
});

describe('XML that says nothing certain is refused', () => {
  test.each<[string, string, RegExp]>([
    ['a cell with two values', '<c r="A2"><v>1</v><v>2</v></c>', /row 2, column 1, that has two values/],
    ['an inline text of a number', '<c r="A2"><is><t>1</t></is></c>', /has an inline text and the type "n"/],
    ['a text and a value', '<c r="A2" t="inlineStr"><is><t>1</t></is><v>2</v></c>', /has a text and a value/],
    ['a cell of another row', '<c r="A3"><v>1</v></c>', /a cell "A3" out of order in row 2/],
    ['an unknown type', '<c r="A2" t="x"><v>1</v></c>', /has an unknown type "x"/],
    ['a boolean that is none', '<c r="A2" t="b"><v>2</v></c>', /is true or false, and says "2"/],
    ['a style that is not there', '<c r="A2" s="7"><v>1</v></c>', /names a style "7" that is not there/],
    ['a shared text by no number', '<c r="A2" t="s"><v>0x0</v></c>', /names a shared text "0x0"/],
    ['text between cells', 'x<c r="A2"><v>1</v></c>', /has text where none may be: "x"/],
    ['an element in a value', '<c r="A2"><v>1<b/>2</v></c>', /has a <b> in an element that holds text/],
    [
      'contents to choose from',
      '<mc:AlternateContent xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"><mc:Choice><c r="A2"><v>1</v></c></mc:Choice></mc:AlternateContent>',
      /one of several contents/,
    ],
    ['an entity of its own', '<c r="A2"><v>&e;</v></c>', /is no XML that can be read .* undefined entity/],
    ['an undeclared prefix', '<o:x/>', /the prefix "o" is not declared/],
    ['an attribute twice', '<c r="A2" r="A2"><v>1</v></c>', /duplicate attribute/],
    [
      'thousands of attributes',
      `<c ${Array.from({ length: 1_001 }, (_, i) => `a${i}="1"`).join(' ')}/>`,
      /more than 1000 attributes/,
    ],
    ['elements without end in each other', '<x>'.repeat(300), /elements in more than 200 others/],
  ])('%s', async (_name, cells, expected) => {
    expect(await problemOf(workbookOf({ rows: ID + second(cells) }))).toMatch(/^FILE_CORRUPT: /);
    expect(await problemOf(workbookOf({ rows: ID + second(cells) }))).toMatch(expected);
  });

  test('damage behind the last row', async () => {
    const whole = sheetOf(second('<c r="A2"><v>1</v></c>'));
    for (const end of ['</worksheet>', '</sheetData></worksheet>'])
      expect(await problemOf(withSheet(Buffer.from(whole.replace(end, ''))))).toMatch(/^FILE_CORRUPT: .* is cut off/);
    expect(await problemOf(withSheet(Buffer.from(`${whole}<row/>`)))).toMatch(/^FILE_CORRUPT: /);
  });

  test('other encodings, half characters, another root', async () => {
    const said = sheetOf('', '<?xml version="1.0" encoding="windows-1252"?>');
    expect(await problemOf(withSheet(Buffer.from(said)))).toMatch(/said to be in the encoding "windows-1252"/);
    expect(await problemOf(withSheet(Buffer.from(sheetOf(second('é')), 'latin1')))).toMatch(/is not valid UTF-8/);
    expect(await problemOf(withSheet(Buffer.from('\uFEFF<a>\uD800</a>', 'utf16le')))).toMatch(/is not valid UTF-16/);
    expect(await problemOf(withSheet(Buffer.from('<chartsheet/>')))).toMatch(
      /begins with <chartsheet>, not with <worksheet>/,
    );
  });

  test('a comment that does not end is bounded, as is a row', async () => {
    const sheet = Buffer.from(sheetOf(`<!-- ${'x'.repeat(34 * 2 ** 20)} -->`));
    expect(await problemOf(withSheet(sheet, true))).toMatch(/an element or text of more than 33554432 characters/);
  }, 120_000);

  test('two parts of one name', async () => {
    const parts = [
      { name: 'xl/workbook.xml', content: '<a/>' },
      { name: 'XL/workbook.xml', content: '<b/>' },
    ];
    expect(await problemOf(zipOf(parts))).toMatch(/^FILE_CORRUPT: .* "xl\/workbook.xml" twice/);
  });
});

/** `stored`: not compressed, so that it is no bomb. */
function withSheet(sheet: Buffer, stored = false): Buffer {
  const types = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
  return zipOf([
    {
      name: 'xl/workbook.xml',
      content: `<workbook xmlns="${MAIN}" xmlns:r="${types}"><sheets><sheet name="Data" r:id="r1"/></sheets></workbook>`,
    },
    {
      name: 'xl/_rels/workbook.xml.rels',
      content: `<Relationships><Relationship Id="r1" Type="${types}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`,
    },
    { name: 'xl/worksheets/sheet1.xml', content: sheet, stored },
  ]);
}
