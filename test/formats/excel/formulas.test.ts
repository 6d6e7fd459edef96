import { describe, expect, test } from 'vitest';
import { plainColumn } from '../../../src/columns/plain-column.js';
import { readExcel, workbookOf } from './helpers.js';

const text = (reference: string, value: string): string =>
  `<c r="${reference}" t="inlineStr"><is><t>${value}</t></is></c>`;
const HEADER = `<row r="1">${text('A1', 'item')}${text('B1', 'total')}</row>`;
const bookOf = (second: string, workbook = ''): Buffer =>
  workbookOf({ rows: `${HEADER}<row r="2">${text('A2', 'x')}${second}</row>`, workbook });

describe('a formula', () => {
  test.each<[string, string]>([
    ['without a value', '<c r="B2"><f>1+1</f></c>'],
    ['with an empty one (openpyxl)', '<c r="B2"><f>1+1</f><v /></c>'],
    ['of a text, without a value', '<c r="B2" t="str"><f>"a"</f></c>'],
    ['of a shared formula', '<c r="B2"><f t="shared" si="0"/><v></v></c>'],
    ['of a date', '<c r="B2" s="0"><f>TODAY()</f></c>'],
  ])('that nobody computed is no empty cell: %s', async (_name, cell) => {
    const { rows } = await readExcel(bookOf(cell));
    expect(rows).toMatchObject([
      {
        line: 2,
        raw: '{"item":"x","total":null}',
        fault: 'missing-cell',
      },
    ]);
  });

  test('whose value is the empty text is empty', async () => {
    const { rows } = await readExcel(bookOf('<c r="B2" t="str"><f>""</f><v></v></c>'));
    expect(rows.map(({ cells }) => cells)).toEqual([['x', null]]);
  });

  test('that nobody computed harms no row when nobody wants its column', async () => {
    const contract = [plainColumn('item', 'item', 'text')];
    const { rows } = await readExcel(bookOf('<c r="B2"><f>1+1</f></c>'), {}, { contract });
    expect(rows.map(({ cells }) => cells)).toEqual([['x', null]]);
  });

  test('in a workbook that asks to be computed when it is opened: its value is taken, and drift says so', async () => {
    const { reader, rows } = await readExcel(
      bookOf('<c r="B2"><f>1+1</f><v>0</v></c>', '<calcPr calcId="124519" fullCalcOnLoad="1"/>'),
    );
    expect(rows.map(({ cells }) => cells)).toEqual([['x', '0']]);
    expect(reader.layout.drift).toMatchObject([
      {
        kind: 'dialect',
        message: expect.stringMatching(/asks that its formulas be computed .*: 1 of its values/) as unknown,
      },
    ]);
    const without = await readExcel(bookOf('<c r="B2"><v>0</v></c>', '<calcPr fullCalcOnLoad="1"/>'));
    expect(without.reader.layout.drift).toEqual([]);
  });
});
