import { describe, expect, test } from 'vitest';
import { parse, placesOf, withFolder } from './support.js';

const database = (text: string): readonly string[] => placesOf(`database: ${text}\nfeeds: {}\n`);
const daemon = (text: string): readonly string[] =>
  placesOf(`database: { embedded: true }\ndaemon: ${text}\nfeeds: {}\n`);

describe('database', () => {
  test.each([
    ['{}', '1:1 DATABASE_CHOICE database.url'],
    ['{ embedded: false }', '1:1 DATABASE_CHOICE database.url'],
    ['{ url: "postgresql://h/d", embedded: true }', '1:48 DATABASE_CHOICE database.embedded'],
    ['{ url: "http://h/d" }', '1:18 BAD_VALUE database.url'],
    ['{ embedded: true, staging_schema: tallyman }', '1:45 CONFLICT database.staging_schema'],
    ['{ url: "postgresql://h/d", tls: { ca: gone.pem } }', '1:49 SECRET_UNREADABLE database.tls.ca'],
  ])('%s', (text, place) => {
    expect(database(text)).toEqual([place]);
  });

  test('a config without database is told', () => {
    expect(placesOf('feeds: {}\n')).toEqual(['1:1 DATABASE_CHOICE database']);
  });

  test('certificates are read, relative to the config file', async () => {
    const pem = '-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----\n';
    await withFolder({ 'ca.pem': pem, 'cert.pem': pem, 'key.pem': pem, 'not.pem': 'hello' }, (base) => {
      const { tls } = parse(
        'database: { url: "postgresql://h/d", tls: { ca: ca.pem, cert: cert.pem, key: key.pem } }\nfeeds: {}\n',
        { base },
      ).database;
      expect([tls.ca, tls.cert, tls.key?.reveal()]).toEqual([pem, pem, pem]);
      expect(placesOf('database: { url: "postgresql://h/d", tls: { ca: not.pem } }\nfeeds: {}\n', { base })).toEqual([
        '1:49 BAD_VALUE database.tls.ca',
      ]);
      expect(placesOf('database: { url: "postgresql://h/d", tls: { cert: cert.pem } }\nfeeds: {}\n', { base })).toEqual(
        ['1:38 CONFLICT database.tls'],
      );
    });
  });

  test('the URL may come from a variable', () => {
    const config = parse('database: { url: { env: DATABASE_URL } }\nfeeds: {}\n', {
      env: { DATABASE_URL: 'postgres://u:pw@h/d' },
    });
    expect([
      config.database.url?.reveal(),
      config.secrets.map((s) => s.reveal()),
      config.warnings.map((w) => w.code),
    ]).toEqual(['postgres://u:pw@h/d', ['pw', 'pw'], ['NO_EFFECT']]);
  });
});

describe('daemon', () => {
  test('has the defaults of the specification', () => {
    expect(parse('database: { embedded: true }\nfeeds: {}\n').daemon).toEqual({
      concurrency: 2,
      drainTimeoutMs: 60_000,
      http: { host: '127.0.0.1', port: 8_321, token: null },
      log: { level: 'info', format: 'auto' },
    });
  });

  test.each([
    ['{ http: false }', false],
    ['{ http: { listen: "[::1]:80" } }', { host: '::1', port: 80, token: null }],
    ['{ http: { listen: "localhost:0" } }', { host: 'localhost', port: 0, token: null }],
  ])('%s', (text, http) => {
    expect(parse(`database: { embedded: true }\ndaemon: ${text}\nfeeds: {}\n`).daemon.http).toEqual(http);
  });

  test.each([
    ['{ http: { listen: "0.0.0.0:8321" } }', '2:11 HTTP_TOKEN daemon.http.token'],
    ['{ http: { listen: "[::]:8321" } }', '2:11 HTTP_TOKEN daemon.http.token'],
    ['{ http: { listen: "8321" } }', '2:27 BAD_VALUE daemon.http.listen'],
    ['{ http: { listen: "h:70000" } }', '2:27 BAD_VALUE daemon.http.listen'],
    ['{ http: true }', '2:17 BAD_VALUE daemon.http'],
    ['{ concurrency: 0 }', '2:24 BAD_VALUE daemon.concurrency'],
    ['{ log: { level: loud } }', '2:25 BAD_VALUE daemon.log.level'],
    ['{ drain_timeout: 3d }', '2:26 BAD_VALUE daemon.drain_timeout'],
  ])('%s', (text, place) => {
    expect(daemon(text)).toEqual([place]);
  });
});
