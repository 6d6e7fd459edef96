import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { afterEach, describe, expect, test } from 'vitest';
import type { FileReport } from '../../src/core/report.js';
import { s3Client } from '../servers/s3.js';
import { s3Harness } from '../sources/s3/s3-harness.js';
import { workspace, type Workspace } from '../support/cli.js';
import { startFakeS3 } from '../support/fake-s3.js';
import { createDatabase, type TestDatabase } from '../support/postgres.js';
import { until } from '../e2e/support.js';
import { startDaemon, type Daemon } from './support/daemon.js';
import { csvFile, deliver, feedBooks } from './support/mixed.js';
import { bindMount, cannotMount, mountTmpfs, remount, unmount } from './support/mounts.js';
import { audit, type Book } from './support/oracle.js';
import { report } from './support/report.js';
import { findStrace, MAIN } from './support/strace.js';

/**
 * Disks that are full, fail, go away or may not be written: said, nothing claimed meanwhile, and it goes on by itself.
 */
const columns = [
  { name: 'id', type: 'bigint', required: true },
  { name: 'file', type: 'text' },
  { name: 'v', type: 'numeric(12,2)' },
];
const strace = findStrace();
const noMounts = cannotMount();
const cleanups: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

async function place(feed: Record<string, unknown> = {}): Promise<{ db: TestDatabase; ws: Workspace }> {
  const db = await createDatabase();
  cleanups.push(() => db.drop());
  const { source, ...rest } = feed;
  const ws = workspace(db.url, {
    f: { columns, limits: { bad_ratio: 0.9 }, ...rest, source: { poll: '500ms', ...(source as object | undefined) } },
  });
  cleanups.push(() => ws.remove());
  return { db, ws };
}

function daemonOf(ws: Workspace, through: readonly string[] = []): Daemon {
  const daemon = startDaemon(['run', '-c', ws.config], { cwd: ws.dir, through });
  cleanups.push(async () => {
    daemon.killGroup('SIGKILL');
    await daemon.ended;
  });
  return daemon;
}

const files = async (ws: Workspace): Promise<readonly FileReport[]> =>
  ((await ws.json('files', '--limit', '0')) as { items: FileReport[] }).items;

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

function spawned(
  program: string,
  args: readonly string[],
  cwd: string,
): Promise<{ readonly code: number | null; readonly stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd,
      env: { ...process.env, NO_COLOR: '1' },
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: 60_000,
    });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stderr }));
  });
}

/** strace's words for a fault in calls on these files (the others of the process go on). */
const injecting = (program: string, calls: string, what: string, paths: readonly string[]): readonly string[] => [
  program,
  '-f',
  '-qq',
  '-o',
  '/dev/null',
  ...paths.flatMap((file) => ['-P', file]),
  '-e',
  `trace=${calls}`,
  '-e',
  `inject=${calls}:${what}`,
];

