import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { FileReport } from '../../src/core/report.js';
import { start, tallyman, workspace, type Ended, type Workspace } from '../support/cli.js';
import { createDatabase, type TestDatabase } from '../support/postgres.js';
import { column, csv, put, until, type Listed } from './support.js';

/**
 * docs/spec/running.md and what docs/spec/commands.md says of a running daemon. Each test has a workspace of its own;
 * the daemon of a test that fails is killed.
 */
let db: TestDatabase;
let n = 0;
let ws: Workspace;
let running: ReturnType<typeof start> | null = null;

beforeAll(async () => {
  db = await createDatabase();
});
afterAll(async () => {
  await db.drop();
});
afterEach(async () => {
  running?.child.kill('SIGKILL');
  await running?.ended;
  running = null;
  ws.remove();
});

const columns = [
  { name: 'id', type: 'integer' },
  { name: 'v', type: 'text' },
];

/**
 * A daemon on a fresh workspace with one feed of a fresh name. Its poll is an hour: what happens soon, happens by
 * events.
 */
async function daemon(
  feed: Record<string, unknown> = {},
  top: Record<string, unknown> = {},
  url = db.url,
): Promise<string> {
  const name = `d${++n}`;
  ws = workspace(
    url,
    { [name]: { columns, ...feed, source: { poll: '1h', ...(feed['source'] as object | undefined) } } },
    top,
  );
  await go();
  return name;
}

async function go(): Promise<void> {
  running = start(['run', '-c', ws.config], { cwd: ws.dir });
  await until(() => running!.output().includes('"watching"'), 'the daemon to watch');
}

async function stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Ended> {
  running!.child.kill(signal);
  const ended = await running!.ended;
  running = null;
  return ended;
}

const listed = async (match: string): Promise<FileReport | undefined> =>
  ((await ws.json('files', '--match', match)) as Listed).items[0];
const inState = (match: string, state: string): Promise<FileReport> =>
  until(
    async () => ((await listed(match))?.state === state ? await listed(match) : null),
    `${match} to be ${state}; ${running?.output() ?? ''}`,
  );
const receipts = (feed: string): Promise<readonly (string | null)[]> =>
  column(db, `select path || ':' || status from tallyman.loads where feed = '${feed}' order by load_id`);
const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });

describe('files', () => {
  test('a file that is dropped is loaded by its event, a changed one too, and SIGTERM drains with exit 0', async () => {
    const feed = await daemon();
    put(ws, feed, 'a.csv', csv('1,a'));
    await inState('a.csv', 'loaded');
    put(ws, feed, 'a.csv', csv('2,b', '3,c'));
    await until(async () => (await receipts(feed)).length === 2, 'the further version');
    const ended = await stop();
    expect([ended.code, ended.stdout]).toEqual([0, '']);
  });

  test('what was dropped while nobody watched is loaded at the start', async () => {
    const feed = await daemon();
    await stop();
    put(ws, feed, 'a.csv', csv('1,a'));
    await go();
    await inState('a.csv', 'loaded');
  });

  test('many feeds wait beside each other and nothing is taken for a leak', async () => {
    const name = `d${++n}`;
    const feeds = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`${name}_${i}`, { columns }]));
    ws = workspace(db.url, feeds);
    await go();
    for (const feed of Object.keys(feeds)) put(ws, feed, `${feed}.csv`, csv(`1,${feed}`));
    await until(
      async () => ((await ws.json('files', '--state', 'loaded')) as Listed).items.length === 30,
      'all feeds to load',
    );
    expect((await stop()).stderr).not.toContain('Warning');
  });

  test('a ready marker that comes later releases the file', async () => {
    const feed = await daemon({ source: { ready: { marker: '{name}.done' } } });
    put(ws, feed, 'a.csv', csv('1,a'));
    put(ws, feed, 'b.csv', csv('2,b'));
    put(ws, feed, 'b.csv.done', '');
    await inState('b.csv', 'loaded');
    expect(await listed('a.csv')).toBeUndefined();
    put(ws, feed, 'a.csv.done', '');
    await inState('a.csv', 'loaded');
  });

  test('FIFOs, symbolic links and folders are never taken, and the reason is told once', async () => {
    const feed = await daemon({ source: { poll: '300ms' } });
    spawnSync('mkfifo', [path.join(ws.drop, 'pipe.csv')]);
    symlinkSync('/etc/passwd', path.join(ws.drop, 'link.csv'));
    mkdirSync(path.join(ws.drop, 'folder.csv'));
    put(ws, feed, 'a.csv', csv('1,a'));
    await inState('a.csv', 'loaded');
    await until(() => running!.output().includes('pipe.csv') && running!.output().includes('link.csv'), 'the reasons');
    put(ws, feed, 'readme.txt', 'not for us');
    put(ws, feed, 'b.csv', csv('2,b'));
    await inState('b.csv', 'loaded');
    const { stderr } = await stop();
    for (const name of ['pipe.csv', 'link.csv'])
      expect(stderr.split('\n').filter((line) => line.includes(name))).toEqual([expect.stringContaining('not taken')]);
    expect(stderr).not.toContain('readme.txt');
    expect(((await ws.json('files')) as Listed).items.map((item) => item.path).sort()).toEqual(['a.csv', 'b.csv']);
  });

  test('a folder that vanishes makes the feed unhealthy, and it recovers when the folder is back', async () => {
    const feed = await daemon({ source: { poll: '500ms' } });
    renameSync(ws.drop, `${ws.drop}-away`);
    await until(() => running!.output().includes('SOURCE_UNREACHABLE'), 'the feed to be unhealthy');
    mkdirSync(ws.drop);
    put(ws, feed, 'a.csv', csv('1,a'));
    await inState('a.csv', 'loaded');
    await until(() => running!.output().includes('source is back'), 'the word that it is back');
  });
});

