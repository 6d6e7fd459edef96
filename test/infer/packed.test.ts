import { readFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { utils, write } from '@e965/xlsx';
import { describe, expect, test } from 'vitest';
import { zipOf } from '../decode/support.js';
import { DATA, inferFiles, put, roundTrip, typesOf } from './support.js';

const parquet = readFileSync(path.join(DATA, 'parquet/parquet-testing/alltypes_plain.parquet'));

function workbook(): Buffer {
  const book = utils.book_new();
  utils.book_append_sheet(
    book,
    utils.aoa_to_sheet([
      ['id', 'name'],
      [1, 'a'],
      [2, 'b'],
    ]),
    'Orders',
  );
  const bytes: unknown = write(book, { type: 'buffer', bookType: 'xlsx' });
  if (!Buffer.isBuffer(bytes)) throw new Error('a workbook is written as a buffer');
  return bytes;
}

describe('formats that are read here and there, inside a compressed file', () => {
  test.each([
    ['all.parquet.gz', gzipSync(parquet)],
    ['all.zip', zipOf([{ name: 'all.parquet', content: parquet }])],
  ])('Parquet: %s', async (name, bytes) => {
    const file = put(name, bytes);
    const { draft, rows, error } = await roundTrip(file);
    expect({ rows, error }).toMatchObject({ rows: { read: 8, loaded: 8 }, error: null });
    expect(typesOf(draft).slice(0, 3)).toEqual(['id integer', 'bool_col boolean', 'tinyint_col integer']);
  });

  test('Excel', async () => {
    const { draft, rows, error } = await roundTrip(put('orders.xlsx.gz', gzipSync(workbook())));
    expect({ rows, error }).toMatchObject({ rows: { read: 2, loaded: 2 }, error: null });
    expect(draft.format).toEqual({ type: 'excel' });
    expect(typesOf(draft)).toEqual(['id integer', 'name text']);
  });

  test('a bomb is told as one', async () => {
    const bomb = gzipSync(Buffer.concat([parquet, Buffer.alloc(30_000_000)]));
    await expect(inferFiles([put('bomb.parquet.gz', bomb)])).rejects.toMatchObject({ code: 'EXPANSION_LIMIT' });
  });
});
