import { describe, expect, test } from 'vitest';
import { commentsOf, faultsOf, loadedBy } from './guess-check.js';
import { allTables, DIALECTS } from './guess-tables.js';
import { doubtsOf, inferText, put, readBack, typesOf } from './support.js';

const TABLES = allTables(process.env['TALLYMAN_TEST_LARGE'] !== undefined);

describe('a guessed feed loads what the file says, and tells what it passed over and what is doubtful', () => {
  test.each(DIALECTS)('$name', async (dialect) => {
    const faults: string[] = [];
    for (const one of TABLES.filter((table) => table.dialect === dialect))
      for (const fault of await faultsOf(one)) faults.push(`${one.name}: ${fault}`);
    expect(faults).toEqual([]);
  });
});

/** The first cells of what the guessed feed loads, and what it says. */
async function guessed(text: string): Promise<{
  readonly format: Readonly<Record<string, unknown>>;
  readonly names: readonly string[];
  readonly rows: readonly (readonly (string | null)[])[];
  readonly refused: number;
  readonly said: string;
}> {
  const draft = await inferText(text);
  const { columns, rows, refused } = await loadedBy(draft, Buffer.from(text));
  return { format: draft.format, names: columns.map(({ name }) => name), rows, refused, said: commentsOf(draft) };
}

const lines = (count: number, line: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => `${line(index)}\n`).join('');

describe('the delimiter', () => {
  test.each([
    ['a list of constant length', 'id,tags\n', (i: number) => `${i},a;b;c`, ','],
    ['a longer list than there are columns', 'id|tags|n\n', (i: number) => `${i}|a;b;c;d;e|${i}`, '|'],
    ['texts with as many commas in each', 'id;address\n', (i: number) => `${i};a,b,c`, ';'],
    ['a list of pipes', 'id,names\n', (i: number) => `${i},x|y|z`, ','],
    ['decimal commas', 'id;v\n', (i: number) => `${i};1,${i}`, ';'],
    ['carets around lists', 'id^tags\n', (i: number) => `${i}^a,b,c`, '^'],
  ])('of a file with %s: the header decides', async (_what, header, line, delimiter) => {
    const { format, rows } = await guessed(header + lines(12, line));
    expect({ delimiter: format['delimiter'], header: format['header'], rows: rows.length }).toEqual({
      delimiter,
      header: undefined,
      rows: 12,
    });
  });

  test('without a header the one wins that makes more cells', async () => {
    expect((await guessed(lines(4, (i) => `${i},Ann,${i},a;b;c`))).format).toMatchObject({ delimiter: ',' });
  });

  test('a title with a comma is no header', async () => {
    const { format, rows } = await guessed(`Report, 2024\nid;price;x\n${lines(6, (i) => `${i};2,5;a`)}`);
    expect({ format, rows: rows.length }).toMatchObject({ format: { delimiter: ';', skip_lines: 1 }, rows: 6 });
  });

  test.each([
    'sep=;\nid;name\n1;a\n',
    'sep=;\r\nid;name\r\n1;a\r\n',
    '\ufeffsep=;\nid;name\n1;a\n',
    '"sep=;"\nid;name\n1;a\n',
  ])('is what the mark of Excel says: %j', async (text) => {
    const { format, names, rows } = await guessed(text);
    expect({ format, names, rows }).toMatchObject({
      format: { delimiter: ';', skip_lines: 1 },
      names: ['id', 'name'],
      rows: [['1', 'a']],
    });
  });
});

