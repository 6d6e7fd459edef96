import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import type { ColumnSpec } from '../../../src/core/feed/columns.js';
import { csv } from '../../../src/formats/csv/index.js';
import { sniffDialect } from '../../../src/formats/csv/sniff.js';
import { column } from '../../load/support.js';

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  await Promise.resolve();
  yield bytes;
}

/** Opens with `delimiter: auto` and reads to the end: dialect, rows, and what it says about the dialect. */
async function open(
  content: string,
  contract: readonly ColumnSpec[] | null = null,
  options: Record<string, unknown> = {},
): Promise<{ readonly delimiter: unknown; readonly rows: number; readonly notes: readonly string[] }> {
  const reader = await csv.open(
    { bytes: once(Buffer.from(content)), path: null, contract },
    csv.options.parse({ delimiter: 'auto', ...options }),
  );
  let rows = 0;
  for (let batch = await reader.next(); batch !== null; batch = await reader.next()) rows += batch.rows;
  await reader.close();
  return {
    delimiter: reader.dialect()['delimiter'],
    rows,
    notes: reader.layout.drift.filter(({ kind }) => kind === 'dialect').map(({ message }) => message),
  };
}

const sniffed = async (content: string): Promise<string | null> => {
  const { sure, delimiter } = await sniffDialect(Buffer.from(content), { whole: true });
  return sure ? delimiter : null;
};

describe('format.delimiter: auto', () => {
  test.each([
    [',', 'id,name\n1,a\n2,b\n'],
    [';', 'id;name\n1;a, b\n2;c\n'],
    ['\t', 'id\tname\n1\ta, b\n2\tc;d\n'],
    ['|', 'id|name\n1|a\n2|b\n'],
  ])('takes %j and records it', async (delimiter, content) => {
    expect(await open(content)).toEqual({ delimiter, rows: 2, notes: [] });
  });

  test('a header that holds the whole contract decides, whatever the records look like', async () => {
    const contract = [column('id', 'integer'), column('name')];
    expect(await open('id;name\n1;a,b,c\n2;d,e,f\n', contract)).toMatchObject({ delimiter: ';', notes: [] });
    expect(await open('id;name\n', contract)).toMatchObject({ delimiter: ';', rows: 0 });
  });

  test('with quote, comment and skip_lines of the feed', async () => {
    expect(
      await open("a title; of, sorts\n# x\nid;name\n1;'a;b'\n2;c\n", null, { skip_lines: 1, comment: '#', quote: "'" }),
    ).toEqual({ delimiter: ';', rows: 2, notes: [] });
  });

  test('the mark of Excel says it, and is passed over and counted', async () => {
    expect(await open('sep=;\nid;a,b,c\n1;d,e,f\n')).toEqual({ delimiter: ';', rows: 1, notes: [] });
    expect(await open('\ufeffsep=|\r\nid|name\r\n1|a\r\n')).toEqual({ delimiter: '|', rows: 1, notes: [] });
    expect(await open('sep=;\ntitle\nid;name\n1;a\n', null, { skip_lines: 2 })).toMatchObject({
      delimiter: ';',
      rows: 1,
    });
    // Its delimiter is a quote of the feed, or it stands elsewhere: no mark.
    expect(await open("sep='\nid,name\n1,a\n", null, { quote: "'" })).toMatchObject({ delimiter: ',' });
    expect(await open('id,name\nsep=;,a\n')).toMatchObject({ delimiter: ',', rows: 1 });
  });

  test('one column is no doubt: the comma, and nothing is said', async () => {
    expect(await open('name\nbob\namy\n')).toEqual({ delimiter: ',', rows: 2, notes: [] });
    expect(await open('')).toEqual({ delimiter: ',', rows: 0, notes: [] });
  });

  test('where none is convincing it is the comma, and that is told as drift', async () => {
    const { delimiter, notes } = await open('some words, and more\nnot;a table\nat, all, is it\nno\n');
    expect({ delimiter, notes }).toEqual({
      delimiter: ',',
      notes: ['delimiter: auto found none that is convincing, and took ","'],
    });
  });
});

describe('the sniffer', () => {
  test.each([
    ['decimal commas', 'a;b\n1,5;2,5\n2,5;3,25\n', ';'],
    ['texts with commas', 'a;b\nx, y, z;1\nk, l;2\nm;3\n', ';'],
    ['times', 'at\n10:00:00\n11:00:00\n', null],
    ['dates with times', '2024-01-01 10:00:00\n2024-01-02 10:00:00\n', null],
    ['prose', 'It was a dark and stormy night.\nNobody knew why.\n', null],
  ])('%s: %j', async (_what, content, delimiter) => {
    expect(await sniffed(content)).toBe(delimiter);
  });

  test('finds the delimiter of any table whose cells are words and numbers', async () => {
    const word = fc.stringMatching(/^[a-z0-9]{1,8}$/);
    const table = fc
      .integer({ min: 2, max: 8 })
      .chain((width) =>
        fc.array(fc.array(word, { minLength: width, maxLength: width }), { minLength: 2, maxLength: 30 }),
      );
    await fc.assert(
      fc.asyncProperty(table, fc.constantFrom(',', ';', '\t', '|'), fc.boolean(), async (rows, delimiter, quoted) => {
        const text = rows.map((row) => row.map((cell) => (quoted ? `"${cell}"` : cell)).join(delimiter)).join('\n');
        expect(await sniffed(text)).toBe(delimiter);
      }),
      { numRuns: 200 },
    );
  });

  test('reads any bytes without a fault', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        const { delimiter } = await sniffDialect(Buffer.from(bytes), { whole: true });
        expect(delimiter.length).toBeGreaterThan(0);
      }),
      { numRuns: 300 },
    );
  });
});
