import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import type { FileReport } from '../../src/core/report.js';
import { until } from '../e2e/support.js';
import { workspace, type Workspace } from '../support/cli.js';
import { createDatabase, type TestDatabase } from '../support/postgres.js';
import { startDaemon, type Daemon } from './support/daemon.js';
import { fakeClock, findFakeTime } from './support/fake-clock.js';
import { csvFile, deliver, feedBooks } from './support/mixed.js';
import { audit, type Book } from './support/oracle.js';
import { FULL, report } from './support/report.js';
import { MAIN } from './support/strace.js';

/** The clock jumps, the kernel drops events, descriptors run out, somebody says stop. */
const columns = [
  { name: 'id', type: 'bigint', required: true },
  { name: 'file', type: 'text' },
  { name: 'v', type: 'numeric(12,2)' },
];
const MANY = FULL ? 20_000 : 500;
const hasPrlimit = (): boolean => spawnSync('prlimit', ['--version']).status === 0;
const clock = findFakeTime();
const cleanups: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

async function place(
  feed: Record<string, unknown> = {},
  top: Record<string, unknown> = {},
): Promise<{ db: TestDatabase; ws: Workspace }> {
  const db = await createDatabase();
  cleanups.push(() => db.drop());
  const { source, ...rest } = feed;
  const ws = workspace(
    db.url,
    {
      f: { columns, limits: { bad_ratio: 0.9 }, ...rest, source: { poll: '500ms', ...(source as object | undefined) } },
    },
    top,
  );
  cleanups.push(() => ws.remove());
  return { db, ws };
}