describe('quotes', () => {
  test('one bad quote among many good ones is a refused record', async () => {
    const { format, rows, refused } = await guessed(
      `"ColA"|"ColB"\n${lines(6, (i) => `"s${i}"|"text ${i}"`)}"bad"|"A "B"\nA"\n"s7"|"text 7"\n`,
    );
    expect(format['quote']).toBeUndefined();
    expect({ rows: rows.length, refused, last: rows.at(-1) }).toEqual({ rows: 7, refused: 2, last: ['s7', 'text 7'] });
  });

  test('where most are bad there are none', async () => {
    expect((await guessed(`size,n\n${lines(4, (i) => `"${i} inch,${i}`)}x,4\n`)).format).toMatchObject({ quote: null });
  });
});

describe('comments', () => {
  test.each([
    [
      'records that begin with #',
      `color,name\n${lines(3, (i) => `#00ff0${i},green ${i}`)}${lines(6, (i) => `blue${i},n${i}`)}`,
      9,
    ],
    ['a line within quotes', 'id,name\n1,"a\n# b"\n2,b\n3,c\n', 3],
    ['a column of tags', `tag\n#a\n#b\n${lines(5, (i) => `c${i}`)}`, 7],
    ['a header with #', '#id,name\n1,a\n2,b\n', 2],
    ['#N/A', 'name,n\n#N/A,1\na,2\nb,3\n', 3],
  ])('%s: none, and nothing is lost', async (_what, text, count) => {
    const { format, rows } = await guessed(text);
    expect({ comment: format['comment'], rows: rows.length }).toEqual({ comment: undefined, rows: count });
  });

  test('a title with # above records with # is a title', async () => {
    expect((await guessed(`# colours\ncolor,name\n${lines(4, (i) => `#ff000${i},red`)}`)).format).toMatchObject({
      skip_lines: 1,
    });
  });

  test('above the header and at the end they are passed over, counted, and told with the first of them', async () => {
    const text = '# made by x, y\nid,name\n1,a\n2,b\n# end of file\n';
    const { format, rows, said } = await guessed(text);
    expect({ format, rows: rows.length }).toMatchObject({ format: { comment: '#' }, rows: 2 });
    expect(said).toContain('2 lines of the sample begin with # and are no records ("# made by x, y"): passed over');
    const draft = await inferText(text);
    expect(await readBack(draft, put('probe.csv', text))).toMatchObject({
      rows: { read: 2 },
      lines_skipped: 2,
      drift: [],
    });
  });
});

describe('headers', () => {
  test.each([
    ['a year over numbers', 'state,2022\nOhio,-29.1\nIowa,25.7\nUtah,5.25\n', ['state', '_2022']],
    ['a year over words', 'state,2022\nOhio,high\nIowa,low\n', ['state', '_2022']],
    ['years alone', '2022,2023\n1.5,2.5\n3.5,4.5\n', ['_2022', '_2023']],
    ['days', 'sku,2024-01-01,2024-02-01\nA,1,2\nB,3,4\n', ['sku', '_2024_01_01', '_2024_02_01']],
    ['days with points', 'region;01.01.2024;01.02.2024\nNord;1,5;2\n', ['region', '_01_01_2024', '_01_02_2024']],
    ['months of six digits', 'city,202401,202402\nX,19,7\nY,18,9\n', ['city', '_202401', '_202402']],
  ])('%s', async (_what, text, names) => {
    expect((await guessed(text)).names).toEqual(names);
  });

  test.each(['Bach,1685,1750\nX,1900,1950\n', 'Bach,1985,1990\nX,1900,1950\n', 'a,2024-01-01\nb,\nc,2024-01-02\n'])(
    'years and days over others are values: %j',
    async (text) => {
      const { format, rows } = await guessed(text);
      expect({ header: format['header'], rows: rows.length }).toEqual({
        header: false,
        rows: text.split('\n').length - 1,
      });
    },
  );
});

describe('lines that are no records', () => {
  test.each([
    ['--,----,---', 'id,name,amt\n--,----,---\n1,a,2.5\n2,b,3.5\n', 2],
    ['==|====', 'id|name\n==|====\n1|a\n2|b\n', 2],
    ['--+----', 'id|name\n--+----\n1|a\n2|b\n', 2],
    ['a line across', 'id;name\n----------\n1;a\n2;b\n', 2],
    ['titles above', 'Title\n\nid,name\n---,---\n1,a\n2,b\n', 2],
    ['no records', 'id,name\n---,---\n', 0],
  ])('a ruler (%s) is skipped, with its reason, and is no word for NULL', async (_what, text, count) => {
    const { format, names, rows, refused, said } = await guessed(text);
    expect({ nulls: format['nulls'], first: names[0], rows: rows.length, refused }).toEqual({
      nulls: undefined,
      first: 'id',
      rows: count,
      refused: 0,
    });
    expect(said).toMatch(/the line below it is a ruler \("/);
  });

  test('single dashes below the header are words for nothing', async () => {
    expect((await guessed('id,name\n-,-\n1,a\n2,b\n')).rows).toHaveLength(3);
  });

  test.each([
    ['two columns', 'Report of sales;\n;\nid;name\n1;a\n2;b\n', 2],
    ['three columns', 'Report;;\n;;\nid;name;x\n1;a;5\n2;b;5\n', 2],
    ['quotes', '"Report, of sales",,\nid,name,x\n1,a,2\n', 1],
  ])('titles that are filled up with delimiters: %s', async (_what, text, skipped) => {
    const { format, names } = await guessed(text);
    expect({ skipped: format['skip_lines'], name: names[0] }).toEqual({ skipped, name: 'id' });
  });

  test('the index of a data frame is no title', async () => {
    expect((await guessed(',a\nx,1\ny,2\n')).format['skip_lines']).toBeUndefined();
  });
});

test.each([
  [['2024-02-30', '2024-01-01'], '"2024-02-30" (line 2) is no day of the calendar'],
  [['2024/31/01', '2024/30/02'], '"2024/31/01" (line 2) is no day of the calendar'],
  [['1.1.2024', '32.1.2024'], '"32.1.2024" (line 3) is no day of the calendar'],
  [['2024-01-01', '01.02.2024', '2024/03/03', '02/13/2024'], 'in more than 3 forms'],
  [['2024-01-01', '2024-01-02', 'unknown'], 'mixed: dates or times in the first 2 values, then "unknown"'],
  [['13/01/2024', '01/13/2024'], 'dates whose order differs'],
  [['555-123-4567', '555-123-4568'], 'telephone numbers'],
])('%j stay text for the reason that is true', async (values, reason) => {
  const draft = await inferText(`id,v\n${values.map((value, index) => `${index},${value}\n`).join('')}`);
  expect(typesOf(draft)[1]).toBe('v text');
  expect(doubtsOf(draft, 'v')).toContain(reason);
});
