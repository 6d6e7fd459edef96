import { readFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import tls from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { DatabaseSpec } from '../../src/core/database.js';
import { connect, withConnection, type Connection } from '../../src/postgres/connect/connect.js';
import { createDatabase, type TestDatabase } from '../support/postgres.js';
import { specOf } from './spec.js';

let database: TestDatabase;
const open: Connection[] = [];
const closers: (() => void)[] = [];
beforeAll(async () => {
  database = await createDatabase();
});
afterEach(async () => {
  for (const connection of open.splice(0)) await connection.close();
  for (const close of closers.splice(0)) close();
});
afterAll(() => database.drop());

async function connected(change: Partial<DatabaseSpec> = {}, name?: string): Promise<Connection> {
  const connection = await connect(specOf(database.url, change), name);
  open.push(connection);
  return connection;
}

describe('a connection', () => {
  test('answers, tells its backend and application name, and closes', async () => {
    const connection = await connected({}, 'load');
    const { rows } = await connection.query(
      "SELECT pg_backend_pid() AS pid, current_setting('application_name') AS name",
    );
    expect(rows).toEqual([{ pid: connection.backendPid, name: 'tallyman load' }]);
    await connection.close();
    expect(connection.lost).toBe(true);
  });

  test('sends user, database and application name at start-up and nothing of the environment: pgbouncer would refuse it', async () => {
    const saved = { ...process.env };
    Object.assign(process.env, {
      PGOPTIONS: '-c search_path=nowhere',
      PGHOST: '192.0.2.1',
      PGPORT: '1',
      PGUSER: 'nobody',
      PGDATABASE: 'nothing',
      PGSSLMODE: 'require',
      PGAPPNAME: 'x',
    });
    try {
      const { rows } = await (
        await connected()
      ).query("SELECT current_setting('search_path') AS path, current_setting('application_name') AS name");
      expect(rows).toEqual([{ path: '"$user", public', name: 'tallyman' }]);
    } finally {
      process.env = saved;
    }
  });

  test('gives numbers while they are exact, numerics as text, json parsed, times as ISO text', async () => {
    const connection = await connected();
    const { rows } =
      await connection.query(`SELECT 9007199254740991::bigint AS safe, 9007199254740993::bigint AS past, 1.10::numeric AS n, '{"a": [1]}'::jsonb AS j,
      '2026-11-20 06:00:00.123456+02'::timestamptz AS tz, 'infinity'::timestamptz AS inf, '2026-11-20'::date AS d, '2026-11-20 01:02:03'::timestamp AS ts, true AS b, '\\xff'::bytea AS y`);
    expect(rows[0]).toEqual({
      safe: 9007199254740991,
      past: '9007199254740993',
      n: '1.10',
      j: { a: [1] },
      tz: '2026-11-20T04:00:00.123Z',
      inf: 'infinity',
      d: '2026-11-20',
      ts: '2026-11-20 01:02:03',
      b: true,
      y: Buffer.from([255]),
    });
  });

  test('gives one result a statement, with its command', async () => {
    const results = await (await connected()).queryAll('BEGIN; SELECT 1 AS one; ROLLBACK');
    expect(results.map((result) => result.command)).toEqual(['BEGIN', 'SELECT', 'ROLLBACK']);
    expect(results[1]!.rows).toEqual([{ one: 1 }]);
  });

  test('tells that COMMIT of an aborted transaction was a ROLLBACK', async () => {
    const connection = await connected();
    await connection.query('BEGIN');
    await expect(connection.query('SELECT 1/0')).rejects.toMatchObject({ code: '22012' });
    expect((await connection.query('COMMIT')).command).toBe('ROLLBACK');
    expect(connection.lost).toBe(false);
  });

  test('that is terminated while idle is lost, and the process lives on', async () => {
    const connection = await connected();
    const gone = new Promise((resolve) => connection.client.once('end', resolve));
    await database.client.query('SELECT pg_terminate_backend($1)', [connection.backendPid]);
    await gone;
    expect(connection.lost).toBe(true);
    await expect(connection.query('SELECT 1')).rejects.toThrow();
  });

  test('that is terminated while it works is lost when the error comes', async () => {
    const connection = await connected();
    const working = connection.query('SELECT pg_sleep(30)');
    const failed = expect(working).rejects.toThrow();
    await database.client.query('SELECT pg_terminate_backend($1)', [connection.backendPid]);
    await failed;
    expect(connection.lost).toBe(true);
  });

  test('that gets no answer in time is given up', async () => {
    const connection = await connected();
    await expect(connection.query('SELECT pg_sleep(30)', undefined, { timeoutMs: 50 })).rejects.toThrow(
      'no answer within 0.05 s',
    );
    expect(connection.lost).toBe(true);
  });

  test('is not left behind when the work throws, open transaction and all', async () => {
    let pid = 0;
    const work = withConnection(specOf(database.url), async (connection) => {
      pid = connection.backendPid;
      await connection.query('BEGIN');
      throw new Error('no');
    });
    await expect(work).rejects.toThrow('no');
    for (let i = 0; i < 200; i++) {
      const { rows } = await database.client.query('SELECT 1 FROM pg_stat_activity WHERE pid = $1', [pid]);
      if (rows.length === 0) return;
      await database.client.query('SELECT pg_sleep(0.02)');
    }
    expect.fail('the backend is still there');
  });
});

describe('a connection that cannot be had', () => {
  test.each([
    ['nobody listens', { port: 1 }, 'DATABASE_UNREACHABLE'],
    ['the host has no address', { host: 'no.such.host.invalid' }, 'DATABASE_UNREACHABLE'],
    ['there is no such socket', { host: '/nowhere' }, 'DATABASE_UNREACHABLE'],
    ['there is no such database', { database: 'no_such_database' }, 'DATABASE_LOGIN'],
    ['there is no such role', { user: 'no_such_role' }, 'DATABASE_LOGIN'],
  ])('%s', async (_name, change, code) => {
    await expect(connect(specOf(database.url, change))).rejects.toMatchObject({
      code,
      message: expect.stringMatching(/^connecting to \S+@/) as unknown,
    });
  });

  test('a server that accepts and says nothing is given up in time', async () => {
    const silent = net.createServer((socket) => closers.push(() => socket.destroy()));
    const port = await listen(silent);
    await expect(
      connect(specOf(database.url, { port, connectTimeoutMs: 100, sslmode: 'disable' })),
    ).rejects.toMatchObject({ code: 'DATABASE_UNREACHABLE' });
  });

  test('a wrong password is a refused login, and no message holds it', async () => {
    await database.client.query("DROP ROLE IF EXISTS guarded; CREATE ROLE guarded LOGIN PASSWORD 'right'");
    const port = await listen(passwordServer());
    const error: unknown = await connect(
      specOf(database.url, { port, user: 'guarded', password: 'hunter2', sslmode: 'disable' }),
    ).catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'DATABASE_LOGIN' });
    expect(JSON.stringify(error) + String(error)).not.toContain('hunter2');
    await database.client.query('DROP ROLE guarded');
  });
});

