import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startSshd, type Sshd } from '../servers/sshd.js';
import { start, tallyman, workspace, type Workspace } from '../support/cli.js';
import { createDatabase, type TestDatabase } from '../support/postgres.js';
import { csv, put, until } from './support.js';

/** Secrets are asked for only by what needs them, and a file that holds one is read again after it was refused. */
let db: TestDatabase;
let sshd: Sshd;
let ws: Workspace;

beforeAll(async () => {
  [db, sshd] = await Promise.all([createDatabase(), startSshd()]);
  ws = workspace(
    db.url,
    { near: {}, far: { source: { type: 'sftp', connection: 'acme', dir: 'upload', poll: '1s' } } },
    {
      database: { url: db.url, password: { file: 'db-password' } },
      daemon: { http: { listen: '127.0.0.1:0', token: { env: 'GONE_TOKEN' } } },
      connections: {
        acme: {
          type: 'sftp',
          host: sshd.host,
          port: sshd.port,
          user: sshd.user,
          password: { file: 'sftp-password' },
          host_key: await sshd.hostKey(),
        },
      },
    },
  );
}, 300_000);
afterAll(async () => {
  ws.remove();
  await Promise.all([db.drop(), sshd.close()]);
});

test('without them: check warns of each, files and status answer, and only what needs one ends with 78', async () => {
  const check = await ws.run('check');
  expect(check.code).toBe(0);
  for (const key of ['database.password', 'daemon.http.token', 'connections.acme.password'])
    expect(check.stdout).toContain(key);
  expect((await ws.run('files')).code).toBe(0);
  const status = await ws.run('status');
  expect(status.code).not.toBe(78);
  expect(status.stdout).toContain('near');
  const run = await ws.run('run', '--once', '--feed', 'near');
  expect([run.code, run.stderr]).toEqual([78, expect.stringContaining('database.password') as string]);
  expect(run.stderr).not.toContain('acme');
  const file = put(ws, 'near', 'a.csv', csv('1,a'));
  expect((await ws.run('load', file, '--feed', 'near')).code).toBe(78);
  expect((await ws.run('load', file, '--feed', 'near', '--dry-run')).code).toBe(0);
  writeFileSync(path.join(ws.dir, 'db-password'), `${decodeURIComponent(new URL(db.url).password) || 'x'}\n`);
  // The token is the daemon's, the other password the other feed's.
  expect((await ws.run('run', '--once', '--feed', 'near')).code).toBe(0);
  expect((await ws.run('run', '--once')).code).toBe(78);
});

test('a password in a file that was refused is read again by itself, and stands in no message', async () => {
  const secret = path.join(ws.dir, 'sftp-password');
  writeFileSync(secret, 'canary-refused\n');
  const daemon = start(['run', '-c', ws.config], { cwd: ws.dir, env: { GONE_TOKEN: 'there' } });
  try {
    await until(() => daemon.output().includes('was refused'), 'the refusal');
    writeFileSync(secret, `${sshd.password}\n`);
    await until(() => daemon.output().includes('source is back'), `the source to be back: ${daemon.output()}`, 60);
    expect(daemon.output()).not.toContain('canary');
  } finally {
    daemon.child.kill('SIGTERM');
    await daemon.ended;
  }
});

test('a variable in the text of a secret, unset: the same', async () => {
  const other = path.join(ws.dir, 'other.yaml');
  writeFileSync(
    other,
    `version: 1\ndata_dir: data\ndatabase: { url: "postgresql://u:\${GONE}@h/d" }\nfeeds: { near: { source: { type: local, dir: drop/near }, format: { type: csv } } }\n`,
  );
  const check = await tallyman(['check', '-c', other], { cwd: ws.dir });
  expect([check.code, check.stdout]).toEqual([0, expect.stringContaining('the variable GONE is unset') as string]);
  expect((await tallyman(['files', '-c', other], { cwd: ws.dir })).code).toBe(0);
  expect((await tallyman(['run', '--once', '-c', other], { cwd: ws.dir })).code).toBe(78);
});