describe('requests', () => {
  test('reprocess --wait: the daemon takes it up and the command ends with its outcome', async () => {
    const feed = await daemon();
    put(ws, feed, 'a.csv', csv('1,a', '2,b'));
    const { file_id: id } = await inState('a.csv', 'loaded');
    expect((await ws.run('reprocess', String(id), '--wait')).code).toBe(0);
    expect(await listed('a.csv')).toMatchObject({ file_id: id, state: 'loaded', generation: 2 });
    expect(await column(db, `select count(*) from staging.${feed}`)).toEqual(['2']);
  });
  test('ledger clear: the file is taken again within the next scan', async () => {
    const feed = await daemon();
    put(ws, feed, 'a.csv', csv('1,a'));
    const { file_id: id } = await inState('a.csv', 'loaded');
    await ws.run('ledger', 'clear', String(id));
    await until(
      async () => (await receipts(feed)).join() === 'a.csv:superseded,a.csv:loaded',
      'the file to be loaded again',
    );
    expect(await column(db, `select count(*) from staging.${feed}`)).toEqual(['1']);
  });
  test('retry --wait of a file that is rejected again ends with 1, release with 0', async () => {
    const feed = await daemon({ on_changed: 'hold' });
    put(ws, feed, 'a.csv', csv('x,a', 'y,b'));
    const { file_id: bad } = await inState('a.csv', 'rejected');
    expect((await ws.run('retry', String(bad), '--wait')).code).toBe(1);
    put(ws, feed, 'h.csv', csv('1,a'));
    await inState('h.csv', 'loaded');
    put(ws, feed, 'h.csv', csv('2,b'));
    const { file_id: held } = await inState('h.csv', 'held');
    expect((await ws.run('release', String(held), '--wait')).code).toBe(0);
    expect(await listed('h.csv')).toMatchObject({ state: 'loaded' });
  });
});

