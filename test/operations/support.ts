import type { FileEntry } from '../../src/core/entry.js';
import { TallymanError } from '../../src/core/errors.js';
import type { FeedSpec } from '../../src/core/feed/feed.js';
import { NO_ROWS } from '../../src/core/report.js';
import { feedOf } from '../load/support.js';

export function entryOf(fileId: number, change: Partial<FileEntry> = {}): FileEntry {
  return {
    fileId,
    feed: 'orders',
    file: { path: `${fileId}.csv`, size: 100, mtimeUs: 1_000, version: 'v' },
    uri: `file:///drop/${fileId}.csv`,
    sha256: null,
    state: 'failed',
    attempts: 1,
    generation: 1,
    loadId: null,
    liveLoadId: null,
    loadKey: null,
    duplicateOf: null,
    replaces: [],
    released: false,
    duplicateAllowed: false,
    afterAction: true,
    movedTo: null,
    arrivedUs: null,
    deleted: false,
    landedPath: null,
    owner: null,
    lease: null,
    marker: null,
    waitFor: null,
    before: null,
    rows: NO_ROWS,
    error: null,
    discoveredAt: '2026-11-20T06:00:00.000Z',
    finishedAt: null,
    retryAt: null,
    deaths: { chunk: -1, count: 0 },
    ...change,
  };
}

/** A config of these feeds, and how the app looks one up. */
export function feedsOf(...names: readonly string[]): {
  readonly config: { readonly feeds: readonly FeedSpec[] };
  feed(name: string): FeedSpec;
} {
  const feeds = names.map((name) => feedOf({ name }));
  return {
    config: { feeds },
    feed(name) {
      const found = feeds.find((feed) => feed.name === name);
      if (found === undefined) throw new TallymanError('UNKNOWN_FEED', `there is no feed ${name}`);
      return found;
    },
  };
}

/** Its code, where the promise was rejected with an error of ours. */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'no error';
  } catch (error) {
    return error instanceof TallymanError ? error.code : String(error);
  }
}

export async function collected<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}
