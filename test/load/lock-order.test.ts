import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import type { LoadJob } from '../../src/core/load.js';
import { csv } from '../../src/formats/csv/index.js';
import { loadGroup } from '../../src/load/load-group.js';
import { LoadSession } from '../../src/load/transaction/session.js';
import { connect } from '../../src/postgres/connect/connect.js';
import { advisoryKey } from '../../src/postgres/connect/locks.js';
import { openBench, type Bench } from './support.js';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(async () => {
  await bench.close();
});
beforeEach(async () => {
  await bench.query('drop schema if exists staging cascade; truncate tallyman.loads, tallyman.quarantine');
  // A table with a unique constraint: every load locks it.
  await bench.query('create schema staging');
  await bench.query(
    'create table staging.t (_load_id bigint not null, _row bigint not null, id integer unique, name text)',
  );
});

const hooks = { formats: [csv], decoders: [], onProgress: () => undefined, signal: new AbortController().signal };
const jobOf = (name: string, content: string): LoadJob => bench.job(bench.put(name, content));
const pathKey = (name: string): string => advisoryKey('path', 'f', name);
const targetKey = advisoryKey('target', 'staging', 't');

/** The advisory locks that this work asks for, by the transaction that asks. */
async function locksOf(work: () => Promise<unknown>): Promise<string[][]> {
  const { client } = await bench.session.connection(jobOf('any.csv', '').database);
  const query = vi.spyOn(client, 'query');
  await work();
  const texts = query.mock.calls.map(([text]) => (typeof text === 'string' ? text : ''));
  query.mockRestore();
  return texts
    .map((text) => [...text.matchAll(/pg_advisory_xact_lock\('(-?\d+)'/g)].map((match) => match[1]!))
    .filter((keys) => keys.length > 0);
}

test('a load, a group and a rejection lock load_keys, then paths, then the table, each kind sorted', async () => {
  // The first load into a table begins once more when its numbers have been looked through.
  await bench.take('first.csv', 'id,name\n100,a\n');
  const one = jobOf('a.csv', 'id,name\n1,a\n');
  expect(await locksOf(() => bench.load(one))).toEqual([
    [advisoryKey('load-key', one.loadKey), pathKey('a.csv'), targetKey],
  ]);

  const several = ['d.csv', 'b.csv', 'c.csv'].map((name, n) => jobOf(name, `id,name\n${n + 10},a\n`));
  expect(await locksOf(() => loadGroup(several, hooks, bench.session))).toEqual([
    [
      ...several.map((job) => advisoryKey('load-key', job.loadKey)).sort(),
      ...several.map((job) => pathKey(job.file.path)).sort(),
      targetKey,
    ],
  ]);

  const bad = jobOf('e.csv', 'id,name\nx,a\n');
  const locks = [advisoryKey('load-key', bad.loadKey), pathKey('e.csv')];
  expect(await locksOf(() => bench.load(bad))).toEqual([[...locks, targetKey], locks]);
});

test('a file and a group that meet in a path and in the table wait for each other, and neither is ended', async () => {
  // The group wants the path of `first` before that of `shared`.
  const [first, shared] = ['a.csv', 'b.csv'].sort((a, b) => (pathKey(a) < pathKey(b) ? -1 : 1)) as [string, string];
  const alone = jobOf(shared, 'id,name\n1,a\n');
  const there = jobOf('elsewhere', 'id,name\n3,c\n');
  const together = [jobOf(first, 'id,name\n2,b\n'), { ...there, file: { ...there.file, path: shared } }];
  const holder = await connect(alone.database);
  const session = new LoadSession();
  try {
    // Held up here, the group would hold the table if it took that first, and the load would hold the shared path.
    await holder.queryAll(`BEGIN; SELECT pg_advisory_xact_lock('${pathKey(first)}'::bigint)`);
    const group = loadGroup(together, hooks, session);
    await vi.waitFor(async () => expect(await waiting()).toBe(1), 5_000);
    expect(await bench.load(alone)).toMatchObject({ outcome: 'loaded' });
    await holder.query('ROLLBACK');
    expect(await group).toMatchObject([{ outcome: 'loaded' }, { outcome: 'loaded' }]);
  } finally {
    await holder.close();
    await session.close();
  }
});

async function waiting(): Promise<number> {
  const rows = await bench.query(
    `select count(*)::int as n from pg_locks where locktype = 'advisory' and not granted
       and database = (select oid from pg_database where datname = current_database())`,
  );
  return Number(rows[0]?.['n']);
}
