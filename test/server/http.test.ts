import { connect, type Socket } from 'node:net';
import { request } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { Secret } from '../../src/core/secret.js';
import { TallymanError } from '../../src/core/errors.js';
import { Metrics } from '../../src/daemon/metrics.js';
import type { Listening } from '../../src/daemon/serve.js';
import { startHttp } from '../../src/server/http.js';

let listening: Listening | null = null;
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await listening?.close();
  listening = null;
});

async function listen(token: string | null, host = '127.0.0.1'): Promise<number> {
  const unreachable = new TallymanError('SOURCE_UNREACHABLE', 'gone');
  listening = await startHttp(
    { host, port: 0 },
    {
      metrics: new Metrics(),
      token: () => (token === null ? null : new Secret(token)),
      feeds: () => ['customers_of_acme'],
      unmatched: () => Promise.resolve({}),
      engine: () => ({
        databaseError: null,
        ready: true,
        running: 0,
        health: () => ({
          healthy: false,
          error: unreachable,
          lastScanAt: null,
          waiting: 0,
          skipped: { count: 0, items: [] },
          unlisted: { count: 0, items: [] },
          stopped: null,
        }),
        runDaemon: () => Promise.resolve(),
        exchange: () => Promise.resolve(),
      }),
    },
  );
  return Number(new URL(listening.url).port);
}

const get = (port: number, path: string, headers: Record<string, string> = {}): Promise<[number, string]> =>
  new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path, headers, agent: false }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (part: string) => (text += part));
      answer.on('end', () => resolve([answer.statusCode ?? 0, text]));
    })
      .on('error', reject)
      .end();
  });

test('where a token is set /readyz tells only that it is not ready; who has the token hears why', async () => {
  const port = await listen('let-me-in');
  expect(await get(port, '/readyz')).toEqual([503, 'not ready\n']);
  expect(await get(port, '/readyz', { authorization: 'Bearer wrong' })).toEqual([503, 'not ready\n']);
  const why = 'feed customers_of_acme: SOURCE_UNREACHABLE\n';
  expect(await get(port, '/readyz', { authorization: 'Bearer let-me-in' })).toEqual([503, why]);
  await listening?.close();
  expect(await get(await listen(null), '/readyz')).toEqual([503, why]);
});

test('on loopback only names of loopback are answered', async () => {
  const port = await listen(null);
  const asked = async (host: string): Promise<number> => (await get(port, '/livez', { host }))[0];
  for (const host of [
    '127.0.0.1',
    `127.0.0.1:${port}`,
    'localhost',
    `localhost:${port}`,
    'LOCALHOST',
    '[::1]:1',
    '127.9.9.9',
  ])
    expect([host, await asked(host)]).toEqual([host, 200]);
  for (const host of [
    'evil.example',
    `evil.example:${port}`,
    '127.0.0.1.evil.example',
    'localhost.evil.example',
    '10.0.0.1',
  ])
    expect([host, await asked(host)]).toEqual([host, 421]);
});

test('half-sent requests beyond any number keep no health check out', { timeout: 15_000 }, async () => {
  const port = await listen(null);
  await Promise.all(
    Array.from(
      { length: 250 },
      () =>
        new Promise<void>((resolve, reject) => {
          const socket = connect(port, '127.0.0.1', () =>
            socket.write('GET /livez HTTP/1.1\r\nHost: local', () => resolve()),
          );
          socket.on('error', () => undefined);
          sockets.push(socket);
          setTimeout(() => reject(new Error('no connection')), 10_000).unref();
        }),
    ),
  );
  for (let i = 0; i < 5; i++) expect((await get(port, '/livez'))[0]).toBe(200);
  await expect.poll(() => sockets.filter((socket) => socket.closed || socket.destroyed).length).toBeGreaterThan(149);
});
