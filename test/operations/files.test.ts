import { describe, expect, test } from 'vitest';
import type { FileSelector } from '../../src/core/ledger/reading.js';
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

describe('a file is found', () => {
  const known = [
    detailOf({ file_id: 5, feed: 'orders', path: 'in/a.csv', uri: 'file:///drop/in/a.csv' }),
    detailOf({ file_id: 7, feed: 'orders', path: 'old/a.csv', uri: 'file:///drop/old/a.csv' }),
    detailOf({ file_id: 8, feed: 'orders', path: '2026', uri: 'file:///drop/2026' }),
  ];
  const ledger = {
    entry: (id: number) => Promise.resolve(known.some((file) => file.file_id === id) ? entryOf(id) : null),
    byLoadId: (id: number) => Promise.resolve(id === 9 ? entryOf(5, { loadId: 9 }) : null),
    detail: (id: number) => Promise.resolve(detailOf({ file_id: id })),
    feeds: () => Promise.resolve([{ name: 'orders', source: '', target: '' }]),
    versions: (_feed: string, path: string) =>
      Promise.resolve(known.filter((file) => file.path === path).map((file) => entryOf(file.file_id))),
    files: ({ ids, match }: FileSelector) =>
      Promise.resolve(known.filter((file) => ids?.includes(file.file_id) ?? file.path.split('/').at(-1) === match)),
  };
  const show = async (id: string): Promise<readonly number[]> => {
    const { detail, others } = await showFile({ ledger: () => ledger }, id, '/drop');
    return [detail.file_id, ...others.map((other) => other.file_id)];
  };

  test('by its ID and by its load', async () => {
    expect(await show('5')).toEqual([5]);
    expect(await show('load:9')).toEqual([5]);
    for (const unknown of ['6', 'load:6', 'five']) expect(await codeOf(show(unknown))).toBe('UNKNOWN_FILE');
  });

  test('by its path, its place, its URI and its name: the newest, and the others are told', async () => {
    for (const id of ['in/a.csv', '/drop/in/a.csv', 'file:///drop/in/a.csv']) expect(await show(id)).toEqual([5]);
    expect(await show('a.csv')).toEqual([7, 5]);
    expect(await show('2026')).toEqual([8]);
  });
});
