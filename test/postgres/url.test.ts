import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseDatabaseUrl } from '../../src/postgres/connect/url.js';

const NO_FILE = { PGPASSFILE: '/nowhere' };
const parse = (url: string, env: NodeJS.ProcessEnv = {}, password: string | null = null) =>
  parseDatabaseUrl(url, password, undefined, { ...NO_FILE, ...env });
let dir: string;
beforeAll(() => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'tallyman-url-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe('a database URL', () => {
  test('is taken apart', () => {
    expect(
      parse(
        'postgresql://ingest:secret@db.example:6432/warehouse?sslmode=verify-full&connect_timeout=3&application_name=quay',
      ),
    ).toEqual({
      host: 'db.example',
      port: 6432,
      user: 'ingest',
      password: 'secret',
      database: 'warehouse',
      sslmode: 'verify-full',
      tls: { ca: null, cert: null, key: null },
      applicationName: 'quay',
      connectTimeoutMs: 3000,
      controlSchema: 'tallyman',
    });
  });

  test.each([
    ['postgres://u@h/d', { host: 'h', port: 5432, user: 'u', database: 'd', sslmode: 'prefer' }],
    ['postgresql://', { host: 'localhost', user: os.userInfo().username, database: os.userInfo().username }],
    ['postgresql://u@h', { user: 'u', database: 'u' }],
    ['postgresql://u@[::1]:5433/d', { host: '::1', port: 5433 }],
    ['postgresql://u%40corp:p%3A%2F%25@h/a%20b', { user: 'u@corp', password: 'p:/%', database: 'a b' }],
    ['postgresql://u:a:b@h/d', { user: 'u', password: 'a:b' }],
    ['postgresql:///d?host=/var/run/postgresql&port=5444', { host: '/var/run/postgresql', port: 5444, database: 'd' }],
    ['postgresql://%2Fvar%2Frun%2Fpostgresql/d', { host: '/var/run/postgresql' }],
    ['postgresql://h/d?user=u&password=p', { user: 'u', password: 'p' }],
    ['postgresql://u@h/d?ssl=true', { sslmode: 'require' }],
    ['postgresql://u@h/d?connect_timeout=0', { connectTimeoutMs: 3_600_000 }],
  ])('%s', (url, expected) => {
    expect(parse(url)).toMatchObject(expected);
  });

  test('takes what is missing from the PG* variables, and prefers what it says itself', () => {
    const env = {
      PGHOST: 'eh',
      PGPORT: '7777',
      PGUSER: 'eu',
      PGPASSWORD: 'ep',
      PGDATABASE: 'ed',
      PGSSLMODE: 'require',
      PGCONNECT_TIMEOUT: '2',
      PGAPPNAME: 'ea',
    };
    expect(parse('postgresql://', env)).toMatchObject({
      host: 'eh',
      port: 7777,
      user: 'eu',
      password: 'ep',
      database: 'ed',
      sslmode: 'require',
      connectTimeoutMs: 2000,
      applicationName: 'ea',
    });
    expect(parse('postgresql://u:p@h:1/d?sslmode=disable', env)).toMatchObject({
      host: 'h',
      port: 1,
      user: 'u',
      password: 'p',
      database: 'd',
      sslmode: 'disable',
    });
  });

  test("the config's password wins over the URL's", () => {
    expect(parse('postgresql://u:url@h/d', { PGPASSWORD: 'env' }, 'config').password).toBe('config');
  });

  test('certificates are read from the files it names; the texts of the config win', () => {
    const file = path.join(dir, 'ca.pem');
    writeFileSync(file, 'PEM');
    const url = `postgresql://u@h/d?sslrootcert=${encodeURIComponent(file)}&sslcert=${encodeURIComponent(file)}&sslkey=${encodeURIComponent(file)}`;
    expect(parse(url).tls).toEqual({ ca: 'PEM', cert: 'PEM', key: 'PEM' });
    expect(parseDatabaseUrl(url, null, { ca: 'mine', cert: null, key: null }, NO_FILE).tls).toEqual({
      ca: 'mine',
      cert: 'PEM',
      key: 'PEM',
    });
    expect(parse('postgresql://u@h/d?sslmode=verify-full&sslrootcert=system').tls.ca).toBeNull();
  });

  test.each([
    ['mysql://u@h/d', 'postgresql://user@host'],
    ['postgresql://u@h/d?search_path=x', '"search_path" is not known here; known are host, port'],
    ['postgresql://u@h/d?options=-c%20x', '"options" is not known'],
    ['postgresql://u@h/d?sslmode=maybe', 'sslmode is one of disable, allow'],
    ['postgresql://u@h:99999/d', 'port is a whole number from 1 to 65535'],
    ['postgresql://u@h:x/d', 'port is a whole number'],
    ['postgresql://u@h1,h2/d?port=1,2,3', 'there are 2 hosts and 3 ports'],
    ['postgresql://u@h/d?target_session_attrs=best', 'target_session_attrs is one of any, read-write'],
    ['postgresql://u@h/d?channel_binding=maybe', 'channel_binding is one of disable'],
    ['postgresql://u@::1/d', 'brackets'],
    ['postgresql://u@h/d?sslrootcert=/no/such/file', 'sslrootcert: ENOENT'],
    ['postgresql://u@h/d%00', 'NUL'],
  ])('%s is refused: %s', (url, why) => {
    expect(() => parse(url)).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining(why) as unknown }) as Error,
    );
  });

  test('several hosts: each with its port, and one that takes writes unless it is said otherwise', () => {
    expect(parse('postgresql://u@h1,[::1]:5433/d')).toMatchObject({
      host: 'h1',
      port: 5432,
      others: [{ host: '::1', port: 5433 }],
      sessionAttrs: 'read-write',
    });
    expect(parse('postgresql://u@/d?host=h1,h2,h3&port=6000&target_session_attrs=any')).toMatchObject({
      host: 'h1',
      port: 6000,
      others: [
        { host: 'h2', port: 6000 },
        { host: 'h3', port: 6000 },
      ],
    });
    expect(parse('postgresql://u@h/d?target_session_attrs=primary&channel_binding=require')).toMatchObject({
      sessionAttrs: 'primary',
      channelBinding: 'require',
    });
    expect(Object.keys(parse('postgresql://u@h/d'))).not.toEqual(expect.arrayContaining(['others', 'sessionAttrs']));
  });

  test('no error shows the password', () => {
    for (const url of [
      'postgresql://u:hunter2%@h/d',
      'postgresql://u:hun@ter2@h/d',
      'postgresql://u:hunter2@h:x/d',
      'postgres:/u:hunter2@h/d',
      'postgresql://u:hunter2@h/d?x=1',
      'postgresql://u:hunter2@h1,h2:x/d',
    ]) {
      expect(() => parse(url)).toThrow(
        expect.objectContaining({ message: expect.not.stringMatching(/hunter2|ter2/) as unknown }) as Error,
      );
    }
  });

  test('whatever user, password and database were percent-encoded come back', () => {
    const part = fc
      .string({ minLength: 1, unit: 'grapheme' })
      .filter((s) => !s.includes('\0') && !/\p{Surrogate}/u.test(s));
    fc.assert(
      fc.property(part, part, part, (user, password, database) => {
        const url = `postgresql://${encodeURIComponent(user)}:${encodeURIComponent(password)}@h/${encodeURIComponent(database)}`;
        expect(parse(url)).toMatchObject({ user, password, database });
      }),
    );
  });
});

describe("libpq's password file", () => {
  const look = (content: string, mode = 0o600, url = 'postgresql://u@h:1/d'): string | null => {
    const file = path.join(dir, 'pgpass');
    writeFileSync(file, content);
    chmodSync(file, mode);
    return parse(url, { PGPASSFILE: file }).password;
  };

  test('gives the password of the first line that fits', () => {
    expect(look('# comment\nother:1:d:u:no\nh:*:*:u:yes\n*:*:*:*:later\n')).toBe('yes');
  });

  test('takes colons and backslashes behind a backslash', () => {
    expect(look(String.raw`*:*:*:*:a\:b\\c`)).toBe(String.raw`a:b\c`);
  });

  test('is passed over when others may read it', () => {
    expect(look('*:*:*:*:open', 0o644)).toBeNull();
  });

  test('without a line that fits gives none', () => {
    expect(look('h:2:*:*:no\nh:1:d\n')).toBeNull();
  });
});
