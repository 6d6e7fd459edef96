import { existsSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { LoadJob, LoadProgress } from '../../src/core/load.js';
import { LoadPool } from '../../src/load/pool/load-pool.js';
import { feedOf, openBench, type Bench } from './support.js';

let bench: Bench;
let pool: LoadPool;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(async () => {
  await bench.close();
});
afterEach(async () => {
  await pool.close();
});

const SCRIPTED = new URL('./workers/scripted-worker.mjs', import.meta.url);
const scripted = (act: string): LoadJob => bench.job(bench.put('x.csv', ''), feedOf({ name: act }));
const open = (size: number, onProgress?: (progress: LoadProgress) => void): LoadPool =>
  (pool = new LoadPool({ size, workerUrl: SCRIPTED, ...(onProgress === undefined ? {} : { onProgress }) }));

describe('the pool of load threads', () => {
  test('gives each job its own result, more jobs than threads', async () => {
    open(2);
    const jobs = Array.from({ length: 10 }, () => scripted('answer'));
    const results = await Promise.all(jobs.map((job) => pool.run(job)));
    expect(results).toEqual(
      jobs.map((job) => ({ outcome: 'changed', message: `load ${job.fileId} in ${process.pid}` })),
    );
  });

  test('hands progress on', async () => {
    const seen: LoadProgress[] = [];
    open(1, (progress) => seen.push(progress));
    const job = scripted('answer');
    await pool.run(job);
    expect(seen).toMatchObject([{ fileId: job.fileId, bytes: 1 }]);
  });

  test.each(['throw', 'exit'])(
    'a thread that dies (%s) costs the load it had, as failed, and is replaced',
    async (act) => {
      open(1);
      const [died, next] = await Promise.all([pool.run(scripted(act)), pool.run(scripted('answer'))]);
      expect(died).toMatchObject({ outcome: 'failed', error: { code: 'LOAD_FAILED' } });
      expect(next).toMatchObject({ outcome: 'changed' });
    },
  );

  test('a file that eats the memory of its thread costs the thread, not the process', async () => {
    open(1);
    expect(await pool.run(scripted('eat'))).toMatchObject({
      outcome: 'failed',
      error: { message: expect.stringContaining('memory') as string },
    });
  });

  test('a thread that dies while COMMIT is on its way leaves the outcome unknown', async () => {
    open(1);
    expect(await pool.run(scripted('exit-committing'))).toMatchObject({ outcome: 'unknown' });
  });

  test('a thread that cannot start is no fault of any file: the work pauses', async () => {
    pool = new LoadPool({ size: 1, workerUrl: new URL('./workers/not-there.mjs', import.meta.url) });
    expect(await pool.run(scripted('answer'))).toMatchObject({
      outcome: 'unreachable',
      error: { code: 'WORKER_UNUSABLE' },
    });
  });

  test('calls one load off, under way or waiting', async () => {
    open(1);
    const held = scripted('hold');
    const waiting = scripted('hold');
    const running = pool.run(held);
    const queued = pool.run(waiting);
    pool.cancel(waiting.fileId);
    expect(await queued).toMatchObject({ outcome: 'unreachable', error: { code: 'INTERRUPTED' } });
    pool.cancel(held.fileId);
    expect(await running).toMatchObject({ outcome: 'unreachable', error: { code: 'INTERRUPTED' } });
  });

  test('a thread that computes without end and hears nothing is ended when its load is called off: failed, and replaced', async () => {
    open(1);
    const running = pool.run(scripted('hang'));
    const queued = pool.run(scripted('answer'));
    await sleep(100);
    pool.ask();
    await sleep(3_000);
    pool.cancelAll();
    // It was asked long before: nobody waits again.
    expect(await Promise.race([running, sleep(2_500)])).toMatchObject({
      outcome: 'failed',
      error: { code: 'LOAD_FAILED', message: expect.stringContaining('did not hear') as string },
    });
    expect(await queued).toMatchObject({ outcome: 'unreachable', error: { code: 'INTERRUPTED' } });
    expect(await pool.run(scripted('answer'))).toMatchObject({ outcome: 'changed' });
  });

  test('closing lets nothing hang: what runs is called off, what waits never begins, what comes later neither', async () => {
    open(1);
    const running = pool.run(scripted('hold'));
    const queued = pool.run(scripted('answer'));
    await sleep(50);
    await pool.close(10);
    for (const result of [await running, await queued, await pool.run(scripted('answer'))])
      expect(result).toMatchObject({ outcome: 'unreachable', error: { code: 'INTERRUPTED' } });
  });
});

describe('the real thread', () => {
  const worker = path.resolve(import.meta.dirname, '../../dist/load-worker.js');

  test('loads and checks files over one connection', async () => {
    // `npm test` builds before it tests.
    expect(existsSync(worker)).toBe(true);
    pool = new LoadPool({ size: 1, workerUrl: new URL(`file://${worker}`) });
    const results = [];
    for (const name of ['a.csv', 'b.csv'])
      results.push(await pool.run(bench.job(bench.put(name, `id,name\n1,${name}\nx,y\n`), feedOf())));
    expect(results).toMatchObject([
      { outcome: 'loaded', rows: { read: 2, loaded: 1, quarantined: 1 } },
      { outcome: 'loaded', rows: { read: 2, loaded: 1, quarantined: 1 } },
    ]);
    expect(await pool.check(bench.job(bench.put('c.csv', 'id,name\n1,a\n')))).toMatchObject({
      outcome: 'checked',
      rows: { read: 1, loaded: 1 },
    });
    expect(
      await bench.query(
        `select count(*)::int as n from pg_stat_activity where datname = current_database() and application_name like '% load'`,
      ),
    ).toEqual([{ n: 1 }]);
    await pool.close();
    expect(await bench.query('select count(*)::int as n from staging.t')).toEqual([{ n: 2 }]);
  });
});