describe('signals', () => {
  test('SIGINT ends with 0 too', async () => {
    await daemon();
    expect((await stop('SIGINT')).code).toBe(0);
  });

  test('a load under way is finished before the end; a second signal ends at once and nothing is half loaded', async () => {
    // The load waits for this lock on its table.
    const feed = await daemon();
    put(ws, feed, 'a.csv', csv('1,a'));
    await inState('a.csv', 'loaded');
    await db.client.query(`begin; lock table staging.${feed} in access exclusive mode`);
    put(ws, feed, 'b.csv', csv('2,b'));
    await inState('b.csv', 'loading');
    running!.child.kill('SIGTERM');
    await until(() => running!.output().length > 0, 'it to hear');
    await db.client.query('rollback');
    const drained = await running!.ended;
    running = null;
    expect(drained.code).toBe(0);
    expect(await receipts(feed)).toEqual(['a.csv:loaded', 'b.csv:loaded']);

    await go();
    await db.client.query(`begin; lock table staging.${feed} in access exclusive mode`);
    put(ws, feed, 'c.csv', csv('3,c'));
    await inState('c.csv', 'loading');
    running!.child.kill('SIGTERM');
    await new Promise((resolve) => setTimeout(resolve, 300));
    const ended = await stop('SIGTERM');
    expect(ended.code).toBe(143);
    await db.client.query('rollback');
    await go();
    await inState('c.csv', 'loaded');
    expect(await column(db, `select id from staging.${feed} order by 1`)).toEqual(['1', '2', '3']);
  });

  test('run --once that is interrupted ends with 143, what was loaded is reported', async () => {
    const name = `d${++n}`;
    ws = workspace(db.url, { [name]: { columns, source: { settle: '1h' } } });
    put(ws, name, 'a.csv', csv('1,a'));
    running = start(['run', '--once', '--json', '-c', ws.config], { cwd: ws.dir });
    await until(
      async () =>
        (
          await column(
            db,
            'select 1 from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
          )
        ).length > 0,
      'it to work',
    );
    const ended = await stop();
    expect(ended.code).toBe(143);
    expect(JSON.parse(ended.stdout.trim().split('\n').at(-1) ?? '')).toMatchObject({
      message_type: 'summary',
      exit_code: 143,
    });
  });

  test('SIGHUP: a good config is swapped in, a bad one is reported and the old one stays', async () => {
    const feed = await daemon();
    const config = readFileSync(ws.config, 'utf8');
    writeFileSync(ws.config, config.replace('"feeds"', '"feedz"'));
    running!.child.kill('SIGHUP');
    await until(() => running!.output().includes('the old one stays'), 'the bad config to be reported');
    put(ws, feed, 'a.csv', csv('1,a'));
    await until(async () => (await receipts(feed)).length === 1, 'the file to be loaded under the old config');
    mkdirSync(path.join(ws.dir, 'drop', 'second'));
    const withSecond = JSON.parse(config) as { feeds: Record<string, Record<string, unknown>> };
    withSecond.feeds[`${feed}b`] = {
      ...withSecond.feeds[feed],
      source: { type: 'local', dir: 'drop/second', pattern: '*.csv', settle: '0s' },
    };
    writeFileSync(ws.config, JSON.stringify(withSecond));
    running!.child.kill('SIGHUP');
    await until(() => running!.output().includes('goes on with the new config'), 'the new config');
    writeFileSync(path.join(ws.dir, 'drop', 'second', 'b.csv'), csv('2,b'));
    await inState('b.csv', 'loaded');
    put(ws, feed, 'c.csv', csv('3,c'));
    await inState('c.csv', 'loaded');
    expect((await stop()).code).toBe(0);
  });

  test('a storm of SIGHUP under a long load: it ends with the config it began with, other feeds go on', async () => {
    const slow = `d${++n}`;
    const other = `${slow}b`;
    ws = workspace(db.url, {
      [slow]: { columns },
      [other]: { columns },
    });
    // Each row waits until the test lets them go.
    await db.client.query(`create schema if not exists staging;
      create table staging.${slow} (_load_id bigint, _row bigint, id integer, v text);
      create table ${slow}_go ();
      create function ${slow}() returns trigger language plpgsql as
        'begin
           while not exists (select from public.${slow}_go) loop perform pg_catalog.pg_sleep(0.05); end loop;
           return new;
         end';
      create trigger slow before insert on staging.${slow} for each row execute function ${slow}()`);
    await go();
    put(ws, slow, 'long.csv', csv(...Array.from({ length: 12 }, (_, i) => `${i},x`)));
    await inState('long.csv', 'loading');
    const config = JSON.parse(readFileSync(ws.config, 'utf8')) as Record<string, unknown> & {
      feeds: Record<string, Record<string, unknown>>;
    };
    config.feeds[slow]!['limits'] = { min_rows: 100 };
    config['daemon'] = { http: false, log: { level: 'debug' } };
    writeFileSync(ws.config, JSON.stringify(config));
    for (let i = 0; i < 50; i++) running!.child.kill('SIGHUP');
    await until(() => running!.output().includes('goes on with the new config'), 'the new config');
    put(ws, other, 'b.csv', csv('1,b'));
    await inState('b.csv', 'loaded');
    expect((await listed('long.csv'))?.state).toBe('loading');
    await db.client.query(`insert into ${slow}_go default values`);
    const long = await inState('long.csv', 'loaded');
    // Under the new config of its feed.
    put(ws, slow, 'short.csv', csv('1,b'));
    await inState('short.csv', 'rejected');
    expect([long.attempts, long.rows.loaded]).toEqual([1, 12]);
    const ended = await stop();
    expect(ended.code).toBe(0);
    expect(ended.stderr).toContain(`"changed":["${slow}"],"added":[],"removed":[]`);
    expect(ended.stderr).not.toContain('INTERRUPTED');
  });

  test('SIGHUP: what only a new start can change is refused by name, and nothing is taken', async () => {
    const feed = await daemon();
    const config = JSON.parse(readFileSync(ws.config, 'utf8')) as Record<string, unknown>;
    writeFileSync(
      ws.config,
      JSON.stringify({
        ...config,
        daemon: { http: { listen: '127.0.0.1:1' }, concurrency: 7 },
        feeds: { more: (config['feeds'] as Record<string, unknown>)[feed] },
      }),
    );
    running!.child.kill('SIGHUP');
    await until(
      () =>
        running!
          .output()
          .includes('the old one stays: daemon.concurrency, daemon.http cannot change while tallyman runs'),
      'the keys to be named',
    );
    put(ws, feed, 'a.csv', csv('1,a'));
    await inState('a.csv', 'loaded');
    expect((await stop()).stderr).not.toContain('goes on with the new config');
  });
});

