import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { commentText, feedYaml, yamlText } from '../../src/infer/draft/yaml.js';
import { feedNameOf, patternOf } from '../../src/infer/draft/file-name.js';
import { timeLettersToGlob } from '../../src/base/time-letters.js';
import { asConfigured, inferFiles, inferText, put, readBack, roundTrip, typesOf } from './support.js';
import picomatch from 'picomatch';

/** Everything loads, and nothing is refused. */
async function reads(name: string, content: string | Buffer, count: number): ReturnType<typeof roundTrip> {
  const found = await roundTrip(put(name, content));
  expect(found).toMatchObject({ rows: { read: count, loaded: count, quarantined: 0 }, error: null });
  return found;
}

describe('dialects', () => {
  test.each([
    ['semicolons', 'a;b;c\n1;x, y;3\n2;z, w;4\n', { delimiter: ';' }],
    ['semicolons with decimal commas', 'a;b\n1,5;2,5\n2,5;3,25\n', { delimiter: ';' }],
    ['tabs', 'a\tb\tc\n1\tx, y\t3\n2\tz\t4\n', { delimiter: '\t' }],
    ['pipes', 'a|b|c\n1|x|3\n2|z|4\n', { delimiter: '|' }],
    ['two pipes', 'a||b||c\n1||2||3\n4||5||6\n', { delimiter: '||' }],
    ['|~|', 'a|~|b|~|c\n1|~|2|~|3\n4|~|5|~|6\n', { delimiter: '|~|' }],
    ['control characters', 'a\u0001b\u0001c\n1\u00012\u00013\n', { delimiter: '\u0001' }],
    ['carets', 'a^b\n1^2\n3^4\n', { delimiter: '^' }],
    ['blanks', 'a b c\n1 2 3\n4 5 6\n', { delimiter: ' ' }],
    ['colons', 'user:id\nroot:0\nbin:1\n', { delimiter: ':' }],
    ['single quotes', "a,b\n'x, y',2\n'z',3\n'q, r',4\n", { quote: "'" }],
    ['backslash before quotes', 'a,b\n"x \\"y\\" z",2\n"k, \\"l\\"",3\n', { escape: '\\' }],
    ['inches, which are no quotes', 'a,b\n"5 inch,2\n6" wide,3\nx,4\ny,5\n', { quote: null }],
    ['quotes with line breaks', 'a,b\n"x\ny, ""z""",2\n"k\n\nl",3\n', { delimiter: ',' }],
    ['carriage returns', 'a,b\r1,2\r3,4\r', { delimiter: ',' }],
    ['no line end at the end', 'a,b\r\n1,2\r\n3,4', { delimiter: ',' }],
    ['an apostrophe at the beginning of a word', "a,b\n'tis,2\nit's,3\n", { delimiter: ',' }],
  ])('%s', async (_what, content, format) => {
    const { draft } = await reads(
      'dialect.csv',
      content,
      content.startsWith('a,b\n"5') ? 4 : content.includes("'q, r'") ? 3 : content.includes('\u0001') ? 1 : 2,
    );
    expect(draft.format).toMatchObject(format);
  });

  test('a column of one keeps whole texts with commas in them', async () => {
    const { draft } = await reads('one.csv', 'name\nSmith\nDoe, John\nFoo, Bar, Baz\nx\ny\n', 5);
    expect(typesOf(draft)).toEqual(['name text']);
  });

  test('dates with a time are one column, not two', async () => {
    expect(typesOf((await reads('log.csv', 'at\n2024-01-01 10:00:00\n2024-01-02 11:00:00\n', 2)).draft)).toEqual([
      'at timestamp',
    ]);
  });
});

