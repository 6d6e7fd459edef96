import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cells, openText, read } from './helpers.js';

const TWO = 'name:1-3,n:4-3';

describe('fixed width', () => {
  test('cuts each line at the characters that start and width name', async () => {
    expect(await cells('a  1  \nbb 22 \n', TWO)).toEqual([
      ['a', '1'],
      ['bb', '22'],
    ]);
  });

  test('drops blanks behind a value, which are padding, and keeps those before it', async () => {
    expect(await cells(' a   1\n', TWO)).toEqual([[' a', '  1']]);
  });

  test('a blank cell is NULL, like any other word of nulls', async () => {
    expect(await cells('      \nNA 1  \n', TWO, { nulls: ['', 'NA'] })).toEqual([
      [null, null],
      [null, '1'],
    ]);
  });

  test('a blank cell is the empty string when nulls does not name it', async () => {
    expect(await cells('   1  \n', TWO, { nulls: [] })).toEqual([['', '1']]);
  });

  test('counts characters, not bytes, in lines that are not ASCII', async () => {
    expect(await cells('é€😀12 \nabc34 \n', TWO)).toEqual([
      ['é€😀', '12'],
      ['abc', '34'],
    ]);
  });

  test('a character of several bytes counts once also at a column that begins in the middle of the line', async () => {
    expect(await cells('日本12語x\n', 'a:1-1,b:2-3,c:5-2')).toEqual([['日', '本12', '語x']]);
  });

  test('characters between columns belong to none', async () => {
    expect(await cells('a--1--z\n', 'x:1-1,y:4-1,z:7-1')).toEqual([['a', '1', 'z']]);
  });

  test('columns may overlap, and the layout says how much', async () => {
    const reader = await openText('20261120x\n', 'day:1-8,year:1-4,month:5-2,x:9-1');
    expect(reader.layout.overlap).toBe(2);
    expect(reader.layout.fileColumns.map(({ name }) => name)).toEqual(['year', 'month', 'day', 'x']);
    expect(reader.layout.cellOf).toEqual([2, 0, 1, 3]);
    expect(await cells('20261120x\n', 'day:1-8,year:1-4,month:5-2,x:9-1')).toEqual([['2026', '11', '20261120', 'x']]);
  });

  test('a line that ends before the end of a column lacks it and all behind it', async () => {
    const rows = await read('a  12\na\n', `${TWO},z:7-1`);
    expect(rows.map((row) => row.cells)).toEqual([['a'], []]);
  });

  test('short_rows: fill_null reads a short line as if blanks stood behind it', async () => {
    expect(await cells('a  12\nbb\n', `${TWO},z:7-1`, { short_rows: 'fill_null' })).toEqual([
      ['a', '12', null],
      ['bb', null, null],
    ]);
  });

  test('short_rows: fill_null gives the empty string where a blank is not NULL', async () => {
    expect(await cells('a\n', TWO, { short_rows: 'fill_null', nulls: [] })).toEqual([['a', '']]);
  });

  test('text behind the last column is one cell too many, blanks are not', async () => {
    const rows = await read('a  1  x\na  1     \n', TWO);
    expect(rows.map((row) => row.found)).toEqual([3, undefined]);
  });

  test('on_unknown_column: ignore passes over text behind the last column, and says so once', async () => {
    const reader = await openText('a  1  x\na  1  yy\n', TWO, {}, { onUnknownColumn: 'ignore', batchRows: 1 });
    const found: number[] = [];
    for (let batch = await reader.next(); batch !== null; batch = await reader.next()) found.push(batch.cells[0]!);
    expect(found).toEqual([2, 2]);
    expect(reader.layout.drift).toEqual([
      { kind: 'ignored', column: 'column_3', message: 'lines go on behind the last column: ignored' },
    ]);
  });

  test('header, comments, skipped and blank lines are no data; lines are counted through', async () => {
    const rows = await read('title\n\n# c\nNAMNUM\n# c\na  1  \n\n#\nbb 2  \n', TWO, {
      header: true,
      comment: '#',
      skip_lines: 1,
    });
    expect(rows.map(({ line, cells: found }) => [line, found])).toEqual([
      [6, ['a', '1']],
      [9, ['bb', '2']],
    ]);
  });

  test('a line of blanks is data', async () => {
    expect(await read('      \n', TWO)).toHaveLength(1);
  });

  test('a line past max_record costs itself, and keeps its beginning', async () => {
    const rows = await read(`a  1  \n${'x'.repeat(200_000)}\nbb 2  \n`, TWO, { max_record: 1000 });
    expect(rows.map((row) => row.fault ?? row.cells)).toEqual([['a', '1'], 'too-long', ['bb', '2']]);
    expect(rows[1]).toMatchObject({ line: 2, rawLength: 200_000, message: 'longer than 1KB (format.max_record)' });
    expect(rows[1]!.raw).toHaveLength(65_536);
    expect(rows[2]!.line).toBe(3);
  });

  test('a line of exactly max_record is read', async () => {
    expect(await cells('a  1  \n', TWO, { max_record: 6 }, { chunks: [1], window: 2 })).toEqual([['a', '1']]);
    expect(await cells('a  1  \n', TWO, { max_record: 5 }, { chunks: [1], window: 2 })).toEqual(['too-long']);
  });

  test('no bytes, a mark, blank lines: empty', async () => {
    for (const text of ['', '\uFEFF', '\n\r\n\n']) {
      const reader = await openText(text, TWO, { header: true });
      expect([reader.empty, await reader.next()]).toEqual([true, null]);
    }
  });

  test('comments without a header line: HEADER_MISSING', async () => {
    await expect(openText('# c\n', TWO, { header: true, comment: '#' })).rejects.toMatchObject({
      code: 'HEADER_MISSING',
    });
  });

  test('a header alone has no rows and is not empty', async () => {
    const reader = await openText('NAMNUM\n', TWO, { header: true });
    expect([reader.empty, await reader.next()]).toEqual([false, null]);
  });

  test('the dialect tells where each column was, so that a refused line can be taken apart', async () => {
    const reader = await openText('\uFEFFa  1  \r\n', TWO);
    await reader.next();
    expect(reader.dialect()).toEqual({
      format: 'fixed',
      encoding: 'utf-8',
      header: false,
      line_ends: 'crlf',
      bom: true,
      columns: ['name', 'n'],
      starts: { name: 1, n: 4 },
      widths: { name: 3, n: 3 },
    });
  });

  test('without a contract nobody knows the columns: CONTRACT_MISFIT', async () => {
    await expect(openText('a\n', null)).rejects.toMatchObject({ code: 'CONTRACT_MISFIT' });
  });
});

