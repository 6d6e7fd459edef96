import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import type { FileReport } from '../../src/core/report.js';
import { workspace, type Workspace } from '../support/cli.js';
import { createDatabase, type TestDatabase } from '../support/postgres.js';
import { until } from '../e2e/support.js';
import { startDaemon, type Daemon } from './support/daemon.js';
import { csvFile, feedBooks, type Delivery } from './support/mixed.js';
import { audit, type Book } from './support/oracle.js';
import { FULL, report } from './support/report.js';

const columns = [
  { name: 'id', type: 'bigint', required: true },
  { name: 'file', type: 'text' },
  { name: 'v', type: 'numeric(12,2)' },
];
const ROUNDS = FULL ? 30 : 2;
const cleanups: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

async function database(): Promise<TestDatabase> {
  const db = await createDatabase();
  cleanups.push(() => db.drop());
  return db;
}

/** A data_dir of its own; `drop` = the folder that it shares with another. */
function instance(db: TestDatabase, drop: string | null = null, feed: Record<string, unknown> = {}): Workspace {
  const ws = workspace(db.url, {
    f: { columns, ...feed, source: { poll: '500ms', ...(drop === null ? {} : { dir: drop }) } },
  });
  cleanups.push(() => ws.remove());
  return ws;
}

function sharedDrop(): string {
  const dir = mkdtempSync(path.join(tmpdir(), 'tallyman-shared-'));
  cleanups.push(() => {
    rmSync(dir, { recursive: true, force: true });
  });
  return dir;
}

function daemonOf(ws: Workspace): Daemon {
  const daemon = startDaemon(['run', '-c', ws.config], { cwd: ws.dir });
  cleanups.push(async () => {
    daemon.killGroup('SIGCONT');
    daemon.killGroup('SIGKILL');
    await daemon.ended;
  });
  return daemon;
}

async function stop(daemon: Daemon): Promise<void> {
  daemon.child.kill('SIGTERM');
  expect((await daemon.ended).code).toBe(0);
}

/** Complete at once: written beside, renamed in. */
function drop(dir: string, name: string, { bytes }: Delivery): void {
  const beside = path.join(dir, `${name}.tmp`);
  writeFileSync(beside, bytes);
  renameSync(beside, path.join(dir, name));
}

const files = async (ws: Workspace): Promise<readonly FileReport[]> =>
  ((await ws.json('files', '--limit', '0')) as { items: FileReport[] }).items;
const ended = (items: readonly FileReport[]): boolean =>
  items.every(({ state }) => !['discovered', 'landing', 'landed', 'loading'].includes(state));

/** The books as each of the instances sees them: one database, so the rows are those of all. */
async function balanced(
  db: TestDatabase,
  instances: readonly Workspace[],
  live: readonly Book[],
  fault: string,
  tries: number,
): Promise<void> {
  const audits = [];
  for (const ws of instances) audits.push(await audit(ws, db.client, { feeds: [feedBooks('f', live)] }));
  const [first] = audits;
  report({
    section: 'Two of us',
    fault,
    tries,
    files: audits.reduce((sum, { files: n }) => sum + n, 0),
    rows: first!.rows,
    lost: first!.lost,
    doubled: first!.doubled,
  });
  expect(audits.flatMap(({ problems }) => problems)).toEqual([]);
}

/** Until a backend of ours is in the middle of a COPY that has taken in some rows. */
const copying = (db: TestDatabase): Promise<number> =>
  until(async () => {
    const { rows } = await db.client.query<{ pid: number }>(
      `select pid from pg_stat_progress_copy where datname = current_database() and tuples_processed > 1000 and relid = to_regclass('staging.f')`,
    );
    return rows[0]?.pid;
  }, 'a COPY under way');