function daemonOf(
  ws: Workspace,
  options: { readonly through?: readonly string[]; readonly env?: NodeJS.ProcessEnv } = {},
): Daemon {
  const daemon = startDaemon(['run', '-c', ws.config], { cwd: ws.dir, ...options });
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

const files = async (ws: Workspace): Promise<readonly FileReport[]> =>
  ((await ws.json('files', '--limit', '0')) as { items: FileReport[] }).items;

/** Asked of the database: a list of 20,000 files is not fetched again and again. */
const loads = (db: TestDatabase, count: number, seconds: number): Promise<true> =>
  until(
    async () => {
      const { rows } = await db.client.query<{ n: number }>(
        `select case when to_regclass('tallyman.loads') is null then 0 else (xpath('/row/n/text()', query_to_xml('select count(*) n from tallyman.loads where status = ''loaded''', false, true, '')))[1]::text::int end n`,
      );
      return rows[0]!.n >= count ? true : null;
    },
    `${count} loads`,
    seconds,
  );

async function balanced(
  db: TestDatabase,
  ws: Workspace,
  live: readonly Book[],
  fault: string,
  tries = 1,
): Promise<void> {
  const { problems, ...counts } = await audit(ws, db.client, { feeds: [feedBooks('f', live)] });
  report({
    section: 'Clock and machine',
    fault,
    tries,
    files: counts.files,
    rows: counts.rows,
    lost: counts.lost,
    doubled: counts.doubled,
  });
  expect(problems).toEqual([]);
}

function many(ws: Workspace, from: number, count: number): readonly Book[] {
  return Array.from({ length: count }, (_, i) => {
    const content = csvFile(`k${from + i}`, 2);
    deliver(ws, 'f', `k${from + i}.csv`, content);
    return content.book;
  });
}

describe('the clock', () => {
  test(
    'jumps to and fro under a running daemon: files that settle, wait and load are not held up',
    { timeout: 180_000 },
    async (context) => {
      if (clock.library === null) return context.skip(clock.reason);
      const { db, ws } = await place({ source: { settle: '200ms' } });
      const fake = fakeClock(clock.library, ws.dir);
      const daemon = daemonOf(ws, { env: fake.env });
      await daemon.said('"watching"');
      const live: Book[] = [];
      const jumps = ['-3d', '+1h', '+40d', '-400d', '+0', '+12h', '-12h'];
      for (const [i, offset] of jumps.entries()) {
        const before = csvFile(`b${i}`, 40);
        live.push(before.book);
        deliver(ws, 'f', `b${i}.csv`, before);
        // While it settles.
        await sleep(100);
        fake.set(offset);
        const after = csvFile(`a${i}`, 40);
        live.push(after.book);
        deliver(ws, 'f', `a${i}.csv`, after);
        await loads(db, live.length, 30);
      }
      await stop(daemon);
      const again = await ws.once();
      expect(again.reports).toEqual([]);
      await balanced(db, ws, live, 'wall clock set forwards and back', jumps.length);
    },
  );

  test(
    'was ahead by a day when an attempt failed: the file does not wait until then',
    { timeout: 120_000 },
    async (context) => {
      if (clock.library === null) return context.skip(clock.reason);
      const { db, ws } = await place({ retry: { attempts: 5, backoff: '1s', max_backoff: '2s' } });
      await db.client
        .query(`create schema staging; create table staging.f (_load_id bigint not null, _row bigint not null, id bigint, file text, v numeric(12,2));
      create function staging.eat() returns trigger language plpgsql as 'begin return null; end';
      create trigger eat before insert on staging.f for each row execute function staging.eat()`);
      const fake = fakeClock(clock.library, ws.dir);
      fake.set('+1d');
      const daemon = daemonOf(ws, { env: fake.env });
      await daemon.said('"watching"');
      const content = csvFile('w', 10);
      deliver(ws, 'f', 'w.csv', content);
      await daemon.said('TALLY_MISMATCH');
      fake.set('+0');
      await db.client.query('drop trigger eat on staging.f');
      await loads(db, 1, 30);
      await stop(daemon);
      await balanced(db, ws, [content.book], 'wall clock set back while a file waits for its next attempt');
    },
  );
});

describe('events', () => {
  const LIMIT = '/proc/sys/fs/inotify/max_queued_events';
  test(
    `${MANY} files while the queue of the kernel holds 16 events: the listing finds them all`,
    { timeout: FULL ? 1_800_000 : 240_000 },
    async (context) => {
      if (process.platform !== 'linux' || process.getuid?.() !== 0)
        return context.skip('the limit is set as root on Linux');
      const { db, ws } = await place();
      const before = readFileSync(LIMIT, 'utf8');
      writeFileSync(LIMIT, '16');
      let daemon: Daemon;
      try {
        daemon = daemonOf(ws);
        await daemon.said('"watching"');
        // The limit counts for queues that are made now; watching begins with the first listing.
        await sleep(1_000);
      } finally {
        writeFileSync(LIMIT, before);
      }
      daemon.child.kill('SIGSTOP');
      const live = many(ws, 0, MANY);
      daemon.child.kill('SIGCONT');
      await loads(db, MANY, FULL ? 1_500 : 200);
      await until(async () => (await ws.run('status', '--check')).code === 0, 'the last ends to be written');
      await stop(daemon);
      await balanced(db, ws, live, `${MANY} files at once, inotify queue of 16`);
    },
  );
});

describe('limits of the process', () => {
  test('256 open files at most, 4 loads at once: 350 files load', { timeout: 180_000 }, async (context) => {
    if (!hasPrlimit()) return context.skip('prlimit is not installed');
    const { db, ws } = await place({}, { daemon: { http: false, concurrency: 4 } });
    const live = [...many(ws, 0, 300)];
    const daemon = daemonOf(ws, { through: ['prlimit', '--nofile=256:256'] });
    await loads(db, 300, 120);
    live.push(...many(ws, 300, 50));
    await loads(db, 350, 60);
    expect(daemon.output()).not.toContain('EMFILE');
    await stop(daemon);
    await balanced(db, ws, live, 'open-file limit of 256 and 4 loads at once');
  });

  test('too few to start with: it is said, with what to do, and no trace', (context) => {
    if (!hasPrlimit()) return context.skip('prlimit is not installed');
    // Enough for Node itself, too few for the files that a command is made of: how many that is depends on the Node.
    const ends = Array.from({ length: 20 }, (_, i) =>
      spawnSync('prlimit', [`--nofile=${34 - i}:${34 - i}`, process.execPath, MAIN, 'status'], { encoding: 'utf8' }),
    );
    const refused = ends.filter(({ stderr }) => stderr.includes('cannot be read: too many'));
    expect(refused.length).toBeGreaterThan(0);
    for (const { status, stderr } of refused)
      expect([status, stderr]).toEqual([
        5,
        expect.stringMatching(
          /^error\[[A-Z_]+\]: .*too many open files\n {2}what to do: Raise the limit of open files \(ulimit -n/,
        ) as string,
      ]);
  });

  test(
    'none left while it works: it is said, no file is blamed, and with more it goes on by itself',
    { timeout: 180_000 },
    async (context) => {
      if (!hasPrlimit()) return context.skip('prlimit is not installed');
      const { db, ws } = await place({}, { daemon: { http: false, concurrency: 4 } });
      const live = [...many(ws, 0, 50)];
      const daemon = daemonOf(ws);
      await loads(db, 50, 60);
      const pid = String(daemon.child.pid);
      spawnSync('prlimit', ['--pid', pid, `--nofile=${readdirSync(`/proc/${pid}/fd`).length}:4096`]);
      live.push(...many(ws, 50, 200));
      await daemon.said('EMFILE');
      await sleep(3_000);
      for (const { path, state, error } of await files(ws))
        expect([path, ['discovered', 'loading', 'loaded'].includes(state), error]).toEqual([path, true, null]);
      expect(daemon.output()).toContain('ulimit -n');
      // Not a line for each file.
      expect(
        daemon
          .output()
          .split('\n')
          .filter((line) => line.includes('EMFILE')).length,
      ).toBeLessThan(100);
      spawnSync('prlimit', ['--pid', pid, '--nofile=1024:4096']);
      await loads(db, 250, 60);
      for (const { attempts } of await files(ws)) expect(attempts).toBe(1);
      await stop(daemon);
      await balanced(db, ws, live, 'no open files left for a while, 4 loads at once');
    },
  );
});

describe('SIGTERM', () => {
  const STOPS = FULL ? 60 : 4;
  test(
    `at ${STOPS} moments from start-up to the end of a load: it ends with 0 within drain_timeout, and the rest is loaded later`,
    { timeout: 60_000 + STOPS * 20_000 },
    async () => {
      const { db, ws } = await place({}, { daemon: { http: false, drain_timeout: '10s' } });
      const live: Book[] = [];
      for (let n = 0; n < STOPS; n++) {
        const content = csvFile(`t${n}`, 30_000, 50);
        live.push(content.book);
        deliver(ws, 'f', `t${n}.csv`, content);
        const daemon = daemonOf(ws);
        // From the first sign of life: before it, Node itself has no handler and the signal ends the process at once,
        // which is as good.
        await daemon.said('"watching"');
        await sleep((n % 6) * 120);
        daemon.child.kill('SIGTERM');
        const ended = await Promise.race([daemon.ended, sleep(40_000).then(() => null)]);
        expect(ended).toMatchObject({ code: 0 });
        expect(daemon.output()).toContain('nothing is left half done');
        for (const { state } of await files(ws)) expect(['discovered', 'loaded']).toContain(state);
      }
      expect([0, 3]).toContain((await ws.once()).code);
      await balanced(db, ws, live, 'SIGTERM in every stage', STOPS);
    },
  );

  test(
    'a load that does not end in time is rolled back at drain_timeout; a second SIGTERM ends at once',
    { timeout: 120_000 },
    async () => {
      const { db, ws } = await place({}, { daemon: { http: false, drain_timeout: '1s' } });
      const first = csvFile('first', 10);
      deliver(ws, 'f', 'first.csv', first);
      await ws.once();
      // Somebody holds the table: the load waits for its lock.
      const big = csvFile('big', 5_000);
      for (const twice of [false, true]) {
        const daemon = daemonOf(ws);
        await daemon.said('"watching"');
        await db.client.query('begin; lock table staging.f in share mode');
        deliver(ws, 'f', 'big.csv', big);
        await until(
          async () =>
            (await db.client.query(`select 1 from pg_locks where not granted and relation = 'staging.f'::regclass`))
              .rows.length > 0,
          'the load to wait',
        );
        daemon.child.kill('SIGTERM');
        if (twice) {
          await sleep(300);
          daemon.child.kill('SIGTERM');
        }
        const ended = await Promise.race([daemon.ended, sleep(30_000).then(() => null)]);
        expect(ended?.code).toBe(twice ? 143 : 0);
        await db.client.query('rollback');
      }
      expect((await ws.once()).reports.map(({ state }) => state)).toEqual(['loaded']);
      await balanced(db, ws, [first.book, big.book], 'SIGTERM while a load waits for a lock; a second one', 2);
    },
  );
});
