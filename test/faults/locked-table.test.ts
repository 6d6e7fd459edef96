import { afterAll, beforeAll, expect, test } from 'vitest';
import { csv, put, until, type Listed } from '../e2e/support.js';
import { start, workspace, type Workspace } from '../support/cli.js';
import { connect, createDatabase, type TestDatabase } from '../support/postgres.js';
import { freePort } from './support/own-server.js';

/** Somebody holds one table for longer than a lock is waited for: that feed alone stands still. */
let db: TestDatabase;
let ws: Workspace;
let port: number;
beforeAll(async () => {
  db = await createDatabase();
  port = await freePort();
  const columns = [
    { name: 'id', type: 'integer' },
    { name: 'v', type: 'text' },
  ];
  ws = workspace(
    db.url,
    { held: { columns }, free: { columns } },
    { daemon: { http: { listen: `127.0.0.1:${port}` } } },
  );
});
afterAll(async () => {
  await db.drop();
  ws.remove();
});

const loaded = async (feed: string): Promise<number> =>
  ((await ws.json('files', '--feed', feed, '--state', 'loaded', '--limit', '1000')) as Listed).items.length;
const ready = async (): Promise<number> => (await fetch(`http://127.0.0.1:${port}/readyz`)).status;

test('the others load on and /readyz stays 200; when it is free again its files are loaded, none has used an attempt', async () => {
  const daemon = start(['run', '-c', ws.config], { cwd: ws.dir });
  const holder = await connect(db.url);
  try {
    for (const feed of ['held', 'free']) put(ws, feed, '0.csv', csv('0,a'));
    await until(async () => (await loaded('held')) === 1 && (await loaded('free')) === 1, 'the first files');
    await holder.query('begin; lock table staging.held in access exclusive mode');
    for (let n = 1; n <= 40; n++) put(ws, 'held', `${n}.csv`, csv(`${n},a`));
    await until(() => daemon.output().includes('DATABASE_BUSY'), 'the lock to be given up', 40);
    for (let n = 1; n <= 40; n++) {
      put(ws, 'free', `${n}.csv`, csv(`${n},a`));
      if (n % 10 === 0) {
        await until(async () => (await loaded('free')) === n + 1, `${n} files of the other feed`, 8);
        expect(await ready()).toBe(200);
      }
    }
    expect(await loaded('held')).toBe(1);
    await holder.query('rollback');
    await until(async () => (await loaded('held')) === 41, 'the files of the held table', 90);
    const { items } = (await ws.json('files', '--limit', '1000')) as Listed;
    expect(items.filter((item) => item.attempts !== 1 || item.error !== null)).toEqual([]);
  } finally {
    daemon.child.kill('SIGTERM');
    await holder.end();
  }
  expect((await daemon.ended).code).toBe(0);
}, 240_000);