describe('what stands before and behind the records', () => {
  test('lines before the header are skipped', async () => {
    const { draft } = await reads(
      'pre.csv',
      'Report of sales\nGenerated 2024-01-01\n\nid,name,amount\n1,a,5\n2,b,6\n3,c,7\n',
      3,
    );
    expect(draft.format).toMatchObject({ skip_lines: 3 });
    expect(typesOf(draft)).toEqual(['id integer', 'name text', 'amount integer']);
  });

  test('also when a spreadsheet has filled them up with delimiters', async () => {
    expect(
      (await reads('pre2.csv', 'Report of sales;;;\n;;;\nid;name;amount;x\n1;a;5;2\n2;b;6;2\n', 2)).draft.format,
    ).toMatchObject({ skip_lines: 2 });
  });

  test('comments are told, a header with # is none', async () => {
    expect((await reads('c.csv', '# made by x\n# at y\nid,name\n1,a\n2,b\n', 2)).draft.format).toMatchObject({
      comment: '#',
    });
    expect((await reads('h.csv', '#id,name\n1,a\n2,b\n', 2)).draft.columns[0]).toMatchObject({
      name: 'id',
      from: '#id',
    });
  });

  test('a trailer that tells the number of records is proposed as control.trailer', async () => {
    const draft = await inferText('id,name,amount\n1,a,5\n2,b,6\n3,c,7\nTRL,3\n');
    expect(draft.tail.join('\n')).toContain('control: { trailer: "^TRL,(?<rows>\\\\d+)" }');
    expect(typesOf(draft)).toEqual(['id integer', 'name text', 'amount integer']);
  });

  test('a total at the end is told', async () => {
    const draft = await inferText('id,name,amount\n1,a,5\n2,b,6\nTotal,,11\n');
    expect(draft.format['footer']).toBe(`^["']?(?:Total)\\b`);
    expect(draft.notes).toContain('format.footer: the last record looks like a sum and no data');
  });
});

describe('headers', () => {
  test.each([
    ['no header where values are of its kind', '2B,410,AER\n2B,411,ASF\n', false],
    ['no header where its cells stand below too', 'John,Doe\nJane,Roe\nJohn,Roe\n', false],
    ['texts over numbers are a header', 'n,no\n1,2\n3,4\n', true],
    ['years over numbers are a header', 'country,1990,1991,1992\nFR,1,2,3\nDE,4,5,6\n', true],
    ['names over texts are a header', 'first,last\nJohn,Doe\nJane,Roe\n', true],
    ['a header alone', 'id,name,amount\n', true],
  ])('%s', async (_what, content, header) => {
    const { draft, error } = await roundTrip(put('header.csv', content));
    expect({ header: draft.format['header'] ?? true, error }).toEqual({ header, error: null });
  });

  test('cells that are equal or empty are taken by position', async () => {
    const { draft } = await reads('dup.csv', 'a,a,,b\n1,2,3,4\n5,6,7,8\n', 2);
    expect(draft.columns.map(({ name, from }) => [name, from])).toEqual([
      ['a', 1],
      ['a_2', 2],
      ['column_3', 3],
      ['b', null],
    ]);
  });

  test('an empty last cell over empty cells is no column', async () => {
    expect(typesOf((await reads('trail.csv', 'a,b,\n1,2,\n3,4,\n', 2)).draft)).toEqual(['a integer', 'b integer']);
    expect(typesOf((await reads('trail2.csv', 'a,b\n1,2,\n3,4,\n', 2)).draft)).toEqual(['a integer', 'b integer']);
  });

  test('over filled cells the columns are taken by position', async () => {
    expect(typesOf((await reads('trail3.csv', 'a,b,\n1,2,x\n3,4,y\n', 2)).draft)).toEqual([
      'a integer',
      'b integer',
      'column_3 text',
    ]);
  });

  test('one name less than cells: the names of rows, as R writes them', async () => {
    expect(typesOf((await reads('r.csv', '"x","y"\n"1",5.1,3.5\n"2",4.9,3\n', 2)).draft)).toEqual([
      'row_name integer',
      'x numeric(12,2)',
      'y numeric(12,2)',
    ]);
  });

  test('names that YAML or a terminal would misread come back as they are', async () => {
    const names = [
      'a: b',
      'c\nd',
      '#x',
      '${HOME}',
      'yes',
      '- q',
      ' sp ',
      'é',
      '\u001b[31mred',
      'null',
      '~',
      '1e3 x',
      '"',
      "it's",
      '{',
      '*a',
      '!x',
      '%',
      '@',
      '`',
      '\u202egnp',
    ];
    const quoted = (cells: readonly string[]): string =>
      cells.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(',');
    const { draft } = await reads(
      'names.csv',
      `${quoted(names)}\n${quoted(names.map((_, index) => String(index)))}\n${quoted(names.map((_, index) => String(index + 1)))}\n`,
      2,
    );
    const text = feedYaml(draft);
    expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(asConfigured(draft).columns?.map((column) => column.from[0])).toEqual(names);
  });

  test('more columns than a table holds: the rest is rescued', async () => {
    const names = Array.from({ length: 10_000 }, (_, index) => `c${index}`);
    const { draft } = await reads('wide.csv', `${names.join(',')}\n${names.map((_, index) => index).join(',')}\n`, 1);
    expect(draft.columns).toHaveLength(1_500);
    expect(draft.keys).toMatchObject({ on_unknown_column: 'rescue' });
  });
});

