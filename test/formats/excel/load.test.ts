import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FeedSpec } from '../../../src/core/feed/feed.js';
import type { LoadResult } from '../../../src/core/load.js';
import { DECODERS, FORMATS } from '../../../src/registry.js';
import { column, feedOf, openBench, type Bench } from '../../load/support.js';
import { zipOf } from '../../decode/support.js';
import { workbookOf } from './helpers.js';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(async () => {
  await bench.close();
});

let count = 0;
async function take(
  name: string,
  bytes: Buffer,
  change: Partial<FeedSpec> = {},
): Promise<{ readonly result: LoadResult; readonly table: string }> {
  const table = `t${++count}`;
  const feed = feedOf({
    name: table,
    format: { type: 'excel', options: {} },
    columns: [column('id', 'integer'), column('day', 'date')],
    target: { ...feedOf().target, table },
    ...change,
  });
  return {
    result: await bench.load(bench.job(bench.put(name, bytes), feed), { formats: FORMATS, decoders: DECODERS }),
    table,
  };
}

const text = (reference: string, value: string): string =>
  `<c r="${reference}" t="inlineStr"><is><t>${value}</t></is></c>`;
const book = workbookOf({
  styles: '<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs>',
  rows: `<row r="1">${text('A1', 'ID')}${text('B1', 'day')}</row><row r="2"><c r="A2"><v>1</v></c><c r="B2" s="1"><v>46346</v></c></row><row r="5">${text('A5', 'x')}</row><row r="6"><c r="A6"><v>3</v></c></row>`,
});
const rowsOf = (table: string): Promise<Record<string, unknown>[]> =>
  bench.query(`select _row::int, id, day::text from staging.${table} order by 1`);

describe('a workbook', () => {
  test('is held to the contract; refused rows keep the row of the sheet and are kept as JSON', async () => {
    const { result, table } = await take('a.xlsx', book);
    expect(result).toMatchObject({
      outcome: 'loaded',
      rows: { read: 3, loaded: 2, quarantined: 1, delta: 0 },
      dialect: { format: 'excel', sheet: 'Data', compression: 'none' },
    });
    expect(await rowsOf(table)).toEqual([
      { _row: 1, id: 1, day: '2026-11-20' },
      { _row: 3, id: 3, day: null },
    ]);
    const refused = await bench.query(
      `select row_number::int as row, line_number::int as line, convert_from(raw, 'utf8') as raw from tallyman.quarantine q join tallyman.loads l using (load_id) where feed = $1`,
      [table],
    );
    expect(refused).toEqual([{ row: 2, line: 5, raw: '{"ID":"x","day":null}' }]);
  });

  test('in gzip, and as a member of a zip archive', async () => {
    expect((await take('b.xlsx.gz', gzipSync(book))).result).toMatchObject({
      outcome: 'loaded',
      rows: { loaded: 2 },
      dialect: { compression: 'gzip' },
    });
    expect(
      (
        await take(
          'c.zip',
          zipOf([
            { name: 'one.xlsx', content: book },
            { name: 'two.xlsx', content: book },
          ]),
        )
      ).result,
    ).toMatchObject({ outcome: 'loaded', rows: { read: 6, loaded: 4 } });
  });

  test('that is none, of 0 bytes, an old one: rejected with the reason', async () => {
    expect((await take('d.xlsx', Buffer.alloc(0))).result).toMatchObject({
      outcome: 'rejected',
      error: { code: 'EMPTY_NOT_ALLOWED' },
    });
    expect((await take('e.xlsx', Buffer.from('id,day\n1,2026-01-01\n'))).result).toMatchObject({
      outcome: 'rejected',
      error: { code: expect.stringMatching(/^(FORMAT_MISMATCH|FILE_CORRUPT)$/) as unknown },
    });
    expect((await take('f.xls', Buffer.from('d0cf11e0a1b11ae10000000000000000', 'hex'))).result).toMatchObject({
      outcome: 'rejected',
      error: { code: 'FORMAT_MISMATCH', message: 'The file is old Office (xls, doc), and the feed says excel.' },
    });
  });

  test('without a contract: header columns as text', async () => {
    const { table } = await take('g.xlsx', book, {
      columns: null,
      onUnknownColumn: 'add',
      onMissingColumn: 'fill_null',
    });
    expect(await rowsOf(table)).toEqual([
      { _row: 1, id: '1', day: '2026-11-20' },
      { _row: 2, id: 'x', day: null },
      { _row: 3, id: '3', day: null },
    ]);
  });
});