describe('sslmode', () => {
  const pem = (name: string): string => readFileSync(path.join(import.meta.dirname, 'tls', name), 'utf8');
  const ca = { ca: pem('ca.pem'), cert: null, key: null };
  const none = { ca: null, cert: null, key: null };

  /**
   * In front of the real server: `tls` speaks it, `plain` says no to it, `required` takes nothing else. Returns how
   * clients came.
   */
  async function door(kind: 'tls' | 'plain' | 'required'): Promise<{ readonly port: number; readonly seen: string[] }> {
    const seen: string[] = [];
    const target = specOf(database.url);
    const forward = (socket: net.Socket, first?: Buffer): void => {
      const up = net.connect(target.port, target.host, () => {
        if (first !== undefined) up.write(first);
        socket.pipe(up).pipe(socket);
      });
      for (const end of [up, socket]) end.on('error', () => [up, socket].forEach((s) => s.destroy()));
      closers.push(() => [up, socket].forEach((s) => s.destroy()));
    };
    const server = net.createServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.once('data', (first) => {
        const asksTls = first.length === 8 && first.readInt32BE(4) === 80_877_103;
        if (!asksTls && kind === 'required') {
          seen.push('plain refused');
          socket.end(errorResponse('28000', 'no pg_hba.conf entry for host, no encryption'));
        } else if (!asksTls) {
          seen.push('plain');
          forward(socket, first);
        } else if (kind === 'plain') {
          seen.push('tls refused');
          socket.write('N');
          socket.once('data', (next) => forward(socket, next));
        } else {
          seen.push('tls');
          socket.write('S');
          forward(new tls.TLSSocket(socket, { isServer: true, key: pem('server.key'), cert: pem('server.pem') }));
        }
      });
    });
    return { port: await listen(server), seen };
  }

  const tryWith = async (
    kind: 'tls' | 'plain' | 'required',
    change: Partial<DatabaseSpec>,
  ): Promise<{ readonly result: string; readonly seen: string }> => {
    const { port, seen } = await door(kind);
    const result = await withConnection(
      specOf(database.url, { host: 'localhost', port, tls: none, ...change }),
      (connection) => connection.query('SELECT 1'),
    ).then(
      () => 'connected',
      (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : String(error)),
    );
    return { result, seen: seen.join(', ') };
  };

  test.each([
    ['disable', 'tls', none, 'connected', 'plain'],
    ['disable', 'required', none, 'DATABASE_LOGIN', 'plain refused'],
    ['allow', 'tls', none, 'connected', 'plain'],
    ['allow', 'required', none, 'connected', 'plain refused, tls'],
    ['prefer', 'tls', none, 'connected', 'tls'],
    ['prefer', 'plain', none, 'connected', 'tls refused, plain'],
    ['require', 'tls', none, 'connected', 'tls'],
    ['require', 'plain', none, 'DATABASE_UNREACHABLE', 'tls refused'],
    ['require', 'tls', ca, 'connected', 'tls'],
    ['verify-ca', 'tls', ca, 'connected', 'tls'],
    ['verify-ca', 'tls', none, 'DATABASE_UNREACHABLE', 'tls'],
    ['verify-full', 'tls', ca, 'connected', 'tls'],
    ['verify-full', 'tls', none, 'DATABASE_UNREACHABLE', 'tls'],
    ['verify-full', 'plain', ca, 'DATABASE_UNREACHABLE', 'tls refused'],
  ] as const)('%s to a server with door "%s": %#', async (sslmode, kind, texts, result, seen) => {
    expect(await tryWith(kind, { sslmode, tls: texts })).toEqual({ result, seen });
  });

  test('verify-full wants the host name that the certificate was made for, verify-ca does not', async () => {
    expect((await tryWith('tls', { sslmode: 'verify-full', tls: ca, host: '127.0.0.1' })).result).toBe(
      'DATABASE_UNREACHABLE',
    );
    expect((await tryWith('tls', { sslmode: 'verify-ca', tls: ca, host: '127.0.0.1' })).result).toBe('connected');
  });

  test('a certificate that is not accepted is explained', async () => {
    const { port } = await door('tls');
    await expect(
      connect(specOf(database.url, { host: 'localhost', port, sslmode: 'verify-full' })),
    ).rejects.toMatchObject({ fix: expect.stringContaining('database.tls.ca') as unknown });
  });

  test('a wrong password is not tried again without encryption', async () => {
    const { port, seen } = await door('tls');
    const refused = connect(
      specOf(database.url, { host: 'localhost', port, database: 'no_such_database', sslmode: 'prefer' }),
    );
    await expect(refused).rejects.toMatchObject({ code: 'DATABASE_LOGIN' });
    expect(seen).toEqual(['tls']);
  });
});

/** Asks every client for its password and refuses it. */
function passwordServer(): net.Server {
  return net.createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.once('data', () => {
      socket.write(Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]));
      socket.once('data', () =>
        socket.end(errorResponse('28P01', 'password authentication failed for user "guarded"')),
      );
    });
  });
}

function errorResponse(code: string, message: string): Buffer {
  const body = Buffer.from(`SFATAL\0VFATAL\0C${code}\0M${message}\0\0`);
  const head = Buffer.alloc(5);
  head.write('E');
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

function listen(server: net.Server): Promise<number> {
  closers.push(() => server.close());
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      if (address === null || typeof address === 'string') reject(new Error('no port'));
      else resolve(address.port);
    });
  });
}
