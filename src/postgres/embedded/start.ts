import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf, TallymanError } from '../../core/errors.js';
import type { DatabaseSpec } from '../../core/database.js';
import { withConnection } from '../connect/connect.js';
import { embeddedBinaries, type EmbeddedBinaries } from './binaries.js';
import { EMBEDDED_NAME, ensureCluster } from './cluster.js';
import { logOf, openHome, readPassword, type EmbeddedHome } from './home.js';
import { choosePort, findServer, logTail, spawnServer, stopServer, type StartedServer } from './server.js';
import { EmbeddedUsers } from './users.js';
import { hasCode } from '../../base/errno.js';

/** The PostgreSQL of a data_dir, running. */
export interface Embedded {
  readonly spec: DatabaseSpec;
  /** The same as a URL for people and psql. Holds the password. */
  readonly url: string;
  /** Signs off; the last process of this data_dir stops the server. May be called twice. */
  release(): Promise<void>;
}

/** The part of the daemon's logger that is used here. */
export interface EmbeddedLog {
  info(fields: object, message: string): void;
}

/** After a crash PostgreSQL first replays its log: up to max_wal_size. */
const READY_TIMEOUT_MS = 5 * 60_000;
/** A server that ends at once may have met another's start, or a port that was just taken. */
const STARTS = 5;

/**
 * A real PostgreSQL in DATA_DIR/postgres, made at the first call, shared by all processes that use this data_dir, found
 * again when the process that started it was killed. Everything is durable (fsync on); it listens on 127.0.0.1 with a
 * password. As root the server runs as user nobody. Throws EMBEDDED_FAILED with the end of its log, and
 * DISK_FULL.
 */
export async function startEmbedded(dataDir: string, log: EmbeddedLog): Promise<Embedded> {
  try {
    return await start(openHome(dataDir), log);
  } catch (error) {
    // initdb and the server say it in words only.
    const isFull = hasCode(error, 'ENOSPC', 'EDQUOT') || messageOf(error).includes('No space left on device');
    if (error instanceof TallymanError && !isFull) throw error;
    throw new TallymanError(
      isFull ? 'DISK_FULL' : 'EMBEDDED_FAILED',
      `The embedded PostgreSQL in ${dataDir} did not start: ${messageOf(error)}`,
      { cause: error },
    );
  }
}

async function start(home: EmbeddedHome, log: EmbeddedLog): Promise<Embedded> {
  const binaries = embeddedBinaries(home.user?.uid ?? null);
  const users = new EmbeddedUsers(home.dir);
  let left: Promise<void> | null = null;
  const release = (): Promise<void> => (left ??= users.leave(() => stopServer(home)));
  try {
    await users.join();
    const password = readPassword(home);
    await ensureCluster(home, binaries);
    const spec = await ensureRunning(home, binaries, password, log);
    await ensureDatabase(spec);
    return { spec, url: `postgresql://${spec.user}:${password}@${spec.host}:${spec.port}/${spec.database}`, release };
  } catch (error) {
    await release();
    throw error;
  }
}

async function ensureRunning(
  home: EmbeddedHome,
  binaries: EmbeddedBinaries,
  password: string,
  log: EmbeddedLog,
): Promise<DatabaseSpec> {
  const end = performance.now() + READY_TIMEOUT_MS;
  let ours: StartedServer | null = null;
  let starts = 0;
  let last = '';
  while (performance.now() < end) {
    const running = findServer(home);
    if (running !== null && running.port > 0) {
      const spec = specOf(running.port, password);
      last = await probe(spec);
      if (last === '') {
        if (ours === null) log.info({ pid: running.pid, port: running.port }, 'found the embedded PostgreSQL running');
        else log.info({ pid: running.pid, port: running.port }, 'started the embedded PostgreSQL');
        return spec;
      }
    } else if (running === null && ours?.ended() !== null) {
      if (starts++ >= STARTS) throw failed(home, `it ended at once (${ours?.ended() ?? 'unknown'})`);
      ours = spawnServer(home, binaries, await choosePort(home));
    }
    await sleep(25);
  }
  throw failed(home, `it was not ready after ${READY_TIMEOUT_MS / 60_000} minutes (${last})`);
}

/**
 * Empty when it takes our password; else why not yet. A password that it refuses is an error for good: somebody changed
 * it.
 */
async function probe(spec: DatabaseSpec): Promise<string> {
  try {
    await withConnection({ ...spec, database: 'postgres' }, (connection) => connection.query('SELECT 1'), 'start');
    return '';
  } catch (error) {
    if (error instanceof TallymanError && error.code === 'DATABASE_LOGIN') throw error;
    return messageOf(error);
  }
}

async function ensureDatabase(spec: DatabaseSpec): Promise<void> {
  await withConnection(
    { ...spec, database: 'postgres' },
    async (connection) => {
      for (;;) {
        const { rows } = await connection.query('SELECT 1 AS one FROM pg_catalog.pg_database WHERE datname = $1', [
          EMBEDDED_NAME,
        ]);
        if (rows.length > 0) return;
        try {
          await connection.query(`CREATE DATABASE ${EMBEDDED_NAME}`);
        } catch (error) {
          // 42P04 or 23505: another process made it meanwhile.
          if (!hasCode(error, '42P04', '23505')) throw error;
        }
      }
    },
    'start',
  );
}

function specOf(port: number, password: string): DatabaseSpec {
  return {
    host: '127.0.0.1',
    port,
    user: EMBEDDED_NAME,
    password,
    database: EMBEDDED_NAME,
    sslmode: 'disable',
    tls: { ca: null, cert: null, key: null },
    applicationName: 'tallyman',
    connectTimeoutMs: 10_000,
    controlSchema: 'tallyman',
  };
}

function failed(home: EmbeddedHome, why: string): TallymanError {
  return new TallymanError(
    'EMBEDDED_FAILED',
    `The embedded PostgreSQL in ${home.dir} did not start: ${why}. The end of its log:\n${logTail(home)}`,
    { fix: `Read ${logOf(home)}.` },
  );
}