describe('encodings', () => {
  test.each([
    ['windows-1252', Buffer.from('Stra\xdfe,n\nM\xfcnchen,1\nK\xf6ln,2\n', 'latin1'), 'windows-1252', 'Straße'],
    ['UTF-8 with a mark', Buffer.from('\ufeffStraße,n\nx,1\ny,2\n'), undefined, 'Straße'],
    ['UTF-16 big endian', Buffer.from('\ufeffStraße,n\nx,1\ny,2\n', 'utf16le').swap16(), 'utf-16', 'Straße'],
    [
      'Shift JIS',
      Buffer.concat([
        Buffer.from('name,n\n'),
        ...Array.from({ length: 6 }, () => Buffer.from([0x83, 0x65, 0x83, 0x58, 0x83, 0x67, 0x2c, 0x31, 0x0a])),
      ]),
      'shift_jis',
      'name',
    ],
  ])('%s', async (_what, bytes, label, first) => {
    const { draft, error } = await roundTrip(put('encoding.csv', bytes));
    expect({
      encoding: draft.format['encoding'],
      first: draft.columns[0]?.from ?? draft.columns[0]?.name,
      error,
    }).toEqual({ encoding: label, first, error: null });
  });

  test('the first byte that is no UTF-8 may come late', async () => {
    const lines = Array.from(
      { length: 60_000 },
      (_, index) => `${index},${index === 50_000 ? 'M\xfcnchen' : 'Berlin'}`,
    );
    const draft = await inferText(Buffer.from(`id,city\n${lines.join('\n')}\n`, 'latin1'), 'late.csv', 64 * 1024);
    const { rows } = await readBack(draft, put('late.csv', Buffer.from(`id,city\n${lines.join('\n')}\n`, 'latin1')));
    // One of the parts that were looked at may hold it, or none: then one row is refused and told.
    expect(rows).toMatchObject({ read: 60_000, delta: 0 });
    expect(rows.loaded).toBeGreaterThanOrEqual(59_999);
  });
});

describe('fixed width', () => {
  test('is told by lines of one length with blanks in common', async () => {
    const { draft } = await reads(
      'fixed.txt',
      'ID   NAME        AMOUNT\n0001 Bob Smith    12.50\n0002 Amy         100.00\n0003 Joe Doe       7.25\n',
      3,
    );
    expect(draft.format).toMatchObject({ type: 'fixed', header: true });
    expect(draft.columns.map(({ name, start, width, guess }) => [name, start, width, guess.type])).toEqual([
      ['id', 1, 5, 'text'],
      ['name', 6, 12, 'text'],
      ['amount', 18, 6, 'numeric(12,2)'],
    ]);
  });

  test('without a header', async () => {
    expect(
      (
        await reads(
          'fixed2.txt',
          '1001  Bob Smith  20240131\n1002  Amy Jones  20240201\n1003  Joe Doe    20240202\n',
          3,
        )
      ).draft.columns.map(({ start, guess }) => [start, guess.type]),
    ).toEqual([
      [1, 'integer'],
      [7, 'text'],
      [11, 'text'],
      [18, 'date'],
    ]);
  });

  test('prose is none', async () => {
    expect(
      (await inferText('It was a dark and stormy night.\nNobody knew why.\nAnd so it went on.\n', 'prose.txt')).format[
        'type'
      ],
    ).toBe('csv');
  });
});

