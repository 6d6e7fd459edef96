import { chmodSync, chownSync, readFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { spawnSync } from 'node:child_process';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { start, workspace, type Workspace } from '../support/cli.js';
import { createDatabase, type TestDatabase } from '../support/postgres.js';
import { put, until } from './support.js';

const MAIN = path.resolve(import.meta.dirname, '../../dist/main.js');
const columns = [{ name: 'id', type: 'integer' }];
let db: TestDatabase;
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

/**
 * A daemon from the very moment at which it has a word to say about signals. SIGHUP tells it, the last of them: Node
 * itself catches others before.
 */
async function born(): Promise<ReturnType<typeof start>> {
  running = start(['run', '-c', ws.config], { cwd: ws.dir });
  const { pid } = running.child;
  await until(() => {
    try {
      const mask = /^SigCgt:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0';
      return (BigInt(`0x${mask}`) & 1n) !== 0n;
    } catch {
      return false;
    }
  }, 'the signal to be caught');
  return running;
}

test.skipIf(process.platform !== 'linux')('a SIGHUP while the daemon starts waits until it has started', async () => {
  ws = workspace(db.url, { s1: { columns } });
  const daemon = await born();
  daemon.child.kill('SIGHUP');
  await until(() => daemon.output().includes('goes on with the new config'), 'the config to be read again');
  expect(daemon.output()).toContain('"watching"');
  daemon.child.kill('SIGTERM');
  expect((await daemon.ended).code).toBe(0);
  running = null;
});

test.skipIf(process.platform !== 'linux')('a SIGTERM while the daemon starts ends it in order', async () => {
  ws = workspace(db.url, { s2: { columns } });
  const daemon = await born();
  daemon.child.kill('SIGTERM');
  expect(await daemon.ended).toMatchObject({ code: 0, signal: null });
  running = null;
  put(ws, 's2', 'a.csv', 'id\n1\n');
  expect((await ws.once()).summary.files['loaded'] ?? 0).toBe(1);
});

/** Another user than root must get at the program. */
const cannotBeOther = ((): boolean => {
  if (process.getuid?.() !== 0) return true;
  const tried = spawnSync(process.execPath, [MAIN, '--version'], { uid: 12_345, gid: 12_345, cwd: '/', env: {} });
  return tried.status !== 0;
})();

test.skipIf(cannotBeOther)('a user without a name and without HOME is one like any other', () => {
  ws = workspace(db.url, { s3: { columns } });
  for (const file of [ws.dir, ws.config, ws.drop]) chownSync(file, 12_345, 12_345);
  chmodSync(path.dirname(ws.drop), 0o755);
  put(ws, 's3', 'a.csv', 'id\n1\n');
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [MAIN, ...args, '-c', ws.config], {
      uid: 12_345,
      gid: 12_345,
      cwd: ws.dir,
      env: {},
      encoding: 'utf8',
    });
  expect(run('check')).toMatchObject({ status: 0, stderr: '' });
  expect(run('run', '--once')).toMatchObject({ status: 0, stderr: '' });
  expect(run('files')).toMatchObject({ status: 0, stdout: expect.stringContaining('a.csv') as string });
});
