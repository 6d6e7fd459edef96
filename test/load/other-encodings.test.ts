import { afterAll, afterEach, expect, test } from 'vitest';
import { databaseEncoding, withConnection } from '../../src/postgres/connect/connect.js';
import { charactersOf } from '../../src/decode/charset/held.js';
import { check } from '../../src/operations/check.js';
import { specOf } from '../postgres/spec.js';
import { feedOf, openBench, type Bench } from './support.js';

const open: Bench[] = [];
const benchIn = async (encoding: string): Promise<Bench> => {
  const bench = await openBench(encoding);
  open.push(bench);
  return bench;
};
afterEach(async () => {
  for (const bench of open.splice(0)) await bench.close();
});
afterAll(async () => {
  for (const bench of open) await bench.close();
});

/** Encoding of the database, a text that it holds, one that it does not, and that one with escapes. */
const ENCODINGS = [
  ['LATIN1', 'é', 'ł😀', '\\u0142\\uD83D\\uDE00'],
  ['WIN1251', 'ж', 'é', '\\u00E9'],
  ['EUC_JP', '漢é', '한', '\\uD55C'],
  ['EUC_KR', '한ł', '😀', '\\uD83D\\uDE00'],
] as const;

test.each(ENCODINGS)(
  'in %s a row that cannot be held is refused, and all else is loaded',
  async (encoding, held, beyond, escaped) => {
    const bench = await benchIn(encoding);
    const name = `${held}-${beyond}.csv`;
    const content = `id,name\n1,${held}\n2,${beyond}\n${beyond},${held}\n4,d\n`;
    const result = await bench.take(name, content);
    expect(result).toMatchObject({ outcome: 'loaded', rows: { read: 4, loaded: 2, quarantined: 2, delta: 0 } });
    expect(await bench.query('select id, name from staging.t order by id')).toEqual([
      { id: 1, name: held },
      { id: 4, name: 'd' },
    ]);
    expect(await bench.query('select path, status from tallyman.loads')).toEqual([
      { path: `${held}-${escaped}.csv`, status: 'loaded' },
    ]);
    const kept = await bench.query('select row_number::int as n, raw, errors from tallyman.quarantine order by 1');
    expect(kept.map((row) => (row['raw'] as Buffer).toString())).toEqual([`2,${beyond}`, `${beyond},${held}`]);
    expect(kept.map((row) => (row['errors'] as { class: string; value: string | null }[])[0])).toMatchObject([
      { class: 'database-error' },
      { class: 'type-error', value: escaped },
    ]);

    // The path is found again: the same content is known, another one takes its place.
    expect(await bench.take(name, content)).toMatchObject({ outcome: 'lost-race' });
    const replaces = { loadIds: [], path: true, feed: false };
    expect(await bench.take(name, 'id,name\n7,x\n', feedOf(), { replaces })).toMatchObject({ outcome: 'loaded' });
    expect(await bench.query('select id from staging.t')).toEqual([{ id: 7 }]);

    // A rejected file keeps its first rows and its receipt in the same way.
    expect(await bench.take(`r${name}`, `id,name\n${beyond},a\n`)).toMatchObject({ outcome: 'rejected' });
    expect(await bench.query(`select path from tallyman.loads where status = 'rejected'`)).toEqual([
      { path: `r${held}-${escaped}.csv` },
    ]);
  },
);

test('a header that cannot be held is told by its name, before anything is made', async () => {
  const bench = await benchIn('LATIN1');
  const result = await bench.take('a.csv', 'id,ł\n1,a\n', feedOf({ columns: null }));
  expect(result).toMatchObject({ outcome: 'misfit', error: { code: 'CONTRACT_MISFIT' } });
  expect(JSON.stringify(result)).toContain('the database is in LATIN1');
});

test('SQL_ASCII and UTF8 hold everything, and nothing is escaped', async () => {
  const bench = await benchIn('SQL_ASCII');
  expect(await databaseEncoding(specOf(bench.db.url))).toBeNull();
  expect(await bench.take('ł.csv', 'id,name\n1,ł\nł,x\n')).toMatchObject({ outcome: 'loaded', rows: { loaded: 1 } });
  expect(await bench.query('select path from tallyman.loads')).toEqual([{ path: 'ł.csv' }]);
});

test.each([
  ['LATIN1', 'iso-8859-1', false],
  ['WIN1251', 'windows-1251', false],
  ['EUC_JP', 'euc-jp', true],
] as const)('what we take %s to hold, PostgreSQL takes', async (encoding, table, both) => {
  const bench = await benchIn(encoding);
  const holds = charactersOf(table, both);
  const all = Array.from({ length: 0xffff - 0x80 }, (_, i) => i + 0x80).filter(
    (code) => code < 0xd800 || code > 0xdfff,
  );
  const held = all.map((code) => String.fromCharCode(code)).filter(holds);
  expect(held.length).toBeGreaterThan(90);
  await withConnection(specOf(bench.db.url), async (connection) => {
    const { rows } = await connection.query('select $1::text as back', [held.join('')]);
    // One of them comes back as its fullwidth twin.
    expect(rows[0]?.['back']).toHaveLength(held.length);
  });
});

test('`check --connect` says so', async () => {
  const bench = await benchIn('WIN1251');
  const parts = {
    config: { feeds: [], warnings: [], written: new Map(), unsetSecrets: [] },
    dataDir: bench.dir,
    ledger: () => ({ feeds: () => Promise.resolve([]) }),
    receipts: () => Promise.resolve({ databaseId: () => Promise.resolve('id') }),
    database: () => Promise.resolve(specOf(bench.db.url)),
    source: () => ({ probe: () => Promise.resolve([]), close: () => Promise.resolve() }),
  };
  expect(await check(() => parts, { connect: true })).toMatchObject({
    ok: true,
    problems: [],
    warnings: [{ key: 'database', code: 'DATABASE_ENCODING', message: expect.stringContaining('WIN1251') as string }],
  });
  expect(await check(() => parts, { connect: false })).toMatchObject({ ok: true, warnings: [] });
});
