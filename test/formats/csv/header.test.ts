import { describe, expect, test } from 'vitest';
import { cells, column, openText, read } from './helpers.js';

const names = async (
  text: string | Buffer,
  options = {},
  contract?: Parameters<typeof openText>[2],
): Promise<readonly string[]> => (await openText(text, options, contract)).layout.fileColumns.map((c) => c.name);

describe('a header', () => {
  test('is read without quotes, escapes and byte order mark, in any chunks', async () => {
    for (const chunks of [[1], [2], [100]]) {
      expect(await names('\uFEFF"a, b","c ""d""",é\n', {}, { chunks })).toEqual(['a, b', 'c "d"', 'é']);
    }
  });

  test('may have names on several lines', async () => {
    expect(await cells('"a\nb",c\n1,2\n')).toEqual([['1', '2']]);
  });

  test('alone makes a file of no records that is not empty', async () => {
    const reader = await openText('a,b\n');
    expect(reader.empty).toBe(false);
    expect(await reader.next()).toBeNull();
  });

  test('loses an empty last cell, told as drift', async () => {
    const reader = await openText('a,b,\n1,2,\n', {}, { contract: [column('a'), column('b')] });
    expect(reader.layout.fileColumns.map((c) => c.name)).toEqual(['a', 'b']);
    expect(reader.layout.drift).toMatchObject([{ kind: 'ignored', column: 'column_3' }]);
  });

  test('of more than a thousand columns is read', async () => {
    const wide = Array.from({ length: 5_000 }, (_, i) => `c${i}`).join(',');
    expect(await names(`\n${wide}\n${wide}\n`)).toHaveLength(5_000);
    expect(await read(`\n${wide}\n${wide}\n`)).toMatchObject([{ line: 3, offset: wide.length + 2 }]);
  });

  test('without contract may be empty or double: the names are made later', async () => {
    expect(await names('a,,a\n')).toEqual(['a', '', 'a']);
  });

  test('under a contract must not name a column twice', async () => {
    await expect(names('a,b,a,b\n', {}, { contract: [column('a')] })).rejects.toMatchObject({
      code: 'HEADER_DUPLICATE',
      message: 'The header names more than one column "a" (columns 1, 3); "b" (columns 2, 4).',
      fix: 'Ask the supplier for distinct names, or map by position: from: 1.',
    });
  });

  test('under a contract must not leave out a name', async () => {
    await expect(names('a,, ,b\n', {}, { contract: [column('a')] })).rejects.toMatchObject({
      code: 'HEADER_EMPTY',
      message: 'The header has no name for columns 2, 3.',
    });
  });

  test('needs no names where the contract maps by position', async () => {
    expect(await names('a,a,\n1,2,3\n', {}, { contract: [column('x', [1]), column('y', [2])] })).toEqual(['a', 'a']);
  });

  test('with names that differ only in case is no duplicate', async () => {
    expect(await names('a,A\n', {}, { contract: [column('a')] })).toEqual(['a', 'A']);
  });

  test('that is not UTF-8 is a clear error', async () => {
    await expect(names(Buffer.from('pr\xe9nom\n', 'latin1'))).rejects.toMatchObject({
      code: 'UNKNOWN_ENCODING',
      message: 'The header (line 1) is not valid UTF-8.',
    });
  });

  test('with NUL bytes (UTF-16, a file not yet written) is a clear error', async () => {
    await expect(names(Buffer.from('a,b\n', 'utf16le'))).rejects.toMatchObject({ code: 'FORMAT_MISMATCH' });
    await expect(names(Buffer.alloc(5_000))).rejects.toMatchObject({ code: 'FORMAT_MISMATCH' });
  });

  test.each([
    ['only comments', '#a\n', { comment: '#' }],
    ['fewer lines than skip_lines', 'a\nb\n', { skip_lines: 3 }],
    ['a quote that never closes', '"a,b\n1,2\n', {}],
    ['text behind a quote', '"a"b\n1,2\n', {}],
    ['a first line past max_record', 'aaaaaaaaaaaa\n1\n', { max_record: 5 }],
  ])('is missing in a file with %s', async (_, text, options) => {
    await expect(names(text, options)).rejects.toMatchObject({ code: 'HEADER_MISSING' });
  });

  test('of a million columns is refused', async () => {
    await expect(names(','.repeat(1_000_000))).rejects.toMatchObject({ code: 'TOO_MANY_COLUMNS' });
  });
});

