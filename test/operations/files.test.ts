import { expect, test } from 'vitest';
import { files, showFile } from '../../src/operations/files.js';
import { detailOf } from '../quarantine/support.js';
import { codeOf, collected, entryOf, feedsOf } from './support.js';

const parts = {
  ...feedsOf('orders'),
  ledger: () => ({
    async *filePages() {
      yield await Promise.resolve([detailOf({ file_id: 3 }), detailOf({ file_id: 2 })]);
      yield [detailOf({ file_id: 1 })];
    },
  }),
};

test('pages of the ledger come as one list', async () => {
  const found = await collected(files(parts, { feed: 'orders', limit: 0 }));
  expect(found.map((report) => report.file_id)).toEqual([3, 2, 1]);
});

test('a feed that the config does not have is an error, not an empty list', async () => {
  expect(await codeOf(collected(files(parts, { feed: 'order', limit: 0 })))).toBe('UNKNOWN_FEED');
});

test('a file is found by its ID and by its load; anything else is no ID', async () => {
  const ledger = {
    entry: (id: number) => Promise.resolve(id === 5 ? entryOf(5) : null),
    byLoadId: (id: number) => Promise.resolve(id === 9 ? entryOf(5, { loadId: 9 }) : null),
    detail: (id: number) => Promise.resolve(detailOf({ file_id: id })),
  };
  const show = (id: string): Promise<{ readonly file_id: number }> => showFile({ ledger: () => ledger }, id);
  expect((await show('5')).file_id).toBe(5);
  expect((await show('load:9')).file_id).toBe(5);
  expect(await codeOf(show('6'))).toBe('UNKNOWN_FILE');
  expect(await codeOf(show('load:6'))).toBe('UNKNOWN_FILE');
  expect(await codeOf(show('five'))).toBe('USAGE');
});