describe('two on one data_dir', () => {
  test('the second `run` ends with exit 11 and names the first; commands beside it work; killed, the lock is free at once', async () => {
    const db = await database();
    const ws = instance(db);
    const first = daemonOf(ws);
    await first.said('"watching"');
    for (const once of [[], ['--once']]) {
      const second = await ws.run('run', ...once);
      expect(second.code).toBe(11);
      expect(second.stderr).toContain(`Another tallyman (pid ${first.pid}`);
    }
    const content = csvFile('a', 100);
    drop(ws.drop, 'a.csv', content);
    await until(async () => (await files(ws))[0]?.state === 'loaded', 'a.csv to be loaded');
    first.killGroup('SIGKILL');
    await first.ended;
    expect((await ws.once()).code).toBe(0);
    await balanced(db, [ws], [content.book], 'two daemons on one data_dir: exit 11', 2);
  });

  test('a stopped holder still holds the lock: nothing is stolen by the clock', async () => {
    const db = await database();
    const ws = instance(db);
    const first = daemonOf(ws);
    await first.said('"watching"');
    first.child.kill('SIGSTOP');
    expect((await ws.run('run', '--once')).code).toBe(11);
    first.child.kill('SIGCONT');
    await stop(first);
  });
});

describe('two data_dirs on one drop and one database', () => {
  test(
    'every content is loaded once; the other one adopts it or records a duplicate',
    { timeout: 300_000 },
    async () => {
      const db = await database();
      const shared = sharedDrop();
      const both = [instance(db, shared), instance(db, shared)];
      const daemons = both.map((ws) => daemonOf(ws));
      for (const daemon of daemons) await daemon.said('"watching"');
      const live: Book[] = [];
      const count = ROUNDS * 5;
      for (let n = 0; n < count; n++) {
        const content = csvFile(`d${n}`, n % 5 === 0 ? 20_000 : 50);
        live.push(content.book);
        drop(shared, `d${n}.csv`, content);
        if (n % 4 === 0) drop(shared, `same${n}.csv`, content);
      }
      const names = count + Math.ceil(count / 4);
      for (const ws of both) {
        await until(
          async () => {
            const items = await files(ws);
            return items.length === names && ended(items);
          },
          'both to be through',
          200,
        );
        for (const { state } of await files(ws)) expect(['loaded', 'duplicate']).toContain(state);
      }
      for (const daemon of daemons) await stop(daemon);
      await balanced(db, both, live, 'two data_dirs on one drop and one database', count);
    },
  );
});

describe('a daemon stopped in mid-load and woken up after another one finished', () => {
  test('same content under another name: its COMMIT fails, it records a duplicate', { timeout: 120_000 }, async () => {
    const db = await database();
    const [slow, quick] = [instance(db), instance(db)];
    const content = csvFile('big', 400_000);
    const sleeper = daemonOf(slow);
    await sleeper.said('"watching"');
    drop(slow.drop, 'slow.csv', content);
    await copying(db);
    sleeper.child.kill('SIGSTOP');
    drop(quick.drop, 'quick.csv', content);
    expect((await quick.once()).reports.map(({ state }) => state)).toEqual(['loaded']);
    sleeper.child.kill('SIGCONT');
    await until(async () => ended(await files(slow)), 'the sleeper to end its file', 60);
    expect((await files(slow)).map(({ state }) => state)).toEqual(['duplicate']);
    await stop(sleeper);
    await balanced(
      db,
      [slow, quick],
      [content.book],
      'SIGSTOP in mid-load, the same content loaded meanwhile under another name',
      1,
    );
  });

  test(
    'same file, and the server gave up on the sleeper: the other one loads it, the sleeper takes that load for its own',
    { timeout: 180_000 },
    async () => {
      const db = await database();
      const shared = sharedDrop();
      const [slow, quick] = [instance(db, shared), instance(db, shared)];
      const content = csvFile('big', 400_000);
      const sleeper = daemonOf(slow);
      await sleeper.said('"watching"');
      drop(shared, 'big.csv', content);
      const pid = await copying(db);
      sleeper.child.kill('SIGSTOP');
      // What a restart of the server, a lost network or a time-out does.
      await db.client.query('select pg_terminate_backend($1)', [pid]);
      expect((await quick.once()).reports.map(({ state }) => state)).toEqual(['loaded']);
      sleeper.child.kill('SIGCONT');
      await until(async () => ended(await files(slow)), 'the sleeper to end its file', 90);
      expect(['loaded', 'duplicate']).toContain((await files(slow))[0]?.state);
      await stop(sleeper);
      await balanced(
        db,
        [slow, quick],
        [content.book],
        'SIGSTOP in mid-load, its backend ended, the same file loaded meanwhile',
        1,
      );
    },
  );

  test(
    `stopped at ${ROUNDS} random moments while the other one works on the same files`,
    { timeout: 60_000 + ROUNDS * 20_000 },
    async () => {
      const db = await database();
      const shared = sharedDrop();
      const both = [instance(db, shared), instance(db, shared)];
      const daemons = both.map((ws) => daemonOf(ws));
      for (const daemon of daemons) await daemon.said('"watching"');
      const live: Book[] = [];
      for (let n = 0; n < ROUNDS; n++) {
        const content = csvFile(`s${n}`, 30_000);
        live.push(content.book);
        drop(shared, `s${n}.csv`, content);
        const sleeper = daemons[n % 2]!;
        await sleep(Math.random() * 400);
        sleeper.child.kill('SIGSTOP');
        await sleep(500 + Math.random() * 500);
        sleeper.child.kill('SIGCONT');
      }
      for (const ws of both) {
        await until(
          async () => {
            const items = await files(ws);
            return items.length === ROUNDS && ended(items);
          },
          'both to be through',
          60 + ROUNDS * 10,
        );
      }
      for (const daemon of daemons) await stop(daemon);
      await balanced(db, both, live, 'one of two stopped with SIGSTOP at random moments', ROUNDS);
    },
  );
});

