import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { FileEntry } from '../../src/core/entry.js';
import type { SeenFile } from '../../src/core/file.js';
import type { FileSelector } from '../../src/core/ledger/reading.js';
import type { NewRequest } from '../../src/core/ledger/requests.js';
import type { FileReport } from '../../src/core/report.js';
import {
  checkRequest,
  describeRequest,
  placeRequest,
  requestOutcomes,
  type RequestInput,
} from '../../src/operations/requests/request.js';
import { direct } from '../../src/sources/local/direct.js';
import { detailOf } from '../quarantine/support.js';
import { codeOf, collected, entryOf, feedsOf } from './support.js';

let dir = '';
beforeEach(() => (dir = mkdtempSync(path.join(tmpdir(), 'tallyman-request-'))));
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** A ledger of these entries that writes down what it is asked for. */
class Asked {
  readonly requests: NewRequest[] = [];
  readonly touched: (readonly [number, SeenFile])[] = [];
  readonly entries: readonly FileEntry[];
  /** Of `files`: those that any selection meets. */
  met: readonly number[];

  constructor(...entries: readonly FileEntry[]) {
    this.entries = entries;
    this.met = entries.map((entry) => entry.fileId);
  }

  get parts(): Parameters<typeof checkRequest>[0] &
    Parameters<typeof placeRequest>[0] &
    Parameters<typeof requestOutcomes>[0] {
    const find = (id: number): FileEntry | null => this.entries.find((entry) => entry.fileId === id) ?? null;
    const files = ({ ids }: FileSelector): Promise<readonly FileReport[]> =>
      Promise.resolve(
        this.entries
          .filter(({ fileId }) => this.met.includes(fileId) && (ids?.includes(fileId) ?? true))
          .map(({ fileId: file_id, state }) => detailOf({ file_id, state })),
      );
    const ledger = {
      entry: (id: number) => Promise.resolve(find(id)),
      byLoadId: (loadId: number) => Promise.resolve(this.entries.find((entry) => entry.loadId === loadId) ?? null),
      files,
      versions: () => Promise.resolve([]),
      touch: (id: number, file: SeenFile) => Promise.resolve(void this.touched.push([id, file])),
      request: (request: NewRequest) => Promise.resolve(this.requests.push(request)),
      requestResult: (id: number) => Promise.resolve({ ok: id !== 2, message: id === 2 ? 'no' : 'done' }),
    };
    return {
      ...feedsOf('orders'),
      ledger: () => ledger,
      source: () => direct,
      landing: () => ({ copyOf: () => Promise.resolve(null) }),
    };
  }
}

const input = (change: Partial<RequestInput>): RequestInput => ({
  kind: 'retry',
  ids: [],
  selector: null,
  fromLanding: false,
  ...change,
});
const by = { actor: 'cli:me', reason: 'because' };

test('one file that it cannot be done for refuses them all', async () => {
  const asked = new Asked(entryOf(1), entryOf(2, { state: 'loaded' }));
  expect(await codeOf(checkRequest(asked.parts, input({ ids: ['1', '2'] })))).toBe('WRONG_STATE');
});

test('a selection takes the files that it can be done for, and says nothing of the others', async () => {
  const asked = new Asked(entryOf(1), entryOf(2, { state: 'loaded' }), entryOf(3, { state: 'rejected' }));
  const { files } = await checkRequest(asked.parts, input({ selector: { feed: 'orders', limit: 0 } }));
  expect(files.map(({ entry }) => entry.fileId)).toEqual([1, 3]);
});

test('an ID outside the selection is refused, and so is asking for nothing', async () => {
  const asked = new Asked(entryOf(1), entryOf(2));
  asked.met = [1];
  const selector = { feed: 'orders', limit: 0 };
  expect(await codeOf(checkRequest(asked.parts, input({ ids: ['1', '2'], selector })))).toBe('USAGE');
  expect(await codeOf(checkRequest(asked.parts, input({})))).toBe('USAGE');
  expect(await codeOf(checkRequest(asked.parts, input({ selector: { feed: 'other', limit: 0 } })))).toBe(
    'UNKNOWN_FEED',
  );
  expect(await codeOf(checkRequest(asked.parts, input({ ids: ['9'] })))).toBe('UNKNOWN_FILE');
});

test('a file named twice, by its ID and by its load, is asked for once', async () => {
  const asked = new Asked(entryOf(1, { loadId: 7 }));
  const checked = await checkRequest(asked.parts, input({ ids: ['1', 'load:7'] }));
  const item = { kind: 'retry', file_id: 1, feed: 'orders', path: '1.csv', state: 'failed' };
  expect(describeRequest(checked)).toEqual({ items: [{ request_id: null, ...item }] });
  expect(asked.requests).toEqual([]);
  expect(await placeRequest(asked.parts, checked, by)).toEqual({ items: [{ request_id: 1, ...item }] });
  expect(asked.requests).toEqual([{ kind: 'retry', fileId: 1, ...by }]);
});

test('a reprocess of bytes that were only touched tells the ledger how they stand now; of bytes that are gone it is refused', async () => {
  const file = path.join(dir, 'a.csv');
  writeFileSync(file, 'a\n1\n');
  const seen = await direct.stat(file);
  if (seen === null) throw new Error('it was written');
  const asked = new Asked(entryOf(1, { state: 'loaded', file: seen, uri: `file://${file}` }));
  utimesSync(file, 1_000_000, 1_000_000);
  await placeRequest(asked.parts, await checkRequest(asked.parts, input({ kind: 'reprocess', ids: ['1'] })), by);
  expect(asked.touched.map(([id, now]) => [id, now.mtimeUs])).toEqual([[1, 1_000_000_000_000]]);
  expect(asked.requests).toHaveLength(1);
  rmSync(file);
  expect(await codeOf(checkRequest(asked.parts, input({ kind: 'reprocess', ids: ['1'] })))).toBe('SOURCE_GONE');
});

test('outcomes come one by one, refusals too; a signal ends the wait', async () => {
  const asked = new Asked(entryOf(1, { state: 'rejected' }), entryOf(2), entryOf(3, { state: 'discovered' }));
  const document = {
    items: [1, 2, 3].map((id) => ({
      request_id: id,
      kind: 'retry' as const,
      file_id: id,
      feed: 'orders',
      path: '',
      state: 'failed' as const,
    })),
  };
  // The third file never ends.
  const outcomes = await collected(
    requestOutcomes(asked.parts, document.items, AbortSignal.timeout(1_500), () => true),
  );
  expect(outcomes.map(({ file_id, ok, message, report }) => [file_id, ok, message, report?.state])).toEqual([
    [1, true, 'done', 'rejected'],
    [2, false, 'no', 'failed'],
  ]);
});