describe('JSON', () => {
  test('an array inside of an object is found', async () => {
    const { draft } = await reads('root.json', '{"count":2,"data":{"items":[{"id":1,"v":"a"},{"id":2,"v":null}]}}', 2);
    expect(draft.format).toMatchObject({ type: 'json', root: 'data.items' });
    expect(typesOf(draft)).toEqual(['id integer', 'v text']);
  });

  test('one object is one record', async () => {
    expect(typesOf((await reads('one.json', '{"id":1,"tags":["a"]}', 1)).draft)).toEqual(['id integer', 'tags jsonb']);
  });

  test('keys of all records are columns', async () => {
    const { draft } = await reads('keys.ndjson', '{"id":1,"a.b":2}\n{"id":2,"x":{"y":1},"":3}\n', 2);
    expect(typesOf(draft)).toEqual(['id integer', 'a_b integer', 'x jsonb']);
  });

  test('a CSV that begins with a bracket is CSV', async () => {
    expect((await reads('brackets.csv', '[x],[y]\n1,2\n3,4\n', 2)).draft.format['type']).toBe('csv');
  });

  test('JSON without objects is refused', async () => {
    await expect(inferText('[1,2,3]', 'scalars.json')).rejects.toMatchObject({ code: 'FORMAT_MISMATCH' });
  });
});

describe('several files', () => {
  test('are one feed: their columns together, their names one pattern', async () => {
    const files = [
      put('orders_20240101.csv', 'id,a\n1,x\n2,y\n'),
      put('orders_20240102.csv', 'id,b\n3.5,2024-01-01\n'),
    ];
    const draft = await inferFiles(files);
    expect(draft.source).toMatchObject({ pattern: 'orders_%Y%m%d.csv' });
    expect(typesOf(draft)).toEqual(['id numeric(12,2)', 'a text', 'b date']);
    expect(draft.keys).toMatchObject({ on_missing_column: 'fill_null' });
    for (const file of files)
      expect(await readBack(draft, file)).toMatchObject({ rows: { quarantined: 0 }, error: null });
  });

  test('of different dialects are told and left to auto', async () => {
    const files = [put('a1.csv', 'id,a\n1,x\n2,y\n'), put('a2.csv', Buffer.from('id;a\n1;\xfc\n2;y\n', 'latin1'))];
    const draft = await inferFiles(files);
    expect(draft.format).toMatchObject({ delimiter: 'auto', encoding: 'auto' });
    expect(draft.comments['format.delimiter']).toContain('differs from file to file');
    for (const file of files)
      expect(await readBack(draft, file)).toMatchObject({ rows: { read: 2, loaded: 2 }, error: null });
  });

  test('of different formats are refused', async () => {
    await expect(inferFiles([put('a.csv', 'id\n1\n'), put('a.json', '{"id":1}')])).rejects.toMatchObject({
      code: 'USAGE',
    });
  });
});

describe('names of files', () => {
  test.each([
    [['orders_20240131.csv'], 'orders_%Y%m%d.csv', 'orders'],
    [['orders-2024-01-31.csv.gz'], 'orders-%Y-%m-%d.csv.gz', 'orders'],
    [['20240131_120000_orders.csv'], '%Y%m%d_%H%M%S_orders.csv', 'orders'],
    [['sales_202401.txt'], 'sales_%Y%m.txt', 'sales'],
    [['report 31.01.2024.csv'], 'report %d.%m.%Y.csv', 'report'],
    [['stock_20240131T0930.csv'], 'stock_%Y%m%dT%H%M.csv', 'stock'],
    [['a_1.csv', 'a_2.csv'], 'a_*.csv', 'a'],
    [['x.csv', 'y.csv'], '*.csv', 'x'],
    [['100%[1]{a}.csv'], '100%%?1??a?.csv', '_100_1_a'],
    [['none.csv'], 'none.csv', 'new_feed'],
  ])('%j: pattern %s, name %s', (names, pattern, name) => {
    expect({ pattern: patternOf(names).pattern, name: feedNameOf(names[0] ?? '') }).toEqual({ pattern, name });
    for (const one of names) expect(picomatch(timeLettersToGlob(pattern))(one)).toBe(true);
  });
});

