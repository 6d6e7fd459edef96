import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { LoadJob } from '../../src/core/load.js';
import { csv } from '../../src/formats/csv/index.js';
import { loadGroup } from '../../src/load/load-group.js';
import { feedOf, openBench, type Bench } from './support.js';

/** Each is a wait for the network: for a small file they take longer than its rows. */
let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
  // The table is there from here on, and the session knows it.
  await bench.take('first.csv', 'id,name\n1,a\n');
});
afterAll(async () => {
  await bench.close();
});

async function roundTrips(
  work: (job: (name: string, content: string) => LoadJob) => Promise<unknown>,
): Promise<number> {
  const job = (name: string, content: string): LoadJob => bench.job(bench.put(name, content), feedOf());
  const { client } = await bench.session.connection(job('any.csv', '').database);
  const query = vi.spyOn(client, 'query');
  await work(job);
  const count = query.mock.calls.length;
  query.mockRestore();
  return count;
}

test('a load into a known table: BEGIN with all it has to know, COPY, tally, receipt with COMMIT', async () => {
  expect(await roundTrips((job) => bench.load(job('a.csv', 'id,name\n2,a\n')))).toBe(4);
});

test('a load with bad rows has one more, for the quarantine', async () => {
  expect(await roundTrips((job) => bench.load(job('b.csv', 'id,name\n3,a\nx,b\n')))).toBe(5);
});

test('a group of any size has as many as one file', async () => {
  const hooks = {
    formats: [csv],
    decoders: [],
    onProgress: () => undefined,
    signal: new AbortController().signal,
  };
  const count = await roundTrips(async (job) => {
    const jobs = [1, 2, 3, 4, 5].map((n) => job(`g${n}.csv`, `id,name\n${n},g${n}\n`));
    expect((await loadGroup(jobs, hooks, bench.session)).map((result) => result?.outcome)).toEqual(
      jobs.map(() => 'loaded'),
    );
  });
  expect(count).toBe(4);
});

test('a rejection: the load that failed, ROLLBACK, then BEGIN, quarantine, receipt with COMMIT', async () => {
  expect(await roundTrips((job) => bench.load(job('r.csv', 'id,name\nx,a\n')))).toBe(5);
});
