import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startEmbedded, type Embedded } from '../../src/postgres/embedded/start.js';
import { embeddedBinaries } from '../../src/postgres/embedded/binaries.js';
import { processStart } from '../../src/postgres/embedded/process-identity.js';
import { connect } from '../support/postgres.js';
import { checkout, EmbeddedChild, type Checkout } from './child.js';

const isRoot = process.getuid?.() === 0;
const log = { info: () => undefined };
const created: string[] = [];
const running: Embedded[] = [];
let dataDir: string;
let template: string;
let installed: Checkout;

/** Memory where there is enough of it: each start and stop waits for dozens of fsyncs. */
const scratch =
  existsSync('/dev/shm') && statfsSync('/dev/shm').bavail * statfsSync('/dev/shm').bsize > 2 ** 30
    ? '/dev/shm'
    : tmpdir();

function emptyDataDir(): string {
  const dir = mkdtempSync(path.join(scratch, 'tallyman-em-'));
  created.push(dir);
  return dir;
}

/** A data_dir that was used before: copied, because making one takes initdb a second. */
function usedDataDir(): string {
  const dir = emptyDataDir();
  const { status, stderr } = spawnSync('cp', ['-a', path.join(template, 'postgres'), dir], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return dir;
}

async function start(dir = dataDir): Promise<Embedded> {
  const server = await startEmbedded(dir, log);
  running.push(server);
  return server;
}

const serverPid = (dir = dataDir): number =>
  Number(readFileSync(path.join(dir, 'postgres/data/postmaster.pid'), 'utf8').split('\n')[0]);
const lives = (pid: number): boolean => processStart(pid) !== null;

async function ask(url: string, sql: string): Promise<unknown> {
  const client = await connect(url);
  try {
    const { rows } = await client.query<Record<string, unknown>>(sql);
    return Object.values(rows[0] ?? {})[0];
  } finally {
    await client.end();
  }
}

beforeAll(async () => {
  installed = checkout();
  template = emptyDataDir();
  await (await start(template)).release();
});
beforeEach(() => {
  dataDir = usedDataDir();
});
afterEach(async () => {
  for (const server of running.splice(0)) await server.release();
  if (dataDir !== template) rmSync(dataDir, { recursive: true, force: true });
});
afterAll(() => {
  installed.remove();
  for (const dir of created) rmSync(dir, { recursive: true, force: true });
});

describe('the embedded PostgreSQL', () => {
  test('is a durable, UTF-8, password-protected server on the loopback address, inside data_dir', async () => {
    const { url } = await start();
    expect(url).toMatch(/^postgresql:\/\/tallyman:[0-9a-f]{32}@127\.0\.0\.1:\d+\/tallyman$/);
    expect(
      await ask(
        url,
        "SELECT concat_ws(' ', current_setting('fsync'), current_setting('server_encoding'), current_setting('password_encryption'), current_setting('listen_addresses'))",
      ),
    ).toBe('on UTF8 scram-sha-256 127.0.0.1');
    expect(await ask(url, "SELECT upper('éà') || lower('ÀÉ')")).toBe('ÉÀàé');
    await expect(ask(url.replace(/:[0-9a-f]{32}@/, ':wrong@'), 'SELECT 1')).rejects.toMatchObject({ code: '28P01' });
    expect(existsSync(path.join(dataDir, 'postgres/data/PG_VERSION'))).toBe(true);
  });

  test('keeps password and log readable for its user only, and data_dir as it was', async () => {
    await start();
    const mode = (name: string): number => statSync(path.join(dataDir, name)).mode & 0o777;
    expect([
      mode('.'),
      mode('postgres'),
      mode('postgres/data'),
      mode('postgres/password'),
      mode('postgres/server.log'),
    ]).toEqual([0o700, 0o700, 0o700, 0o600, 0o600]);
  });

  test('keeps rows, password and port from one start to the next', async () => {
    const first = await start();
    await ask(first.url, 'CREATE TABLE kept AS SELECT 7 AS seven');
    await first.release();
    const second = await start();
    expect(second.url).toBe(first.url);
    expect(await ask(second.url, 'SELECT seven FROM kept')).toBe(7);
  });

  test('takes another port when the remembered one is taken', async () => {
    const first = await start();
    await first.release();
    const { createServer } = await import('node:net');
    const squatter = createServer().listen(first.spec.port, '127.0.0.1');
    try {
      expect((await start()).spec.port).not.toBe(first.spec.port);
    } finally {
      squatter.close();
    }
  });

  test('is shared by all who use the data_dir; the last one stops it', async () => {
    const first = await start();
    const second = await start();
    expect(second.url).toBe(first.url);
    const pid = serverPid();
    await first.release();
    expect(await ask(second.url, 'SELECT 1')).toBe(1);
    await second.release();
    expect(lives(pid)).toBe(false);
  });

  test('is made once by three who come at the same moment', async () => {
    dataDir = emptyDataDir();
    const all = await Promise.all(Array.from({ length: 3 }, () => start()));
    expect(new Set(all.map((server) => server.url)).size).toBe(1);
    expect(readdirSync(path.join(dataDir, 'postgres')).sort()).toEqual([
      'data',
      'password',
      'port',
      'server.log',
      'stopping',
      'users',
    ]);
  });

  test('releasing twice is releasing once', async () => {
    const [first, second] = [await start(), await start()];
    await first.release();
    await first.release();
    expect(await ask(second.url, 'SELECT 1')).toBe(1);
  });

  test('coming and going at random, whoever is there has a server', async () => {
    await Promise.all(
      Array.from({ length: 4 }, async (_, i) => {
        for (let round = 0; round < 4; round++) {
          const server = await startEmbedded(dataDir, log);
          expect(await ask(server.url, `SELECT ${i}`)).toBe(i);
          await server.release();
        }
      }),
    );
    expect(existsSync(path.join(dataDir, 'postgres/data/postmaster.pid'))).toBe(false);
  });
});

describe('after a crash', () => {
  test('of the process that started it, the server is found running, and stopped by the last user', async () => {
    const child = new EmbeddedChild(installed, dataDir);
    const url = await child.ready();
    await child.kill();
    const pid = serverPid();
    expect(lives(pid)).toBe(true);
    const server = await start();
    expect([server.url, serverPid()]).toEqual([url, pid]);
    await server.release();
    expect(lives(pid)).toBe(false);
  });

  test('of the server, it starts again with what was committed', async () => {
    const first = await start();
    await ask(first.url, 'CREATE TABLE kept AS SELECT 1 AS one');
    process.kill(serverPid(), 'SIGKILL');
    await first.release();
    expect(await ask((await start()).url, 'SELECT one FROM kept')).toBe(1);
  });

  test('a pid file whose number belongs to another program is no server', async () => {
    const first = await start();
    const pidFile = path.join(dataDir, 'postgres/data/postmaster.pid');
    const content = readFileSync(pidFile, 'utf8');
    await first.release();
    writeFileSync(pidFile, content.replace(/^\d+/, String(process.pid)));
    expect(await ask((await start()).url, 'SELECT 1')).toBe(1);
  });

  test('a killed first start leaves nothing in the way', async () => {
    dataDir = emptyDataDir();
    mkdirSync(path.join(dataDir, 'postgres/data.new-1-1'), { recursive: true });
    writeFileSync(path.join(dataDir, 'postgres/data.new-1-1/half'), '');
    await start();
    expect(existsSync(path.join(dataDir, 'postgres/data.new-1-1'))).toBe(false);
  });
});

describe('what cannot work is said', () => {
  test('a cluster of another major version', async () => {
    await (await start()).release();
    writeFileSync(path.join(dataDir, 'postgres/data/PG_VERSION'), '15\n');
    await expect(start()).rejects.toMatchObject({
      code: 'EMBEDDED_FAILED',
      message: expect.stringContaining('was made by PostgreSQL 15; this tallyman brings PostgreSQL 18') as unknown,
    });
  });

  test('a server that ends at once, with the end of its log', async () => {
    await (await start()).release();
    writeFileSync(path.join(dataDir, 'postgres/data/postgresql.conf'), 'no_such_setting = 1\n');
    await expect(start()).rejects.toMatchObject({
      code: 'EMBEDDED_FAILED',
      message: expect.stringContaining('no_such_setting') as unknown,
    });
    expect(readdirSync(path.join(dataDir, 'postgres/users'))).toEqual([]);
  });

  test('a data_dir that cannot be written', async () => {
    dataDir = emptyDataDir();
    writeFileSync(path.join(dataDir, 'postgres'), 'a file');
    await expect(start()).rejects.toMatchObject({ code: 'EMBEDDED_FAILED' });
  });

  test('a password that somebody changed', async () => {
    const first = await start();
    await ask(first.url, "ALTER ROLE tallyman PASSWORD 'other'");
    await expect(start()).rejects.toMatchObject({ code: 'DATABASE_LOGIN' });
  });
});

// What only root can set up: other users' folders and processes.
if (isRoot)
  describe('as root', () => {
    const NOBODY = 65_534;
    /** Has a line in every /etc/passwd (daemon, or bin): initdb asks for one. */
    const ORDINARY = 1;

    test('the server runs as user nobody under a data_dir that only root can enter', async () => {
      await start();
      expect(statSync(`/proc/${serverPid()}`).uid).toBe(NOBODY);
    });

    test('a cluster of an ordinary user is served as that user', async () => {
      dataDir = emptyDataDir();
      mkdirSync(path.join(dataDir, 'postgres'));
      chownSync(path.join(dataDir, 'postgres'), ORDINARY, ORDINARY);
      await start();
      expect(statSync(`/proc/${serverPid()}`).uid).toBe(ORDINARY);
    });

    test('an installation that only root can enter works, links missing and all, through a copy of the programs', async () => {
      const shelf = '/var/lib/tallyman-embedded';
      const shelfWasThere = existsSync(shelf);
      const closed = checkout({ mode: 0o700, copyBinaries: true });
      try {
        const child = new EmbeddedChild(closed, dataDir);
        expect(await ask(await child.ready(), 'SELECT 1')).toBe(1);
        await child.finish();
      } finally {
        closed.remove();
        if (!shelfWasThere) rmSync(shelf, { recursive: true, force: true });
      }
    });

    test('an ordinary user has the same: twice in a row, on its own data_dir', async () => {
      dataDir = emptyDataDir();
      chownSync(dataDir, ORDINARY, ORDINARY);
      for (let round = 0; round < 2; round++) {
        const child = new EmbeddedChild(installed, dataDir, ORDINARY);
        expect(await ask(await child.ready(), 'SELECT 1')).toBe(1);
        expect(statSync(`/proc/${serverPid()}`).uid).toBe(ORDINARY);
        await child.finish();
      }
    });

    test("an ordinary user on another's database is told", async () => {
      await (await start()).release();
      chmodSync(dataDir, 0o777);
      const child = new EmbeddedChild(installed, dataDir, ORDINARY);
      await expect(child.ready()).rejects.toThrow(/EMBEDDED_FAILED .*belongs to user 65534, and this is user 1/);
    });
  });

describe('the programs', () => {
  test('are of the version that the package says', () => {
    expect(embeddedBinaries().major).toBe(18);
  });
});