describe('the printed YAML', () => {
  test.each([
    'plain',
    'two words',
    'true',
    'No',
    'null',
    '~',
    '1',
    '1.10',
    '0x1F',
    '',
    ' x',
    'a: b',
    '#x',
    '"',
    "'",
    '\\',
    '\n',
    '\t',
    '\u0000',
    '\u2028',
    '\ud83d\ude00',
    '- a',
    '${A}',
    '$${A}',
    '2024-01-01',
    '!a',
    '&a',
    '*a',
    '[a]',
    '{a}',
    'a,b',
    '%Y',
    '`',
    '@',
    'é',
  ])('gives back %j', (text) => {
    const written = yamlText(text);
    expect(parseYaml(`{ x: ${written} }`)).toEqual({ x: text.replaceAll('${', () => '$${') });
  });

  test('a comment has no control character and no second line', () => {
    expect(commentText('a\nb\u001b[31m\u202ec\u{1f600}')).toBe('a\\u000ab\\u001b[31m\\u202ec\u{1f600}');
  });

  test('is one mapping that stands under feeds:', async () => {
    const text = feedYaml(await inferText('id,name\n1,a\n2,b\n'));
    expect(Object.keys(parseYaml(`feeds:\n${text}`) as object)).toEqual(['feeds']);
    expect(parseYaml(text)).toMatchObject({
      probe: {
        source: { type: 'local' },
        format: { type: 'csv' },
        columns: [
          { name: 'id', type: 'integer' },
          { name: 'name', type: 'text' },
        ],
      },
    });
  });
});

describe('files that cannot be read', () => {
  test.each([
    ['not there', '/nowhere/at/all.csv', 'FILE_UNREADABLE'],
    ['a folder', '/tmp', 'FILE_UNREADABLE'],
  ])('%s', async (_what, file, code) => {
    await expect(inferFiles([file])).rejects.toMatchObject({ code });
  });

  test.each([
    ['a PDF', Buffer.from('%PDF-1.7\n...'), 'FORMAT_MISMATCH'],
    ['zeros', Buffer.alloc(5_000), 'FORMAT_MISMATCH'],
    ['half a gzip', Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1, 2]), 'FILE_CORRUPT'],
  ])('%s', async (_what, content, code) => {
    await expect(inferText(content, 'x.bin')).rejects.toMatchObject({ code });
  });

  test('an empty file says that nothing is known', async () => {
    const draft = await inferText('');
    expect(draft.columns).toEqual([]);
    expect(draft.head.join('\n')).toContain('empty');
    expect(await readBack(draft, put('probe.csv', 'a,b\n1,2\n'))).toMatchObject({
      rows: { read: 1, loaded: 1 },
      error: null,
    });
  });
});

test('a file larger than its sample is read at its end too', async () => {
  const lines = Array.from({ length: 50_000 }, (_, index) => `${index},"a ""b"", c",2024-01-01`);
  const file = put('large.csv', `id,v,d\n${lines.join('\n')}\n`);
  const draft = await inferFiles([file], 100_000);
  expect(draft.head.join('\n')).toContain('records in the sample');
  expect(await readBack(draft, file)).toMatchObject({ rows: { read: 50_000, loaded: 50_000 }, error: null });
  expect(readFileSync(file, 'utf8').length).toBeGreaterThan(100_000);
  expect(path.basename(file)).toBe('large.csv');
});
