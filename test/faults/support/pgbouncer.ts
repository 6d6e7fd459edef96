import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { until } from '../../e2e/support.js';
import { freePort, isRoot, own } from './own-server.js';
import { createConnection } from 'node:net';

const NOBODY = 65534;
const PROGRAM = '/usr/sbin/pgbouncer';

export interface Pooler {
  /** Of the database `postgres`, as the superuser, through the pooler. */
  readonly url: string;
  close(): Promise<void>;
}

/** Debian's pgbouncer is there, or can be had; where it cannot, tests that need it are left out and say so. */
export function hasPgbouncer(): boolean {
  if (!existsSync(PROGRAM) && isRoot) spawnSync('apt-get', ['install', '-qy', 'pgbouncer'], { stdio: 'ignore' });
  const has = existsSync(PROGRAM);
  if (!has) process.stderr.write('pgbouncer cannot be had here: what it does is not tested\n');
  return has;
}

/** In front of the server on that port, with pgbouncer's own defaults but for `settings`. */
export async function startPgbouncer(
  serverPort: number,
  mode: 'session' | 'transaction' | 'statement',
  settings: Readonly<Record<string, string>> = {},
): Promise<Pooler> {
  const dir = mkdtempSync(path.join(tmpdir(), 'tallyman-pgbouncer-'));
  own(dir);
  const port = await freePort();
  writeFileSync(path.join(dir, 'users.txt'), '"postgres" ""\n');
  const all = {
    listen_addr: '127.0.0.1',
    listen_port: String(port),
    unix_socket_dir: '',
    auth_type: 'trust',
    auth_file: path.join(dir, 'users.txt'),
    pool_mode: mode,
    ...settings,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name} = ${value}`);
  const config = path.join(dir, 'pgbouncer.ini');
  writeFileSync(config, `[databases]\n* = host=127.0.0.1 port=${serverPort}\n[pgbouncer]\n${lines.join('\n')}\n`);
  const child = spawn(PROGRAM, [config], {
    ...(isRoot ? { uid: NOBODY, gid: NOBODY } : {}),
    cwd: dir,
    stdio: 'ignore',
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.once('error', () => undefined);
  await until(() => answers(port), 'pgbouncer to start');
  return {
    url: `postgresql://postgres@127.0.0.1:${port}/postgres`,
    async close() {
      child.kill('SIGKILL');
      await ended;
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
