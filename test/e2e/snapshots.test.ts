import { rmSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { workspace, type Workspace } from '../support/cli.js';
import { createDatabase, type TestDatabase } from '../support/postgres.js';
import { column, csv, ids, put, reportOf, setTime, states, type Listed, type Round } from './support.js';

/** Snapshot feeds, `mode: replace_all` (docs/spec/which-file-is-new.md#snapshot-feeds). */
let db: TestDatabase;
let ws: Workspace;
const rounds: Record<string, Round & { readonly table: readonly (string | null)[] }> = {};

async function round(name: string): Promise<void> {
  rounds[name] = { ...(await ws.once()), table: await ids(db, 'snap') };
}

beforeAll(async () => {
  db = await createDatabase();
  const columns = [
    { name: 'id', type: 'integer' },
    { name: 'v', type: 'text' },
  ];
  ws = workspace(db.url, {
    snap: { columns, target: { mode: 'replace_all' } },
    other: { columns, target: { table: 'snap' } },
  });
  put(ws, 'other', 'o.csv', csv('900,other feed'));
  setTime(put(ws, 'snap', 's1.csv', csv('1,one')), 1_700_000_100);
  setTime(put(ws, 'snap', 's2.csv', csv('2,two')), 1_700_000_300);
  setTime(put(ws, 'snap', 's3.csv', csv('3,three')), 1_700_000_200);
  await round('three');
  setTime(put(ws, 'snap', 'late.csv', csv('4,late')), 1_700_000_250);
  await round('older');
  setTime(put(ws, 'snap', 'new.csv', csv('5,five', '6,six')), 1_700_000_400);
  await round('newer');
  setTime(put(ws, 'snap', 'same.csv', csv('5,five', '6,six')), 1_700_000_500);
  await round('same');
  setTime(put(ws, 'snap', 'back.csv', csv('2,two')), 1_700_000_600);
  await round('back');
  setTime(put(ws, 'snap', 'empty.csv', 'id,v\n'), 1_700_000_700);
  await round('empty');
});

afterAll(async () => {
  await db.drop();
  ws.remove();
});

test('of several the newest by mtime is loaded, the older ones become superseded and are reported', () => {
  expect(states(rounds['three']!, 'snap')).toEqual(['s1.csv:superseded', 's2.csv:loaded', 's3.csv:superseded']);
  expect(rounds['three']!.summary.files).toMatchObject({ loaded: 2, superseded: 2 });
});
test("only this feed's rows are deleted", () => {
  expect(rounds['three']!.table).toEqual(['2', '900']);
  expect(rounds['newer']!.table).toEqual(['5', '6', '900']);
});
test('one that comes late and is older is superseded and touches nothing', () => {
  expect(reportOf(rounds['older']!, 'snap', 'late.csv')).toMatchObject({ state: 'superseded', load_id: null });
  expect(rounds['older']!.table).toEqual(['2', '900']);
});
test('a newer one replaces the live load, raises generation and supersedes its receipt', async () => {
  expect(reportOf(rounds['newer']!, 'snap', 'new.csv')).toMatchObject({ state: 'loaded', generation: 2 });
  expect(await column(db, `select status from tallyman.loads where feed = 'snap' and path = 's2.csv'`)).toEqual([
    'superseded',
  ]);
});
test('the content of the one live load under another name is a duplicate', () => {
  expect(reportOf(rounds['same']!, 'snap', 'same.csv').state).toBe('duplicate');
});
test('the content of an earlier snapshot counts no more and is loaded', () => {
  expect(reportOf(rounds['back']!, 'snap', 'back.csv').state).toBe('loaded');
  expect(rounds['back']!.table).toEqual(['2', '900']);
});
test('min_rows defaults to 1: an empty snapshot is rejected and the old rows stay', () => {
  expect(reportOf(rounds['empty']!, 'snap', 'empty.csv')).toMatchObject({
    state: 'rejected',
    error: { code: 'TOO_FEW_ROWS' },
  });
  expect(rounds['empty']!.table).toEqual(['2', '900']);
});
test('verify is clean', async () => {
  expect(await ws.json('ledger', 'verify')).toEqual({ ok: true, differences: [] });
});

test('a file with an mtime in the future counts as changed when it came: it freezes nothing, and drift says so', async () => {
  const columns = [
    { name: 'id', type: 'integer' },
    { name: 'v', type: 'text' },
  ];
  const future = workspace(db.url, { future: { columns, target: { mode: 'replace_all' } } });
  try {
    // 2099, and a time that no calendar of ours holds.
    for (const [name, at] of [
      ['a.csv', 4_070_908_800],
      ['b.csv', 15_000_000_000],
    ] as const) {
      setTime(future.put(name, csv(`1,${name}`)), at);
      expect((await future.once()).reports).toMatchObject([{ path: name, state: 'loaded' }]);
    }
    const { items } = (await future.json('files', '--match', 'a.csv')) as Listed;
    const { drift } = (await future.json('files', 'show', String(items[0]?.file_id))) as {
      drift: readonly { kind: string; message: string }[];
    };
    expect(drift).toMatchObject([{ kind: 'mtime', message: expect.stringContaining('2099-01-01') as string }]);
    future.put('c.csv', csv('2,c'));
    expect((await future.once()).reports).toMatchObject([{ path: 'c.csv', state: 'loaded' }]);
    expect(await ids(db, 'future')).toEqual(['2']);
    // From the receipts, too.
    rmSync(path.join(future.dir, 'data'), { recursive: true });
    future.put('d.csv', csv('3,d'));
    expect((await future.once()).reports).toMatchObject([{ path: 'd.csv', state: 'loaded' }]);
  } finally {
    future.remove();
  }
});