describe('the CLI beside the daemon', () => {
  test(
    `reprocess ${ROUNDS * 3} times while versions of the same file load: its rows are there once`,
    { timeout: 120_000 + ROUNDS * 20_000 },
    async () => {
      const db = await database();
      const ws = instance(db, null, { on_changed: 'replace' });
      const daemon = daemonOf(ws);
      await daemon.said('"watching"');
      let content = csvFile('r0', 20_000);
      drop(ws.drop, 'r.csv', content);
      await until(async () => (await files(ws))[0]?.state === 'loaded', 'the first version');
      for (let n = 1; n <= ROUNDS * 3; n++) {
        const newest = (await files(ws))[0]!;
        // Asked for twice at once, while a new version may be loading: carried out one after the other, or refused.
        const asked = [
          ws.run('reprocess', String(newest.file_id), '--yes'),
          ws.run('reprocess', String(newest.file_id), '--yes'),
        ];
        if (n % 2 === 0) {
          content = csvFile(`r${n}`, 20_000);
          drop(ws.drop, 'r.csv', content);
        }
        // Carried out; or it is no end state just now (2), or other bytes stand there by now (1).
        for (const { code, stderr } of await Promise.all(asked)) expect([0, 1, 2], stderr).toContain(code);
      }
      await until(
        async () => {
          const items = await files(ws);
          return (
            ended(items) && items.some(({ sha256, state }) => sha256 === content.book.sha256 && state === 'loaded')
          );
        },
        'the last version',
        60,
      );
      await sleep(1_000);
      await until(async () => ended(await files(ws)), 'the end of all requests', 60);
      await stop(daemon);
      await balanced(db, [ws], [content.book], 'reprocess beside the daemon that loads the same file', ROUNDS * 6);
    },
  );

  test('load and reprocess of the same file by several commands at once', { timeout: 120_000 }, async () => {
    const db = await database();
    const ws = instance(db);
    const content = csvFile('l', 20_000);
    mkdirSync(path.join(ws.dir, 'elsewhere'));
    drop(path.join(ws.dir, 'elsewhere'), 'l.csv', content);
    const named = path.join(ws.dir, 'elsewhere', 'l.csv');
    const daemon = daemonOf(ws);
    await daemon.said('"watching"');
    drop(ws.drop, 'l.csv', content);
    const codes = await Promise.all([1, 2, 3].map(() => ws.run('load', named, '--feed', 'f')));
    for (const { code, stderr } of codes) expect(code, stderr).toBe(0);
    await until(async () => ended(await files(ws)), 'all to end', 60);
    await stop(daemon);
    await balanced(db, [ws], [content.book], 'three `load` commands and the daemon on one content', 4);
  });
});
