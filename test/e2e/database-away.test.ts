import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { chownSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { embeddedBinaries } from '../../src/postgres/embedded/binaries.js';
import { start, workspace, type Workspace } from '../support/cli.js';
import { connect } from '../support/postgres.js';
import { csv, put, reportOf, until, type Listed } from './support.js';

/**
 * docs/spec/states.md: "A source or database that cannot be reached pauses the feed: backoff without end, resumes by
 * itself, uses no attempt, changes no file's state."
 */
const NOBODY = 65534;
const user = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
let dir: string;
let port: number;
let server: ChildProcess;
let ws: Workspace;
let daemon: ReturnType<typeof start> | null = null;

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'tallyman-away-'));
  if ('uid' in user) chownSync(dir, NOBODY, NOBODY);
  const { initdb } = programs();
  const init = spawnSync(
    initdb,
    ['-D', path.join(dir, 'data'), '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'],
    { ...user, cwd: dir, encoding: 'utf8' },
  );
  if (init.status !== 0) throw new Error(init.stderr);
  port = await new Promise<number>((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
  ws = workspace(url(), {
    f: {
      columns: [
        { name: 'id', type: 'integer' },
        { name: 'v', type: 'text' },
      ],
    },
  });
});
afterAll(async () => {
  daemon?.child.kill('SIGKILL');
  await daemon?.ended;
  await stopServer();
  rmSync(dir, { recursive: true, force: true });
  ws.remove();
});

const programs = (): ReturnType<typeof embeddedBinaries> => embeddedBinaries('uid' in user ? NOBODY : null);
const url = (): string => `postgresql://postgres@127.0.0.1:${port}/postgres`;

async function startServer(): Promise<void> {
  const settings = [
    '-c',
    'listen_addresses=127.0.0.1',
    '-c',
    `port=${port}`,
    '-c',
    `unix_socket_directories=${dir}`,
    '-c',
    'fsync=off',
  ];
  server = spawn(programs().postgres, ['-D', path.join(dir, 'data'), ...settings], {
    ...user,
    cwd: dir,
    stdio: 'ignore',
  });
  await until(async () => {
    try {
      await (await connect(url())).end();
      return true;
    } catch {
      return false;
    }
  }, 'PostgreSQL to start');
}

async function stopServer(): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  server.kill('SIGINT');
  await new Promise((resolve) => server.once('exit', resolve));
}

const item = async (name: string): Promise<Listed['items'][number] | undefined> =>
  ((await ws.json('files', '--match', name)) as Listed).items[0];

test('down at the start: the daemon waits, files are discovered, /readyz would say so; up: they are loaded without a used attempt', async () => {
  daemon = start(['run', '-c', ws.config], { cwd: ws.dir });
  put(ws, 'f', 'a.csv', csv('1,a'));
  await until(() => daemon!.output().includes('DATABASE_UNREACHABLE'), 'the database to be missed');
  await until(async () => (await item('a.csv'))?.state === 'discovered', 'a.csv to be discovered');
  await startServer();
  await until(async () => (await item('a.csv'))?.state === 'loaded', 'a.csv to be loaded');
  expect(await item('a.csv')).toMatchObject({ attempts: 1, error: null });
});

test('stopped and started again under a running daemon: it goes on by itself, no attempt is used', async () => {
  await stopServer();
  put(ws, 'f', 'b.csv', csv('2,b'));
  await until(async () => (await item('b.csv'))?.state === 'discovered', 'b.csv to be discovered');
  await until(() => daemon!.output().split('DATABASE_UNREACHABLE').length > 2, 'the database to be missed again');
  await startServer();
  await until(async () => (await item('b.csv'))?.state === 'loaded', 'b.csv to be loaded', 60);
  expect(await item('b.csv')).toMatchObject({ attempts: 1, error: null });
  daemon!.child.kill('SIGTERM');
  expect((await daemon!.ended).code).toBe(0);
});

test('run --once without a database: exit 5, and the next one loads', async () => {
  await stopServer();
  put(ws, 'f', 'c.csv', csv('3,c'));
  const round = await ws.once();
  expect([round.code, round.reports]).toEqual([5, []]);
  expect((await ws.run('status', '--json')).code).toBe(5);
  await startServer();
  expect(reportOf(await ws.once(), 'f', 'c.csv')).toMatchObject({ state: 'loaded', attempts: 1 });
});

test('another database than the one that the ledger remembers: stop and explain, nothing is loaded', async () => {
  const client = await connect(url());
  await client.query('drop schema tallyman cascade');
  await client.end();
  put(ws, 'f', 'd.csv', csv('4,d'));
  const round = await ws.once();
  expect(round.code).toBe(5);
  expect(round.stderr).toContain('DATABASE_CHANGED');
  expect(round.reports).toEqual([]);
});
