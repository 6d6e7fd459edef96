import { spawn, type ChildProcess } from 'node:child_process';
import { openSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { tallyman, workspace, type Workspace } from '../support/cli.js';
import { createDatabase, type TestDatabase } from '../support/postgres.js';
import { column, csv, put, until } from './support.js';

/** docs/spec/running.md#the-log: whatever becomes of the log, the work goes on. */
const MAIN = path.resolve(import.meta.dirname, '../../dist/main.js');
const UNREAD = path.resolve(import.meta.dirname, '../support/unread.py');
const columns = [
  { name: 'id', type: 'integer' },
  { name: 'v', type: 'text' },
];
let db: TestDatabase;
let ws: Workspace;
let child: ChildProcess | null = null;
let n = 0;

beforeAll(async () => {
  db = await createDatabase();
});
afterAll(async () => {
  await db.drop();
});
afterEach(() => {
  // The helper ends its daemon when its stdin ends.
  child?.stdin?.end();
  child?.kill('SIGKILL');
  child = null;
  ws.remove();
});

const place = (feed: string, top: object = {}): void => {
  ws = workspace(db.url, { [feed]: { columns, source: { poll: '300ms' } } }, { ...top });
};
const loaded = (feed: string, files: number): Promise<unknown> =>
  until(
    async () =>
      (await column(db, `select path from tallyman.loads where feed = '${feed}' and status = 'loaded'`).catch(() => []))
        .length === files,
    `${files} files to be loaded`,
  );
const exit = (of: ChildProcess): Promise<number | null> => new Promise((resolve) => of.once('close', resolve));

describe('a log that cannot be written', () => {
  test.each(['pipe', 'socket', 'pty'])(
    'a %s that nobody reads: files are loaded, SIGTERM is obeyed, and what waited is there for who reads later',
    async (kind) => {
      const feed = `u${++n}`;
      place(feed, { daemon: { http: false, log: { level: 'debug' } } });
      put(ws, feed, 'a.csv', csv('1,a'));
      child = spawn('python3', [UNREAD, kind, process.execPath, MAIN, 'run', '-c', ws.config], {
        cwd: ws.dir,
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      let read = '';
      child.stdout!.setEncoding('utf8').on('data', (text: string) => (read += text));
      await loaded(feed, 1);
      expect(read).toMatch(/^filled \d+\n$/);
      if (kind === 'pipe') {
        child.stdin!.write('read\n');
        await until(() => read.includes('a.csv: loaded 1 of 1 rows'), 'the lines that waited');
      }
      put(ws, feed, 'b.csv', csv('2,b'));
      await loaded(feed, 2);
      const ended = exit(child);
      child.stdin!.write('term\n');
      expect(await ended).toBe(0);
    },
  );

  test('a full disk: files are loaded and the daemon ends as it should', async () => {
    const feed = `u${++n}`;
    place(feed);
    put(ws, feed, 'a.csv', csv('1,a'));
    child = spawn(process.execPath, [MAIN, 'run', '-c', ws.config], {
      cwd: ws.dir,
      stdio: ['ignore', openSync('/dev/full', 'w'), openSync('/dev/full', 'w')],
    });
    await loaded(feed, 1);
    const ended = exit(child);
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
  });
});

describe('output that cannot be written', () => {
  test('every command that prints data ends with 5 and says why; a reader that has seen enough is no error', async () => {
    const feed = `u${++n}`;
    place(feed);
    put(ws, feed, 'a.csv', csv('1,a', 'x,b'));
    const run = (args: readonly string[], stdout: number): Promise<[number | null, string]> =>
      new Promise((resolve) => {
        let said = '';
        const one = spawn(process.execPath, [MAIN, ...args, '-c', ws.config], {
          cwd: ws.dir,
          stdio: ['ignore', stdout, 'pipe'],
        });
        one.stderr!.setEncoding('utf8').on('data', (text: string) => (said += text));
        one.once('close', (code) => resolve([code, said]));
      });
    // The work is done all the same.
    const full = openSync('/dev/full', 'w');
    expect(await run(['run', '--once', '--json'], full)).toEqual([
      5,
      expect.stringMatching(/"code":"DISK_FULL","message":"the output cannot be written: ENOSPC/),
    ]);
    await loaded(feed, 1);
    for (const args of [
      ['files', '--json'],
      ['files', 'show', '1'],
      ['status'],
      ['ddl'],
      ['config', 'print'],
      ['quarantine', 'export', '1'],
      ['quarantine', 'show', '1', '--json'],
      ['check'],
      ['ledger', 'verify'],
      ['load', '--help'],
    ])
      expect([args, ...(await run(args, full))]).toEqual([
        args,
        5,
        expect.stringContaining('the output cannot be written: ENOSPC'),
      ]);
    const head = spawn(
      'sh',
      [
        '-c',
        `"$@" | head -c 1 >/dev/null; echo "\${PIPESTATUS:-0}"`,
        'sh',
        process.execPath,
        MAIN,
        'files',
        '--json',
        '-c',
        ws.config,
      ],
      { cwd: ws.dir, stdio: ['ignore', 'ignore', 'pipe'] },
    );
    let said = '';
    head.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
    await exit(head);
    expect(said).toBe('');
  }, 120_000);
});

test('-q: a run without errors says nothing, one with errors says them', async () => {
  const feed = `u${++n}`;
  place(feed);
  put(ws, feed, 'a.csv', csv('1,a'));
  expect(await ws.run('run', '--once', '-q')).toMatchObject({ code: 0, stdout: '', stderr: '' });
  put(ws, feed, 'b.csv', 'other\n1\n');
  const { code, stdout, stderr } = await ws.run('run', '--once', '-q');
  expect([code, stdout]).toEqual([1, '']);
  expect(stderr).toMatch(/^error\[[A-Z_]+\]: b\.csv: [^\n]+\n {2}what to do: /);
});

describe('what names and cells bring along', () => {
  test('no name of a file forges a line or steers the terminal', async () => {
    const feed = `u${++n}`;
    place(feed);
    const name = 'a\n{"level":"error"}\u001b[2J\u009b2J\u202egpj.csv';
    put(ws, feed, name, csv('1,a', 'x,b'));
    for (const args of [
      ['run', '--once'],
      ['files'],
      ['files', 'show', '1'],
      ['quarantine'],
      ['status'],
      ['files', '--json'],
      ['run', '--once', '-v'],
    ]) {
      const { stdout, stderr } = await tallyman([...args, '-c', ws.config], { cwd: ws.dir });
      expect([args, /[\u001b\u009b\u202e]/.test(stdout + stderr), /^\{"level"/m.test(stdout + stderr)]).toEqual([
        args,
        false,
        false,
      ]);
    }
    expect(await ws.json('files', '--feed', feed)).toMatchObject({ items: [{ path: name }] });
  }, 120_000);

  test.each(['json', 'pretty'])("a line of the daemon's log is one line: %s", async (format) => {
    const feed = `u${++n}`;
    place(feed, { daemon: { http: false, log: { format } } });
    put(ws, feed, 'a\n[12:00:00] ERROR: forged\u009b2J\u202e.csv', csv('1,a'));
    let said = '';
    child = spawn(process.execPath, [MAIN, 'run', '-c', ws.config], {
      cwd: ws.dir,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    child.stderr!.setEncoding('utf8').on('data', (text: string) => (said += text));
    await until(() => said.includes('loaded 1 of 1'), 'the file to be loaded');
    const ended = exit(child);
    child.kill('SIGTERM');
    await ended;
    expect([/[\u009b\u202e]/.test(said), /^\[12:00:00\] ERROR: forged/m.test(said)]).toEqual([false, false]);
    expect(said).toContain(
      format === 'json'
        ? 'a\\n[12:00:00] ERROR: forged\\u009b2J\\u202e.csv: loaded'
        : 'a\\n[12:00:00] ERROR: forged\\u009b2J\\u202e.csv: loaded',
    );
  });
});