describe('calls that fail, by strace', () => {
  for (const [calls, what, says] of [
    ['pwrite64', 'error=ENOSPC:when=12..40', /cannot grow|DISK_FULL/],
    ['fsync,fdatasync', 'error=EIO:when=4..9', /cannot be read or written|LEDGER_UNUSABLE|I\/O/],
  ] as const) {
    test(
      `the ledger's ${calls} answers ${what}: it is said, and when it is over every file is loaded once`,
      { timeout: 180_000 },
      async (context) => {
        if (strace.program === null) return context.skip(strace.reason);
        const { db, ws } = await place();
        const before = csvFile('before', 10);
        deliver(ws, 'f', 'before.csv', before);
        expect((await ws.once()).code).toBe(0);
        const ledger = path.join(ws.dir, 'data', 'ledger.db');
        const live = [before.book];
        for (let n = 0; n < 12; n++) {
          const content = csvFile(`n${n}`, 200, 7);
          live.push(content.book);
          deliver(ws, 'f', `n${n}.csv`, content);
        }
        const daemon = daemonOf(ws, injecting(strace.program, calls, what, [ledger, `${ledger}-wal`]));
        let said = '';
        try {
          await until(
            async () =>
              daemon.child.exitCode !== null ||
              (await files(ws)).filter(({ state }) => state === 'loaded').length === 13,
            'all to be loaded',
            90,
          );
        } finally {
          said = daemon.output();
        }
        expect(said).toMatch(says);
        // It may end with a clear error as well, for a supervisor to start it again: then that is what comes next.
        if (daemon.child.exitCode !== null) expect((await ws.once()).stderr).toBe('');
        daemon.killGroup('SIGKILL');
        await daemon.ended;
        await ws.once();
        await balanced(db, ws, live, `${what.split(':')[0]!.slice(6)} in ${calls} of the ledger`);
      },
    );
  }

  /** A feed over an S3 prefix. */
  async function lake(): Promise<{
    db: TestDatabase;
    ws: Workspace;
    put: (name: string, bytes: string | Buffer) => void;
  }> {
    const fake = await startFakeS3();
    cleanups.push(() => fake.close());
    const login = { endpoint: fake.endpoint, accessKeyId: 'KEY', secretAccessKey: 'not a secret' };
    const store = await s3Harness({
      ...login,
      client: s3Client(fake.endpoint, login.accessKeyId, login.secretAccessKey),
    });
    const db = await createDatabase();
    cleanups.push(() => db.drop());
    const ws = workspace(
      db.url,
      { unused: {} },
      {
        connections: {
          lake: {
            type: 's3',
            endpoint: login.endpoint,
            force_path_style: true,
            access_key_id: login.accessKeyId,
            secret_access_key: login.secretAccessKey,
          },
        },
        feeds: {
          f: {
            source: {
              type: 's3',
              connection: 'lake',
              bucket: store.bucket,
              prefix: 'in/',
              pattern: '*.csv',
              poll: '1s',
            },
            format: { type: 'csv' },
            columns,
          },
        },
      },
    );
    cleanups.push(() => ws.remove());
    return { db, ws, put: (name, bytes) => fake.put(store.bucket, `in/${name}`, Buffer.from(bytes)) };
  }

  test(
    'landing on a full disk: the feed pauses, no attempt is used, and it goes on by itself',
    { timeout: 180_000 },
    async (context) => {
      if (noMounts !== null) return context.skip(noMounts);
      const { db, ws, put } = await lake();
      const content = csvFile('remote', 50_000);
      put('a.csv', content.bytes);
      const landing = path.join(ws.dir, 'data', 'landing');
      mountTmpfs(landing, '256k');
      cleanups.push(() => {
        unmount(landing);
      });
      const daemon = daemonOf(ws);
      await until(() => /ENOSPC|LANDING_FULL|DISK_FULL/.test(daemon.output()), 'the full disk to be said', 60);
      expect((await files(ws)).map(({ state, attempts }) => [state, attempts])).toEqual([['discovered', 0]]);
      // What landing leaves to others counts too (64 MiB).
      remount(landing, 'size=256m');
      await until(async () => (await files(ws))[0]?.state === 'loaded', 'it to be loaded', 90);
      expect((await files(ws))[0]).toMatchObject({ attempts: 1 });
      daemon.killGroup('SIGKILL');
      await daemon.ended;
      await balanced(db, ws, [content.book], 'landing on a full disk');
    },
  );

  for (const what of ['EIO', 'ENOSPC'] as const) {
    test(
      `landing's writes and syncs answer ${what}: it is said, nothing is claimed, and it goes on by itself`,
      { timeout: 180_000 },
      async (context) => {
        if (strace.program === null) return context.skip(strace.reason);
        const { db, ws, put } = await lake();
        const content = csvFile('remote', 5_000);
        put('a.csv', content.bytes);
        // Only landing writes with pwritev; strace counts for each thread, so up to four landings fail.
        const daemon = daemonOf(ws, injecting(strace.program, 'pwritev', `error=${what}:when=1`, []));
        await until(async () => (await files(ws))[0]?.state === 'loaded', 'it to be loaded', 90);
        expect(daemon.output()).toMatch(new RegExp(`DISK_FULL.*${what}|${what}.*DISK_FULL`));
        expect((await files(ws))[0]).toMatchObject({ attempts: 1 });
        daemon.killGroup('SIGKILL');
        await daemon.ended;
        await balanced(db, ws, [content.book], `${what} in landing`);
      },
    );

    test(`quarantine export whose writes answer ${what}: it is said, exit 5, and no file that looks whole is left`, async (context) => {
      if (strace.program === null) return context.skip(strace.reason);
      if (noMounts !== null) return context.skip(noMounts);
      const { ws } = await place();
      deliver(ws, 'f', 'bad.csv', csvFile('bad', 20_000, 2));
      const { reports } = await ws.once();
      const out = path.join(ws.dir, 'export.jsonl');
      const exported = [
        'quarantine',
        'export',
        String(reports[0]!.file_id),
        '--format',
        'jsonl',
        '-o',
        out,
        '-c',
        ws.config,
      ];
      const before = new Set(readdirSync(ws.dir));
      // In a namespace of its own the process has a low number (strace is 1 and tries a few things first), so that the
      // name of its unfinished file is known beforehand.
      const unfinished = Array.from({ length: 20 }, (_, pid) => `${out}.${pid}.tmp`);
      const ended = await spawned(
        'unshare',
        [
          '--pid',
          '--fork',
          ...injecting(strace.program, 'write,writev', `error=${what}:when=2+`, unfinished),
          process.execPath,
          MAIN,
          ...exported,
        ],
        ws.dir,
      );
      expect(ended.code).toBe(5);
      expect(ended.stderr).toContain(what);
      expect(readdirSync(ws.dir).filter((name) => !before.has(name))).toEqual([]);
      expect((await ws.run(...exported.slice(0, -2))).code).toBe(0);
      report({ section: 'Clock and machine', fault: `${what} in quarantine export`, tries: 1, lost: 0, doubled: 0 });
    });
  }

  test('quarantine export onto a full disk: the reason is said, and no file that looks whole is left', async (context) => {
    if (noMounts !== null) return context.skip(noMounts);
    const { ws } = await place();
    deliver(ws, 'f', 'bad.csv', csvFile('bad', 20_000, 2));
    const { reports } = await ws.once();
    const small = path.join(ws.dir, 'small');
    mountTmpfs(small, '64k');
    cleanups.push(() => {
      unmount(small);
    });
    for (const format of ['csv', 'jsonl', 'html']) {
      const out = path.join(small, `export.${format}`);
      const ended = await ws.run('quarantine', 'export', String(reports[0]!.file_id), '--format', format, '-o', out);
      expect(ended.code).toBe(5);
      expect(ended.stderr).toMatch(/ENOSPC|no space left/);
      expect(existsSync(out)).toBe(false);
      rmSync(out, { force: true });
    }
    report({
      section: 'Clock and machine',
      fault: 'quarantine export onto a full disk',
      tries: 3,
      lost: 0,
      doubled: 0,
    });
  });
});

