import { afterAll, beforeAll, expect, test } from 'vitest';
import { workspace, type Workspace } from '../support/cli.js';
import { createDatabase, type TestDatabase } from '../support/postgres.js';
import { column, csv, put, reportOf, states, type Round } from './support.js';

/**
 * docs/spec/which-file-is-new.md#the-decision-table: a file of 0 records is never a duplicate of another path; empty
 * files and files without header; min_rows (docs/spec/limits.md).
 */
let db: TestDatabase;
let ws: Workspace;
let first: Round;
let second: Round;

beforeAll(async () => {
  db = await createDatabase();
  ws = workspace(db.url, {
    f: {
      columns: [
        { name: 'id', type: 'integer' },
        { name: 'v', type: 'text' },
      ],
    },
    free: {},
    rep: {
      columns: [
        { name: 'id', type: 'integer' },
        { name: 'v', type: 'text' },
      ],
      on_changed: 'replace',
    },
    atleast: {
      columns: [
        { name: 'id', type: 'integer' },
        { name: 'v', type: 'text' },
      ],
      limits: { min_rows: 2 },
    },
  });
  put(ws, 'f', 'zero1.csv', '');
  put(ws, 'f', 'zero2.csv', '');
  put(ws, 'f', 'bom.csv', '\uFEFF');
  put(ws, 'f', 'blank.csv', '\n\r\n\n');
  put(ws, 'f', 'header1.csv', 'id,v\n');
  put(ws, 'f', 'header2.csv', 'id,v\n');
  put(ws, 'f', 'noheader.csv', '#c\n');
  put(ws, 'free', 'zero.csv', '');
  put(ws, 'free', 'header.csv', 'x,y\n');
  put(ws, 'rep', 'r.csv', csv('1,a'));
  put(ws, 'rep', 's.csv', csv('2,b'));
  put(ws, 'atleast', 'one.csv', csv('1,a'));
  put(ws, 'atleast', 'two.csv', csv('1,a', '2,b'));
  put(ws, 'atleast', 'bad.csv', csv('1,a', '2,b', 'x,c'));
  put(ws, 'atleast', 'zero.csv', '');
  first = await ws.once();
  put(ws, 'rep', 'r.csv', '\n');
  put(ws, 'rep', 's.csv', 'id,v\n');
  second = await ws.once();
});

afterAll(async () => {
  await db.drop();
  ws.remove();
});

test('0 bytes, only a BOM and only blank lines are empty files: loaded with 0 records', () => {
  for (const name of ['zero1.csv', 'zero2.csv', 'bom.csv', 'blank.csv'])
    expect(reportOf(first, 'f', name)).toMatchObject({
      state: 'loaded',
      rows: { read: 0, loaded: 0, delta: 0 },
      error: null,
    });
});
test('two files of a header only are both loaded, neither is a duplicate', () => {
  expect(reportOf(first, 'f', 'header1.csv')).toMatchObject({ state: 'loaded', rows: { read: 0 } });
  expect(reportOf(first, 'f', 'header2.csv')).toMatchObject({ state: 'loaded', duplicate_of: null });
});
test('a feed without contract takes empty files too', () => {
  expect(states(first, 'free')).toEqual(['header.csv:loaded', 'zero.csv:loaded']);
});
test('an empty file has its receipt like any other', async () => {
  expect(
    await column(
      db,
      `select rows_read from tallyman.loads where feed = 'f' and path = 'zero1.csv' and status = 'loaded'`,
    ),
  ).toEqual(['0']);
});
test('under replace an empty version of a loaded path is held, also when it is only blank lines', () => {
  expect(reportOf(second, 'rep', 'r.csv').state).toBe('held');
});
test('fewer records than min_rows reject the file, nothing is in staging', async () => {
  expect(reportOf(first, 'atleast', 'one.csv')).toMatchObject({
    state: 'rejected',
    error: { code: 'TOO_FEW_ROWS' },
    rows: { read: 1, loaded: 0, delta: null },
  });
  expect(reportOf(first, 'atleast', 'zero.csv').state).toBe('rejected');
  expect(reportOf(first, 'atleast', 'two.csv').state).toBe('loaded');
  expect(
    await column(
      db,
      `select distinct l.path from staging.atleast s join tallyman.loads l on l.load_id = s._load_id order by 1`,
    ),
  ).toEqual(['bad.csv', 'two.csv']);
});
test('records that are quarantined count as read for min_rows', () => {
  expect(reportOf(first, 'atleast', 'bad.csv')).toMatchObject({
    state: 'loaded',
    rows: { read: 3, loaded: 2, quarantined: 1 },
  });
});
test('a second round with nothing new reports nothing', async () => {
  const third = await ws.once();
  expect(third.reports).toEqual([]);
  expect(third.code).toBe(0);
});
