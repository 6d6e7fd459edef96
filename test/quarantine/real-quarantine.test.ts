import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FeedSpec } from '../../src/core/feed/feed.js';
import type { LoadResult } from '../../src/core/load.js';
import type { Receipts } from '../../src/core/receipts.js';
import { openReceipts } from '../../src/postgres/control/receipts.js';
import { exportAbout, type Export } from '../../src/quarantine/export/about.js';
import { exportCsv } from '../../src/quarantine/export/csv.js';
import { exportHtml } from '../../src/quarantine/export/html.js';
import { exportJsonl } from '../../src/quarantine/export/jsonl.js';
import { column, feedOf, openBench, type Bench } from '../load/support.js';
import { detailOf } from './support.js';

let bench: Bench;
let receipts: Receipts;
beforeAll(async () => {
  bench = await openBench();
  receipts = openReceipts(bench.job(bench.put('any', '')).database);
});
afterAll(async () => {
  await receipts.close();
  await bench.close();
});

/** An export of what PostgreSQL holds, as the command makes it. */
async function exported(format: Export, result: LoadResult): Promise<string> {
  if (result.outcome !== 'loaded' && result.outcome !== 'rejected')
    throw new Error(`the load ended as ${result.outcome}`);
  const id = result.loadId ?? -1;
  const [receipt] = await receipts.byIds([id]);
  const detail = detailOf({ load_id: id, state: result.outcome, rows: result.rows, errors: result.errors });
  let text = '';
  for await (const piece of format(
    detail,
    receipts.quarantineRows(id),
    exportAbout(detail, receipt ?? null, await receipts.dialect(id)),
  ))
    text += piece;
  return text;
}

const rowsOf = async (result: LoadResult): Promise<string[][]> =>
  parse(await exported(exportCsv, result), { bom: true });

const people = (change: Partial<FeedSpec> = {}): FeedSpec =>
  feedOf({
    columns: [
      column('id', 'integer', { unique: true, required: true }),
      column('name', 'text', { from: ['Full Name'] }),
    ],
    target: { schema: 'staging', table: 'people', mode: 'append', create: true, loadIndex: 'none' },
    ...change,
  });

describe('the quarantine of a real load', () => {
  const content = Buffer.concat([
    Buffer.from('Full Name,id\nAda,1\n=cmd(),x\n"Two\nlines",y\n'),
    Buffer.from([0x4d, 0xfc, 0x2c, 0x32]),
    Buffer.from('\nBob,1\n"open,4\nEve,5\nEd,6\nAl,7\nBo,8\nCy,9\nDi,10\n'),
  ]);
  let result: LoadResult;
  beforeAll(async () => {
    result = await bench.take('people.csv', content, people());
  });

  test('comes out as csv under the header of the file', async () => {
    expect(await rowsOf(result)).toEqual([
      ['Full Name', 'id', '_row', '_reason', '_raw'],
      ["'=cmd()", 'x', '2', 'id: type-error: not an integer', "'=cmd(),x"],
      ['Two\nlines', 'y', '3', 'id: type-error: not an integer', '"Two\nlines",y'],
      ['M\\xFC', '2', '4', "Full Name: encoding-error: not valid in the file's encoding, or NUL", 'M\\xFC,2'],
      ['Bob', '1', '5', 'id: unique-error: the same value stands in an earlier row', 'Bob,1'],
      ['', '', '6', 'quote-error: a quote opened on this line is never closed', '"open,4'],
    ]);
  });

  test('comes out as jsonl, byte for byte', async () => {
    const items = (await exported(exportJsonl, result))
      .trimEnd()
      .split('\n')
      .map(
        (line) =>
          JSON.parse(line) as { row: number; line: number; byte_offset: number; raw: string; raw_base64?: string },
      );
    for (const item of items) {
      const raw = item.raw_base64 === undefined ? Buffer.from(item.raw) : Buffer.from(item.raw_base64, 'base64');
      expect(content.subarray(item.byte_offset, item.byte_offset + raw.length)).toEqual(raw);
    }
    expect(items.map(({ row, line }) => [row, line])).toEqual([
      [2, 3],
      [3, 4],
      [4, 6],
      [5, 7],
      [6, 8],
    ]);
  });

  test('comes out as a page with the cells at fault marked', async () => {
    const html = await exported(exportHtml, result);
    expect([...html.matchAll(/<td class="c bad">(.*?)<\/td>/gs)].map((match) => match[1])).toEqual([
      'x',
      'y',
      'M\\xFC',
      '1',
    ]);
    expect(html).toContain('<td class="c raw bad" colspan="2">&quot;open,4</td>');
    expect(html).toContain('<b>5</b>refused');
  });

  test('comes out for a file that was rejected', async () => {
    const rejected = await bench.take('bad.csv', 'id,Full Name\nx,Ada\ny,Bob\n', people());
    expect(rejected.outcome).toBe('rejected');
    expect((await rowsOf(rejected)).map((row) => row.slice(0, 3))).toEqual([
      ['id', 'Full Name', '_row'],
      ['x', 'Ada', '1'],
      ['y', 'Bob', '2'],
    ]);
    expect(await exported(exportHtml, rejected)).toContain('The whole file was refused');
  });

  test('comes out for a file without header, with the delimiter that it has', async () => {
    const feed = people({
      format: { type: 'csv', options: { header: false, delimiter: '|' } },
      columns: [column('name'), column('id', 'integer')],
    });
    expect(await rowsOf(await bench.take('headless.csv', 'Ada|1\nBob|x\n', feed))).toEqual([
      ['name', 'id', '_row', '_reason', '_raw'],
      ['Bob', 'x', '2', 'id: type-error: not an integer', 'Bob|x'],
    ]);
  });

  test('comes out for a feed without contract', async () => {
    const feed = feedOf({
      columns: null,
      onUnknownColumn: 'add',
      onMissingColumn: 'fill_null',
      target: { schema: 'staging', table: 'any', mode: 'append', create: true, loadIndex: 'none' },
    });
    const loaded = await bench.take(
      'any.csv',
      Buffer.concat([Buffer.from('Order Id,b\n1,x\n'), Buffer.from([0xff]), Buffer.from(',y\n')]),
      feed,
    );
    expect((await rowsOf(loaded))[1]).toEqual([
      '\\xFF',
      'y',
      '2',
      "Order Id: encoding-error: not valid in the file's encoding, or NUL",
      '\\xFF,y',
    ]);
    expect(await exported(exportHtml, loaded)).toContain('<td class="c bad">\\xFF</td>');
  });

  test('is told to be empty where a load has no bad row', async () => {
    const loaded = await bench.take('good.csv', 'id,Full Name\n100,Ada\n', people());
    expect(await rowsOf(loaded)).toEqual([['id', 'Full Name', '_row', '_reason', '_raw']]);
    expect(await exported(exportHtml, loaded)).toContain('No row of this file was refused.');
  });

  test('has no dialect where there is no receipt', async () => {
    expect(await receipts.dialect(999_999)).toBeNull();
  });
});