describe('mounts', () => {
  test(
    'data_dir on a full disk: nothing is claimed, the reason is said; room again, and it goes on by itself',
    { timeout: 180_000 },
    async (context) => {
      if (noMounts !== null) return context.skip(noMounts);
      const { db, ws } = await place();
      const data = path.join(ws.dir, 'data');
      mountTmpfs(data, '1m');
      cleanups.push(() => {
        unmount(data);
      });
      const daemon = daemonOf(ws);
      await daemon.said('"watching"');
      const first = csvFile('first', 20);
      deliver(ws, 'f', 'first.csv', first);
      await until(async () => (await files(ws))[0]?.state === 'loaded', 'the first file');
      // All that is left.
      const filler = path.join(data, 'filler');
      const { size } = statSync(data);
      expect(size).toBeGreaterThan(0);
      for (let block = 65_536; block >= 1; block = Math.floor(block / 16)) {
        try {
          for (;;) writeFileSync(filler, Buffer.alloc(block), { flag: 'a' });
        } catch (error) {
          expect(String(error)).toContain('ENOSPC');
        }
      }
      const live = [first.book];
      for (let n = 0; n < 40; n++) {
        const content = csvFile(`m${n}`, 20);
        live.push(content.book);
        deliver(ws, 'f', `m${n}.csv`, content);
      }
      await until(() => /cannot grow|DISK_FULL|ENOSPC/.test(daemon.output()), 'the full disk to be said', 60);
      expect(daemon.child.exitCode).toBe(null);
      rmSync(filler);
      remount(data, 'size=64m');
      await until(
        async () => (await files(ws)).filter(({ state }) => state === 'loaded').length === 41,
        'all to be loaded',
        90,
      );
      for (const { attempts } of await files(ws)) expect(attempts).toBe(1);
      daemon.child.kill('SIGTERM');
      expect((await daemon.ended).code).toBe(0);
      await balanced(db, ws, live, 'data_dir on a full disk');
    },
  );

  test('data_dir on a disk that is full before anything was made: DISK_FULL, 5, whatever it is that does not fit', async (context) => {
    if (noMounts !== null) return context.skip(noMounts);
    const { ws } = await place();
    const data = path.join(ws.dir, 'data');
    mountTmpfs(data, '1m');
    cleanups.push(() => unmount(data));
    const fills = [1_048_576, 1_044_480, 1_040_384, 1_032_192, 983_040, 917_504];
    for (const fill of fills) {
      for (const name of readdirSync(data)) rmSync(path.join(data, name), { recursive: true });
      writeFileSync(path.join(data, 'fill'), Buffer.alloc(fill));
      const { code, stderr } = await ws.run('run', '--once');
      expect([fill, code, stderr]).toEqual([fill, 5, expect.stringMatching(/^error\[DISK_FULL\]: /)]);
      expect(stderr).not.toMatch(/away|damaged/);
    }
    rmSync(path.join(data, 'fill'));
    deliver(ws, 'f', 'a.csv', csvFile('a', 20));
    expect((await ws.once()).code).toBe(0);
    report({
      section: 'Clock and machine',
      fault: 'data_dir on a disk that is full at the start',
      tries: fills.length,
      lost: 0,
      doubled: 0,
    });
  });

  test('the log on a full disk: files are loaded, and when there is room the log says what it lacks', async (context) => {
    if (noMounts !== null) return context.skip(noMounts);
    const { db, ws } = await place();
    const logs = path.join(ws.dir, 'logs');
    mountTmpfs(logs, '64k');
    cleanups.push(() => unmount(logs));
    writeFileSync(path.join(logs, 'fill'), Buffer.alloc(65_536));
    const log = openSync(path.join(logs, 'log'), 'a');
    const daemon = spawn(process.execPath, [MAIN, 'run', '-c', ws.config], {
      cwd: ws.dir,
      stdio: ['ignore', log, log],
    });
    const ended = new Promise((resolve) => daemon.once('close', resolve));
    cleanups.push(async () => {
      daemon.kill('SIGKILL');
      await ended;
    });
    const live: Book[] = [];
    for (let n = 0; n < 3; n++) {
      const content = csvFile(`n${n}`, 50);
      live.push(content.book);
      deliver(ws, 'f', `n${n}.csv`, content);
      await until(async () => (await files(ws)).filter(({ state }) => state === 'loaded').length === n + 1, 'a load');
    }
    expect(statSync(path.join(logs, 'log')).size).toBe(0);
    rmSync(path.join(logs, 'fill'));
    await until(() => readFileSync(path.join(logs, 'log'), 'utf8').includes('n2.csv: loaded'), 'the log to go on');
    for (const line of readFileSync(path.join(logs, 'log'), 'utf8').trimEnd().split('\n')) JSON.parse(line);
    daemon.kill('SIGTERM');
    expect(await ended).toBe(0);
    await balanced(db, ws, live, 'the log on a full disk');
  });

  test('data_dir read-only: a clear error, nothing is loaded; writable again, and all is', async (context) => {
    if (noMounts !== null) return context.skip(noMounts);
    const { db, ws } = await place();
    const data = path.join(ws.dir, 'data');
    mountTmpfs(data, '32m');
    cleanups.push(() => {
      unmount(data);
    });
    remount(data, 'ro');
    const content = csvFile('ro', 20);
    deliver(ws, 'f', 'ro.csv', content);
    for (const args of [['run'], ['run', '--once']]) {
      const ended = await ws.run(...args);
      expect(ended.code).toBe(1);
      expect(ended.stderr).toMatch(/read-only|EROFS|right to write/);
    }
    remount(data, 'rw');
    expect((await ws.once()).code).toBe(0);
    remount(data, 'ro');
    expect((await ws.run('run', '--once')).code).toBe(1);
    remount(data, 'rw');
    await balanced(db, ws, [content.book], 'data_dir read-only', 3);
  });

  test(
    'the drop folder is a mount that goes: the feed says so, no file is taken for gone; back again, it goes on',
    { timeout: 180_000 },
    async (context) => {
      if (noMounts !== null) return context.skip(noMounts);
      const { db, ws } = await place();
      const parent = path.join(ws.dir, 'share');
      const drop = path.join(parent, 'drop');
      mountTmpfs(parent, '32m');
      mkdirSync(drop);
      cleanups.push(() => {
        unmount(parent);
      });
      writeFileSync(ws.config, readFileSync(ws.config, 'utf8').replace('"drop/f"', '"share/drop"'));
      const daemon = daemonOf(ws);
      await daemon.said('"watching"');
      const live: Book[] = [];
      const put = (n: number): void => {
        const content = csvFile(`w${n}`, 30);
        live.push(content.book);
        writeFileSync(path.join(drop, `w${n}.csv`), content.bytes);
      };
      put(1);
      await until(async () => (await files(ws))[0]?.state === 'loaded', 'the first file');
      const tries = 3;
      for (let round = 0; round < tries; round++) {
        const said = daemon.output().split('SOURCE_UNREACHABLE').length;
        unmount(parent);
        await until(() => daemon.output().split('SOURCE_UNREACHABLE').length > said, 'the feed to miss its folder');
        mountTmpfs(parent, '32m');
        mkdirSync(drop);
        put(round + 2);
        await until(
          async () => (await files(ws)).filter(({ state }) => state === 'loaded').length === round + 2,
          'the feed to go on',
        );
      }
      expect((await files(ws)).filter(({ state }) => state !== 'loaded')).toEqual([]);
      daemon.child.kill('SIGTERM');
      expect((await daemon.ended).code).toBe(0);
      await balanced(db, ws, live, 'drop folder on a mount that goes and comes back', tries);
    },
  );

  test(
    'an empty mount point is left where the drop was: files that were not read yet are found again when the mount is back',
    { timeout: 180_000 },
    async (context) => {
      if (noMounts !== null) return context.skip(noMounts);
      const { db, ws } = await place();
      const kept = path.join(ws.dir, 'kept');
      mkdirSync(kept);
      const live: Book[] = [];
      for (let n = 0; n < 30; n++) {
        const content = csvFile(`k${n}`, 30);
        live.push(content.book);
        writeFileSync(path.join(kept, `k${n}.csv`), content.bytes);
      }
      bindMount(kept, ws.drop);
      cleanups.push(() => {
        unmount(ws.drop);
      });
      // Held up by a lock on its table, so that the mount goes while files are discovered and not read.
      await db.client.query(
        'create schema if not exists staging; create table staging.f (_load_id bigint not null, _row bigint not null, id bigint not null, file text, v numeric(12,2))',
      );
      await db.client.query('begin; lock table staging.f in access exclusive mode');
      const daemon = daemonOf(ws);
      await until(async () => (await files(ws)).length === 30, 'all to be discovered');
      unmount(ws.drop);
      await db.client.query('commit');
      await until(
        async () => (await files(ws)).every(({ state }) => !['loading', 'landing'].includes(state)),
        'the loads under way to end',
      );
      bindMount(kept, ws.drop);
      await until(
        async () => (await files(ws)).filter(({ state }) => state === 'loaded').length === 30,
        'all to be loaded',
        90,
      );
      daemon.child.kill('SIGTERM');
      expect((await daemon.ended).code).toBe(0);
      await balanced(db, ws, live, 'drop folder whose mount goes and leaves its mount point');
    },
  );

  test(
    'the drop folder on a full disk: reading goes on, the after action waits for room and is done',
    { timeout: 120_000 },
    async (context) => {
      if (noMounts !== null) return context.skip(noMounts);
      const { db, ws } = await place({ after: { loaded: { move: 'done' } } });
      mountTmpfs(ws.drop, '1m');
      cleanups.push(() => {
        unmount(ws.drop);
      });
      const content = csvFile('full', 30);
      writeFileSync(path.join(ws.drop, 'full.csv'), content.bytes);
      const filler = path.join(ws.drop, 'filler.bin');
      expect(() => {
        for (;;) writeFileSync(filler, Buffer.alloc(4_096), { flag: 'a' });
      }).toThrow('ENOSPC');
      expect((await ws.once()).reports.map(({ state }) => state)).toEqual(['loaded']);
      rmSync(filler);
      await ws.once();
      expect(existsSync(path.join(ws.drop, 'done', 'full.csv'))).toBe(true);
      await balanced(db, ws, [content.book], 'drop folder on a full disk');
    },
  );
});
