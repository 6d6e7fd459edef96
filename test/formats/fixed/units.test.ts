import { describe, expect, test } from 'vitest';
import { fixed } from '../../../src/formats/fixed/index.js';
import { fixedSplitter } from '../../../src/formats/fixed/split-record.js';
import { cells, openText, read } from './helpers.js';

const TWO = 'name:1-4,n:5-2';
/** Windows and chunks of one byte too. */
const SETTINGS = [{}, { window: 1, chunks: [1], batchRows: 1 }, { chunks: [3, 5] }] as const;

describe('unit: bytes', () => {
  test.each([
    [
      'utf-8',
      'éà12\naé 34\nabcd56\n',
      [
        ['éà', '12'],
        ['aé', '34'],
        ['abcd', '56'],
      ],
    ],
    [
      'shift_jis',
      '日本12\nｱﾞab34\nabcd56\n',
      [
        ['日本', '12'],
        ['ｱﾞab', '34'],
        ['abcd', '56'],
      ],
    ],
    [
      'euc-jp',
      '日本12\nｱab34\n',
      [
        ['日本', '12'],
        ['ｱab', '34'],
      ],
    ],
    [
      'gb18030',
      '汉字12\n😀34\n',
      [
        ['汉字', '12'],
        ['😀', '34'],
      ],
    ],
    ['windows-1252', 'é€ab12\n', [['é€ab', '12']]],
    ['utf-16le', 'éa1\n', [['éa', '1']]],
  ])('counts those of the file in %s', async (encoding, text, wanted) => {
    for (const setting of SETTINGS)
      expect(await cells(text, TWO, { unit: 'bytes', encoding, short_rows: 'fill_null' }, setting)).toEqual(wanted);
  });

  test('a character across the edge of a column costs its row', async () => {
    expect(await cells('abcé1\nabcd12\n', TWO, { unit: 'bytes' })).toEqual(['encoding-error', ['abcd', '12']]);
    expect(await cells('abc日1\n', TWO, { unit: 'bytes', encoding: 'shift_jis' })).toEqual(['encoding-error']);
  });

  test('is told, so that a refused record can be taken apart later', async () => {
    const reader = await openText('日本12\n', TWO, { unit: 'bytes', encoding: 'shift_jis' });
    const split = fixedSplitter(reader.dialect(), ['name', 'n']);
    expect(split?.(Buffer.from('日本12'))?.cells.map(String)).toEqual(['日本', '12']);
  });
});

describe('record_length: records without line ends', () => {
  test.each([
    ['characters', 'utf-8', 'é€😀x12日本語a34', ['é€😀x', '12'], ['日本語a', '34']],
    ['bytes', 'utf-8', 'éà12€a34', ['éà', '12'], ['€a', '34']],
    ['bytes', 'shift_jis', '日本12ｱﾞab34', ['日本', '12'], ['ｱﾞab', '34']],
  ])('%s of %s', async (unit, encoding, text, ...wanted) => {
    for (const setting of SETTINGS)
      expect(await cells(text, TWO, { unit, encoding, record_length: 6 }, setting)).toEqual(wanted);
  });

  test('places are those in the file, records count as lines', async () => {
    for (const setting of SETTINGS)
      expect(
        (await read('a   1 b   2 c   3 ', TWO, { record_length: 6 }, setting)).map(({ row, line, offset, raw }) => ({
          row,
          line,
          offset,
          raw,
        })),
      ).toEqual([
        { row: 1, line: 1, offset: 0, raw: 'a   1 ' },
        { row: 2, line: 2, offset: 6, raw: 'b   2 ' },
        { row: 3, line: 3, offset: 12, raw: 'c   3 ' },
      ]);
  });

  test('a last record that is cut lacks what is not there; line ends between records are passed over', async () => {
    expect(await cells('a   1 \r\nb   2 \nc  ', TWO, { record_length: 6 })).toEqual([['a', '1'], ['b', '2'], []]);
  });

  test('a character across the end of a record: the file is rejected, for all that follows would be shifted', async () => {
    await expect(read('abc日1', TWO, { unit: 'bytes', encoding: 'shift_jis', record_length: 4 })).rejects.toMatchObject(
      {
        code: 'FILE_CORRUPT',
      },
    );
  });

  test.each([
    [{ record_length: 6, header: true }, 'header'],
    [{ record_length: 6, skip_lines: 1 }, 'skip_lines'],
    [{ record_length: 6, comment: '#' }, 'comment'],
    [{ record_length: 0 }, 'record_length'],
    [{ unit: 'bytes', encoding: 'auto' }, 'unit'],
  ])('%j is refused', (options, key) => {
    expect(fixed.options.safeParse(options).error?.issues[0]?.path).toEqual([key]);
  });
});
