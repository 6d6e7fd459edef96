import { expect, test } from 'vitest';
import type { QuarantineRow } from '../../src/core/quarantine.js';
import { exportQuarantine, quarantineGroups, quarantineRows } from '../../src/operations/quarantine.js';
import { detailOf, dialectOf, pagesOf, quarantined, receiptOf } from '../quarantine/support.js';
import { collected, entryOf, feedsOf } from './support.js';

/** File 42 was loaded twice: as load 5, then as load 9, which refused two rows. */
function partsOf(loadId: number | null = 9): {
  readonly asked: number[];
  readonly parts: Parameters<typeof quarantineRows>[0];
} {
  const asked: number[] = [];
  const receipts = {
    quarantineRows(id: number): AsyncIterable<readonly QuarantineRow[]> {
      asked.push(id);
      return pagesOf([quarantined('1,x'), quarantined(Buffer.from([0x31, 0x2c, 0xff]), [], { row: 4 })], 1);
    },
    byIds: () => Promise.resolve([receiptOf()]),
    dialect: () => Promise.resolve(dialectOf(['a', 'b'])),
  };
  const ledger = {
    entry: () => Promise.resolve(entryOf(42, { loadId })),
    byLoadId: () => Promise.resolve(entryOf(42, { loadId })),
    detail: () => Promise.resolve(detailOf({ load_id: loadId })),
  };
  return { asked, parts: { ledger: () => ledger, receipts: () => Promise.resolve(receipts) } };
}

test('rows are those of the latest load, or of the one that was named', async () => {
  const { asked, parts } = partsOf();
  const { fileId, items } = await quarantineRows(parts, '42');
  expect(fileId).toBe(42);
  expect((await collected(items)).map(({ row, raw, raw_base64 }) => [row, raw, raw_base64])).toEqual([
    [3, '1,x', undefined],
    [4, '1,\\xFF', 'MSz/'],
  ]);
  await quarantineRows(parts, 'load:5');
  expect(asked).toEqual([9, 5]);
});

test('a file without a load has nothing in quarantine', async () => {
  const { asked, parts } = partsOf(null);
  expect(await collected((await quarantineRows(parts, '42')).items)).toEqual([]);
  expect(asked).toEqual([]);
});

test('an export is text in pieces, with the number of rows that the receipt tells', async () => {
  const { parts } = partsOf();
  const { fileId, rows, pieces } = await exportQuarantine(parts, { id: '42', format: 'csv' });
  expect([fileId, rows]).toEqual([42, receiptOf().rows.quarantined]);
  expect((await collected(pieces)).join('')).toContain(
    'a,b,_row,_reason,_raw\r\n1,x,3,a: type-error: not an integer,"1,x"\r\n',
  );
});

test('groups name the file of their load; one of a load that this ledger does not know has none', async () => {
  const group = {
    feed: 'orders',
    path: 'a.csv',
    column: 'a',
    class: 'type-error',
    message: 'not an integer',
    rows: 2,
    firstRow: 3,
    firstLine: 4,
    example: 'x',
  };
  const { items } = await quarantineGroups(
    {
      ...feedsOf('orders'),
      ledger: () => ({ byLoadId: (id) => Promise.resolve(id === 9 ? entryOf(42) : null) }),
      receipts: () =>
        Promise.resolve({ quarantineGroups: () => Promise.resolve([9, 8].map((loadId) => ({ ...group, loadId }))) }),
    },
    'orders',
  );
  expect(items.map(({ file_id, load_id, first_row }) => [file_id, load_id, first_row])).toEqual([
    [42, 9, 3],
    [null, 8, 3],
  ]);
});