describe('one tallyman a data_dir', () => {
  test('a second run ends with 11 and names the pid of the first; other commands work beside it', async () => {
    await daemon();
    for (const args of [['run'], ['run', '--once']]) {
      const second = await ws.run(...args, '--json');
      expect(second.code).toBe(11);
      expect(JSON.parse(second.stderr)).toMatchObject({ code: 'ALREADY_RUNNING' });
      expect(second.stderr).toContain(String(running!.child.pid));
    }
    expect((await ws.run('status')).code).toBe(0);
  });
  test('after SIGKILL the lock is free', async () => {
    await daemon();
    running!.child.kill('SIGKILL');
    await running!.ended;
    running = null;
    expect((await ws.once()).code).toBe(0);
  });
});

describe('HTTP', () => {
  test('/livez and /readyz are open, /metrics asks for the token, counters hold all counts of a file', async () => {
    const port = await freePort();
    const feed = await daemon({}, { daemon: { http: { listen: `127.0.0.1:${port}`, token: 'let-me-in' } } });
    const get = (where: string, token?: string): Promise<Response> =>
      fetch(
        `http://127.0.0.1:${port}${where}`,
        token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } },
      );
    expect((await get('/livez')).status).toBe(200);
    await until(async () => (await get('/readyz')).status === 200, 'it to be ready');
    expect((await get('/metrics')).status).toBe(401);
    expect((await get('/metrics', 'wrong')).status).toBe(401);
    // Counters are there before the first file.
    const before = await (await get('/metrics', 'let-me-in')).text();
    for (const name of [`rows_read_total{feed="${feed}"}`, `files_total{feed="${feed}",state="failed"}`])
      expect(before).toContain(`tallyman_${name} 0`);
    put(ws, feed, 'a.csv', csv('1,a', 'x,b', '2,c'));
    await inState('a.csv', 'loaded');
    const text = await (await get('/metrics', 'let-me-in')).text();
    expect(text).toContain(`tallyman_files_total{feed="${feed}",state="loaded"} 1`);
    expect(text).toContain(`tallyman_rows_read_total{feed="${feed}"} 3`);
    expect(text).toContain(`tallyman_rows_loaded_total{feed="${feed}"} 2`);
    expect(text).toContain(`tallyman_rows_quarantined_total{feed="${feed}"} 1`);
    for (const line of text.split('\n')) if (line !== '' && !line.startsWith('#')) expect(line).toMatch(/^tallyman_/);
    rmSync(ws.drop, { recursive: true });
    await ws.run('status');
    expect((await stop()).stderr).not.toContain('let-me-in');
  });
  test('run --once never listens; a port that is taken is told', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    ws = workspace(db.url, { [`d${++n}`]: { columns } }, { daemon: { http: { listen: `127.0.0.1:${port}` } } });
    expect((await ws.once()).code).toBe(0);
    const ended = await tallyman(['run', '-c', ws.config, '--json']);
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain(String(port));
    await new Promise((resolve) => server.close(resolve));
  });
});