describe('an empty file', () => {
  test.each([
    ['no bytes', ''],
    ['a byte order mark', '\uFEFF'],
    ['blank lines', '\n\r\n\r\n'],
    ['a mark and blank lines', '\uFEFF\n\n'],
  ])('holds only %s', async (_, text) => {
    for (const header of [true, false]) {
      for (const contract of [undefined, [column('a')]]) {
        for (const skip_lines of [0, 1, 10]) {
          const reader = await openText(text, { header, skip_lines }, contract === undefined ? {} : { contract });
          expect(reader.empty).toBe(true);
          expect(reader.layout.missing).toEqual([]);
          expect(await reader.next()).toBeNull();
        }
      }
    }
  });

  test('is not one that holds text, though no record', async () => {
    expect((await openText('#x\n', { comment: '#', header: false })).empty).toBe(false);
    expect((await openText('x\n', { skip_lines: 1, header: false })).empty).toBe(false);
    expect((await openText('"x\n', { header: false })).empty).toBe(false);
  });
});

describe('no header', () => {
  test('names columns by position, as many as the first record has', async () => {
    expect(await names('1,2,3\n4\n', { header: false })).toEqual(['column_1', 'column_2', 'column_3']);
  });

  test('does not lose the first record, its line and its offset', async () => {
    expect(await read('\n\n1,2\n3,4\n', { header: false })).toMatchObject([
      { line: 3, offset: 2, cells: ['1', '2'] },
      { line: 4, cells: ['3', '4'] },
    ]);
  });

  test('takes the number from the first record that is no fault', async () => {
    expect(await cells('"x"y\n1,2\n', { header: false })).toEqual(['quote-error', ['1', '2']]);
  });

  test('maps the contract by position', async () => {
    const { layout } = await openText('1,2\n', { header: false }, { contract: [column('x'), column('y')] });
    expect(layout).toMatchObject({ cellOf: [0, 1], unknown: [], missing: [], drift: [] });
  });

  test('has as many columns as the contract, whatever a bad first record says', async () => {
    expect(await cells('1\n2,3\n4,5,6\n', { header: false }, { contract: [column('x'), column('y')] })).toEqual([
      ['1'],
      ['2', '3'],
      ['4', '5'],
    ]);
    expect(await cells('1,2,3\n4,5\n', { header: false }, { contract: [column('x'), column('y')] })).toEqual([
      ['1', '2'],
      ['4', '5'],
    ]);
  });

  test('shows the columns that the contract does not name when all records have them', async () => {
    const { layout } = await openText('1,2,3\n4,5,6\n', { header: false }, { contract: [column('y', [2])] });
    expect(layout).toMatchObject({ cellOf: [1], unknown: [0, 2] });
  });

  test('does not take the empty cell behind a last delimiter for a column', async () => {
    const { layout } = await openText('1,2,\n4,5,\n', { header: false }, { contract: [column('x'), column('y')] });
    expect(layout).toMatchObject({ cellOf: [0, 1], unknown: [] });
  });
});

describe('a header of several records', () => {
  const names = async (text: string, header: unknown): Promise<readonly string[]> => {
    const reader = await openText(text, { header });
    await reader.close();
    return reader.layout.fileColumns.map(({ name }) => name);
  };
  const units = 'date,weight,weight\n,kg,"lb, US"\n2024-01-01,1,2\n';

  test('names columns by their cells, joined by a blank', async () => {
    expect(await names(units, 2)).toEqual(['date', 'weight kg', 'weight lb, US']);
    expect(await names('2023,,2024\nQ1,Q2,Q1\n1,2,3\n', 2)).toEqual(['2023 Q1', 'Q2', '2024 Q1']);
  });

  test('names them by one of the records', async () => {
    expect(await names(units.replace(',weight\n', ',other\n'), { rows: 2, names: 1 })).toEqual([
      'date',
      'weight',
      'other',
    ]);
    expect(await names('Sales,,\ndate,a,b\n1,2,3\n', { rows: 2, names: 2 })).toEqual(['date', 'a', 'b']);
    expect(await names('a,b\nx,y,z\n1,2,3\n', { rows: 2, names: 1 })).toEqual(['a', 'b']);
  });

  test('1 and true are the same', async () => {
    expect(await names(units, 1)).toEqual(await names(units, true));
  });

  test('is no data, and is needed whole', async () => {
    expect(await cells(units, { header: 2 })).toEqual([['2024-01-01', '1', '2']]);
    await expect(openText('a,b\n', { header: 2 })).rejects.toMatchObject({ code: 'HEADER_MISSING' });
  });
});
