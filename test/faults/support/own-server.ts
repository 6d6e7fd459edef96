import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import {
  appendFileSync,
  chownSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { embeddedBinaries } from '../../../src/postgres/embedded/binaries.js';
import { until } from '../../e2e/support.js';
import { connect } from '../../support/postgres.js';

const NOBODY = 65534;
export const isRoot = process.getuid?.() === 0;
const user = isRoot ? { uid: NOBODY, gid: NOBODY } : {};

/** A PostgreSQL of one test's own, to be ill-treated. */
export interface OwnServer {
  readonly port: number;
  readonly dir: string;
  /** Superuser, straight to the server. */
  readonly admin: string;
  start(): Promise<void>;
  /**
   * `fast` = SIGINT: sessions end, then a checkpoint. `immediate` = SIGQUIT: as a crash, with recovery at the next
   * start.
   */
  stop(how?: 'fast' | 'immediate'): Promise<void>;
  /** To the postmaster and all its children. */
  signalAll(signal: NodeJS.Signals): void;
  /** Process id of the postmaster; null = it does not run. */
  pid(): number | null;
  /** One query as superuser on a connection of its own. */
  query(sql: string, values?: readonly unknown[]): Promise<Record<string, unknown>[]>;
  remove(): Promise<void>;
}

export interface ServerOptions {
  readonly settings?: Readonly<Record<string, string>>;
  /** The files of a server that is stopped, taken over instead of initdb. */
  readonly copyOf?: OwnServer;
}

/** Made and started: nobody's where the tests run as root, for PostgreSQL does not run as root. */
export async function ownServer(options: ServerOptions = {}): Promise<OwnServer> {
  const dir = mkdtempSync(path.join(tmpdir(), 'tallyman-own-'));
  own(dir);
  const { initdb, postgres } = embeddedBinaries(isRoot ? NOBODY : null);
  const data = path.join(dir, 'data');
  if (options.copyOf === undefined) {
    const init = spawnSync(
      initdb,
      ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'],
      { ...user, cwd: dir, encoding: 'utf8' },
    );
    if (init.status !== 0) throw new Error(init.stderr);
    appendFileSync(path.join(data, 'pg_hba.conf'), 'host replication all 127.0.0.1/32 trust\n');
  } else {
    cpSync(path.join(options.copyOf.dir, 'data'), data, { recursive: true, preserveTimestamps: true });
    spawnSync('chown', ['-R', `${NOBODY}:${NOBODY}`, data]);
    spawnSync('chmod', ['700', data]);
    writeFileSync(path.join(data, 'standby.signal'), '');
  }
  const port = await freePort();
  const admin = `postgresql://postgres@127.0.0.1:${port}/postgres`;
  const settings = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: dir,
    fsync: 'off',
    deadlock_timeout: '200ms',
    logging_collector: 'off',
    ...options.settings,
  };
  let server: ChildProcess | null = null;

  const running = (): ChildProcess | null => (server?.exitCode === null && server.signalCode === null ? server : null);
  const query = async (sql: string, values: readonly unknown[] = []): Promise<Record<string, unknown>[]> => {
    const client = await connect(admin);
    try {
      return (await client.query<Record<string, unknown>>(sql, [...values])).rows;
    } finally {
      await client.end();
    }
  };
  const made: OwnServer = {
    port,
    dir,
    admin,
    query,
    pid: () => running()?.pid ?? null,
    async start() {
      server = spawn(
        postgres,
        ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
        { ...user, cwd: dir, stdio: 'ignore' },
      );
      server.on('error', () => undefined);
      await until(async () => {
        try {
          await query('select 1');
          return true;
        } catch {
          return false;
        }
      }, 'PostgreSQL to start');
    },
    async stop(how = 'fast') {
      const process_ = running();
      if (process_ === null) return;
      const ended = new Promise((resolve) => process_.once('exit', resolve));
      process_.kill(how === 'fast' ? 'SIGINT' : 'SIGQUIT');
      await ended;
    },
    signalAll(signal) {
      const pid = running()?.pid;
      if (pid === undefined) return;
      for (const one of [pid, ...childrenOf(pid)]) {
        try {
          process.kill(one, signal);
        } catch {
          // It has just ended.
        }
      }
    },
    async remove() {
      made.signalAll('SIGCONT');
      await made.stop('immediate');
      rmSync(dir, { recursive: true, force: true });
    },
  };
  await made.start();
  return made;
}

/** Gives a folder to the user that PostgreSQL runs as. */
export function own(dir: string): void {
  mkdirSync(dir, { recursive: true });
  if (isRoot) chownSync(dir, NOBODY, NOBODY);
}

function childrenOf(pid: number): readonly number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
      .split(' ')
      .filter((text) => text !== '')
      .map(Number);
  } catch {
    return [];
  }
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() =>
        address === null || typeof address === 'string' ? reject(new Error('no port')) : resolve(address.port),
      );
    });
  });
}
