import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect, type AddressInfo } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Source } from '../../../src/core/source.js';
import { Secret } from '../../../src/core/secret.js';
import { S3_LIMITS } from '../../../src/sources/s3/client.js';
import { openS3 } from '../../../src/sources/s3/index.js';
import { copySource } from '../../../src/sources/s3/key.js';
import { connectionOptions } from '../../../src/sources/s3/options.js';
import { listAll } from '../../contract/source-suite.js';
import { startFakeS3, type FakeRequest, type FakeS3 } from '../../support/fake-s3.js';
import { plainSpec } from '../local/local-harness.js';

/** Ways to a store: certificates, proxies, no login, requests that we pay for. */
const TLS = path.resolve(import.meta.dirname, '../../postgres/tls');
const keys = { access_key_id: new Secret('id'), secret_access_key: new Secret('key') };

let fake: FakeS3;
/** TLS before the store; its certificate is signed by ca.pem. */
let tls: Server;
let proxy: Server;
const tunnels: string[] = [];
let asked: FakeRequest[] = [];
beforeAll(async () => {
  fake = await startFakeS3();
  const storePort = Number(new URL(fake.endpoint).port);
  tls = createTlsServer(
    { key: readFileSync(path.join(TLS, 'server.key')), cert: readFileSync(path.join(TLS, 'server.pem')) },
    (request, response) => {
      void fetch(fake.endpoint + (request.url ?? '/')).then(async (answer) => {
        response.writeHead(answer.status, { 'content-type': 'application/xml' });
        response.end(Buffer.from(await answer.arrayBuffer()));
      });
    },
  );
  proxy = createServer((_request, response) => response.writeHead(405).end());
  proxy.on('connect', (request, socket) => {
    tunnels.push(request.url ?? '');
    if (request.url?.startsWith('closed') === true) return void socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
    const port = Number(request.url?.split(':').at(-1));
    const upstream = connect(port === 443 ? storePort : port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      socket.pipe(upstream).pipe(socket);
    });
    upstream.on('error', () => socket.destroy());
    socket.on('error', () => upstream.destroy());
  });
  for (const server of [tls, proxy]) await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  fake.put('b', 'a.csv', 'x');
});
afterAll(async () => {
  await fake.close();
  for (const server of [tls, proxy]) {
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }
});
beforeEach(() => {
  asked = [];
  tunnels.length = 0;
  fake.fault = (request) => {
    asked.push(request);
    return null;
  };
});

const portOf = (server: Server): number => (server.address() as AddressInfo).port;
const open = (connection: Readonly<Record<string, unknown>>): Source =>
  openS3(
    { ...plainSpec, type: 's3', recursive: true },
    { connection: 'lake', bucket: 'b', prefix: '', lookback: 0 },
    connectionOptions.parse({ endpoint: fake.endpoint, force_path_style: true, ...connection }),
    { ...S3_LIMITS, attempts: 1 },
  );
async function listed(connection: Readonly<Record<string, unknown>>): Promise<string[]> {
  const source = open(connection);
  try {
    return (await listAll(source)).paths;
  } finally {
    await source.close();
  }
}

describe('certificates', () => {
  const at = (host: string): string => `https://${host}:${portOf(tls)}`;

  test('an authority that nobody here knows: said so, with the key that names it; with ca it is reached', async () => {
    await expect(listed({ ...keys, endpoint: at('localhost') })).rejects.toMatchObject({
      code: 'SOURCE_UNREACHABLE',
      fix: expect.stringMatching(/name it with ca .* does not go away by itself/) as string,
    });
    expect(await listed({ ...keys, endpoint: at('localhost'), ca: path.join(TLS, 'ca.pem') })).toEqual(['a.csv']);
  });

  test('a store that speaks no TLS, and a ca that cannot be read', async () => {
    await expect(listed({ ...keys, endpoint: fake.endpoint.replace('http:', 'https:') })).rejects.toMatchObject({
      fix: expect.stringContaining('It speaks no TLS there') as string,
    });
    await expect(listed({ ...keys, ca: '/nowhere.pem' })).rejects.toMatchObject({
      code: 'SOURCE_UNREACHABLE',
      message: expect.stringContaining('/nowhere.pem cannot be used') as string,
    });
  });
});

describe('a proxy', () => {
  test('is gone through, with TLS to the store itself', async () => {
    const through = { ...keys, proxy: `http://127.0.0.1:${portOf(proxy)}` };
    expect(await listed(through)).toEqual(['a.csv']);
    expect(
      await listed({ ...through, endpoint: `https://localhost:${portOf(tls)}`, ca: path.join(TLS, 'ca.pem') }),
    ).toEqual(['a.csv']);
    expect(tunnels).toEqual([new URL(fake.endpoint).host, `localhost:${portOf(tls)}`]);
  });

  test('that lets nobody through, or is away, is named', async () => {
    const through = { ...keys, endpoint: 'http://closed.example:80' };
    await expect(listed({ ...through, proxy: `http://127.0.0.1:${portOf(proxy)}` })).rejects.toMatchObject({
      code: 'SOURCE_UNREACHABLE',
      message: expect.stringMatching(
        /proxy 127\.0\.0\.1:\d+: it does not let us through to closed\.example:80 \(HTTP 403\)/,
      ) as string,
    });
    await expect(listed({ ...through, proxy: 'http://127.0.0.1:1' })).rejects.toMatchObject({
      message: expect.stringContaining('proxy 127.0.0.1:1: ') as string,
    });
  });
});

test('anonymous: requests bear no login', async () => {
  expect(await listed({ anonymous: true })).toEqual(['a.csv']);
  expect(asked.map(({ headers }) => headers.authorization)).toEqual([undefined]);
  expect(connectionOptions.safeParse({ ...keys, anonymous: true }).success).toBe(false);
});

test('requester_pays: each request says so, and the word is signed', async () => {
  expect(await listed({ ...keys, requester_pays: true })).toEqual(['a.csv']);
  expect(asked.map(({ headers }) => headers['x-amz-request-payer'])).toEqual(['requester']);
  expect(asked[0]!.headers.authorization).toContain('x-amz-request-payer');
});

test('keys in files are read again after they were refused', async () => {
  let key = 'wrong';
  const source = open({
    access_key_id: new Secret('id'),
    secret_access_key: new Secret('wrong', () => key),
  });
  fake.fault = () => (key === 'wrong' ? { status: 403, code: 'SignatureDoesNotMatch' } : null);
  await expect(listAll(source)).rejects.toMatchObject({ code: 'SOURCE_UNREACHABLE' });
  key = 'right';
  expect((await listAll(source)).paths).toEqual(['a.csv']);
  await source.close();
});

test('an access point is named by its ARN, objects in it by theirs', () => {
  const arn = 'arn:aws:s3:eu-west-1:123456789012:accesspoint/drops';
  expect(decodeURIComponent(copySource(arn, 'in/a.csv'))).toBe(`${arn}/object/in/a.csv`);
});
