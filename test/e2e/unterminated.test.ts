import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { workspace, type Workspace } from '../support/cli.js';
import { createDatabase, type TestDatabase } from '../support/postgres.js';
import { column, put, reportOf } from './support.js';

/** docs/spec/limits.md: a file that is cut off inside its last record looks whole but for its last line end. */
const WHOLE = 'id,price\n1,100.50\n2,225.25\n';
const CUT = WHOLE.slice(0, -2);
const columns = [
  { name: 'id', type: 'integer' },
  { name: 'price', type: 'numeric(12,2)' },
];

let db: TestDatabase;
let ws: Workspace;

beforeAll(async () => {
  db = await createDatabase();
  const limits = { unterminated: 'reject' };
  ws = workspace(db.url, {
    usual: { columns },
    never: { columns },
    packed: { columns, source: { pattern: '*.csv.gz' } },
    lines: { columns, source: { pattern: '*.ndjson' }, format: { type: 'json' } },
    array: { columns, source: { pattern: '*.json' }, format: { type: 'json' }, limits },
    fixed: {
      source: { pattern: '*.txt' },
      format: { type: 'fixed', header: false },
      columns: [
        { name: 'id', type: 'integer', start: 1, width: 4 },
        { name: 'name', type: 'text', start: 5, width: 8 },
      ],
      limits,
    },
    strict: { columns, limits },
    utf16: { columns, format: { encoding: 'utf-16le' }, limits },
  });
});
afterAll(async () => {
  ws.remove();
  await db.drop();
});

const drift = async (id: number): Promise<readonly string[]> => {
  const shown = (await ws.json('files', 'show', String(id))) as {
    readonly drift: readonly { readonly kind: string; readonly message: string }[];
  };
  return shown.drift.filter(({ kind }) => kind === 'unterminated').map(({ message }) => message);
};

test("a missing last line end is told where the feed's files had one, and nowhere else", async () => {
  put(ws, 'usual', '1.csv', WHOLE);
  put(ws, 'never', '1.csv', CUT);
  put(ws, 'packed', '1.csv.gz', gzipSync(WHOLE));
  put(ws, 'lines', '1.ndjson', '{"id":1,"price":100.50}\n');
  put(ws, 'array', '1.json', '[{"id":1,"price":100.50}]');
  await ws.once();
  put(ws, 'usual', '2.csv', CUT);
  put(ws, 'usual', '3.csv', CUT.replace('2,', '3,').replaceAll('\n', '\r\n'));
  put(ws, 'usual', '4.csv', WHOLE.replace('2,', '4,'));
  put(ws, 'never', '2.csv', CUT.replace('2,', '3,'));
  put(ws, 'packed', '2.csv.gz', gzipSync(CUT));
  put(ws, 'lines', '2.ndjson', '{"id":2,"price":225.25}\n{"id":3,"price":22');
  const round = await ws.once();
  const told = async (feed: string, name: string): Promise<number> =>
    (await drift(reportOf(round, feed, name).file_id)).length;
  expect(await drift(reportOf(round, 'usual', '2.csv').file_id)).toEqual([
    "the last line has no line end, and 1 of the feed's last 1 files had one: it may be cut off",
  ]);
  expect(await told('usual', '3.csv')).toBe(1);
  expect(await told('usual', '4.csv')).toBe(0);
  expect(await told('never', '2.csv')).toBe(0);
  expect(await told('packed', '2.csv.gz')).toBe(1);
  expect(await told('lines', '2.ndjson')).toBe(1);
  expect(round.stderr).toContain('2.csv: the last line has no line end');
});

test('limits.unterminated: reject takes no such file, and takes it again when it is whole', async () => {
  put(ws, 'strict', '1.csv', CUT);
  put(ws, 'utf16', '1.csv', Buffer.from(CUT, 'utf16le'));
  put(ws, 'utf16', '2.csv', Buffer.from(WHOLE, 'utf16le'));
  put(ws, 'fixed', '1.txt', '0001Ann     \n0002Bo');
  const round = await ws.once();
  for (const [feed, name] of [
    ['strict', '1.csv'],
    ['utf16', '1.csv'],
    ['fixed', '1.txt'],
  ] as const)
    expect(reportOf(round, feed, name)).toMatchObject({ state: 'rejected', error: { code: 'UNTERMINATED' } });
  expect(reportOf(round, 'utf16', '2.csv').state).toBe('loaded');
  expect((await ws.run('load', '--feed', 'strict', '--dry-run', 'drop/strict/1.csv')).stdout).toContain('UNTERMINATED');
  put(ws, 'strict', '1.csv', WHOLE);
  expect(reportOf(await ws.once(), 'strict', '1.csv').state).toBe('loaded');
  expect(await column(db, 'select price from staging.strict order by id')).toEqual(['100.50', '225.25']);
});