/** The rules once more, over strings. */
function reference(
  text: string,
  columns: readonly (readonly [number, number])[],
  fill: boolean,
  comment: string | null,
  longest: number,
): unknown[] {
  const ordered = [...columns].sort((a, b) => a[0] + a[1] - b[0] - b[1] || a[0] - b[0]);
  return text.split(/\r\n|\r|\n/).flatMap((line, index): unknown[] => {
    if (line === '' || (comment !== null && line.startsWith(comment))) return [];
    if (Buffer.byteLength(line) > longest) return [[index + 1, 'too-long']];
    const characters = Array.from(line);
    const cut = (from: number, to: number): string => characters.slice(from, to).join('').replace(/ +$/, '');
    const got: (string | null)[] = [];
    for (const [start, width] of ordered) {
      if (start - 1 + width > characters.length && !fill) return [[index + 1, got, got.length]];
      const cell = cut(start - 1, start - 1 + width);
      got.push(cell === '' || cell === 'NA' ? null : cell);
    }
    const [start, width] = ordered.at(-1)!;
    const surplus = cut(start - 1 + width, Infinity) !== '';
    return [[index + 1, got, got.length + (surplus ? 1 : 0)]];
  });
}

const pieces = ['a', 'b', ' ', ' ', '  ', 'é', '日', '😀', 'NA', '#', '\n', '\n', '\r', '\r\n', '1234567'];

describe('any text at all', () => {
  test('is cut as a plain reading over characters says, however it is cut into chunks, windows and batches', async () => {
    let good = 0;
    let bad = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...pieces), { maxLength: 50 }).map((parts) => parts.join('')),
        fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 6 })), {
          minLength: 1,
          maxLength: 4,
        }),
        fc.record({
          fill: fc.boolean(),
          comment: fc.constantFrom(null, '#', 'é'),
          longest: fc.constantFrom(5, 12, 1000),
        }),
        fc.record({
          chunks: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 }),
          window: fc.integer({ min: 1, max: 40 }),
          batchRows: fc.integer({ min: 1, max: 4 }),
        }),
        async (text, columns, { fill, comment, longest }, setting) => {
          const contract = columns.map(([start, width], i) => `c${i}:${start}-${width}`).join(',');
          const rows = await read(
            text,
            contract,
            { nulls: ['', 'NA'], comment, max_record: longest, short_rows: fill ? 'fill_null' : 'quarantine' },
            setting,
          );
          const got = rows.map((row) =>
            row.fault === undefined ? [row.line, row.cells, row.found ?? row.cells!.length] : [row.line, row.fault],
          );
          expect(got).toEqual(reference(text, columns, fill, comment, longest));
          good += rows.filter((row) => row.cells?.length === columns.length).length;
          bad += rows.filter((row) => row.cells?.length !== columns.length).length;
        },
      ),
      { numRuns: 3_000 },
    );
    expect(good).toBeGreaterThan(1_000);
    expect(bad).toBeGreaterThan(1_000);
  });
});
