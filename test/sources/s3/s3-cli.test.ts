import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { s3Client, startS3, type S3Server } from '../../servers/s3.js';
import { workspace, type Workspace } from '../../support/cli.js';
import { startFakeS3, type FakeS3 } from '../../support/fake-s3.js';
import { createDatabase, type TestDatabase } from '../../support/postgres.js';
import { s3Harness, type S3Harness } from './s3-harness.js';

const columns = [
  { name: 'id', type: 'integer' },
  { name: 'v', type: 'text' },
];
const csv = (...rows: readonly string[]): string => `${['id,v', ...rows].join('\n')}\n`;

interface Lake {
  readonly ws: Workspace;
  readonly db: TestDatabase;
  rows(feed: string): Promise<string[]>;
}

/** A workspace whose feeds all stand on the bucket. */
async function lakeOf(
  store: S3Harness,
  server: { readonly endpoint: string; readonly accessKeyId: string; readonly secretAccessKey: string },
  feeds: Readonly<Record<string, Record<string, unknown>>>,
): Promise<Lake> {
  const db = await createDatabase();
  const connections = {
    lake: {
      type: 's3',
      endpoint: server.endpoint,
      force_path_style: true,
      access_key_id: server.accessKeyId,
      secret_access_key: { file: 'secret' },
    },
  };
  const full = Object.fromEntries(
    Object.entries(feeds).map(([name, { source, ...rest }]) => [
      name,
      {
        source: {
          type: 's3',
          connection: 'lake',
          bucket: store.bucket,
          prefix: `${name}/`,
          pattern: '*.csv',
          ...(source as object | undefined),
        },
        format: { type: 'csv' },
        columns,
        ...rest,
      },
    ]),
  );
  const ws = workspace(db.url, { unused: {} }, { connections, feeds: full });
  writeFileSync(path.join(ws.dir, 'secret'), server.secretAccessKey);
  const rows = async (feed: string): Promise<string[]> => {
    const { rows: all } = await db.client.query<{ v: string }>(`select v from staging.${feed} order by id, v`);
    return all.map((row) => row.v);
  };
  return { ws, db, rows };
}

describe('S3 feeds from outside, on a real server', () => {
  let server: S3Server;
  let store: S3Harness;
  let lake: Lake;
  beforeAll(async () => {
    server = await startS3();
    store = await s3Harness(server);
    lake = await lakeOf(store, server, {
      plain: {},
      del: { after: { loaded: 'delete' } },
      mov: { after: { loaded: { move: 'done/%Y' } }, source: { ready: { marker: '{name}.ok' } } },
      tagged: { after: { loaded: { tag: { state: 'loaded' } } } },
      dated: { source: { prefix: 'dated/%Y/%m/%d/', lookback: '3d' } },
    });
  }, 300_000);
  afterAll(async () => {
    lake.ws.remove();
    await lake.db.drop();
    await server.close();
  });

  test('files load once, after actions are done, and the books balance', async () => {
    const today = new Date().toISOString().slice(0, 10).replaceAll('-', '/');
    const yesterday = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10).replaceAll('-', '/');
    await store.put('plain/100% of it+\n ä.csv', csv('1,strange'));
    await store.put('plain/deep/in/b.csv', csv('2,deep'));
    await store.put('del/a.csv', csv('1,a'));
    await store.put('mov/a.csv', csv('1,a'));
    await store.put('mov/a.csv.ok', '');
    await store.put('mov/waits.csv', csv('2,b'));
    await store.put('tagged/a.csv', csv('1,a'));
    await store.put(`dated/${today}/a.csv`, csv('1,today'));
    await store.put(`dated/${yesterday}/a.csv`, csv('2,yesterday'));
    await store.put('dated/2020/01/01/a.csv', csv('3,long ago'));
    const first = await lake.ws.once('--settle-timeout', '1s');
    expect(first.stderr).not.toContain('NodeVersion');
    expect(first.reports.map((report) => [report.path, report.state]).sort()).toEqual(
      [
        'plain/100% of it+\n ä.csv',
        'plain/deep/in/b.csv',
        'del/a.csv',
        'mov/a.csv',
        'tagged/a.csv',
        `dated/${today}/a.csv`,
        `dated/${yesterday}/a.csv`,
      ]
        .map((key) => [key, 'loaded'])
        .sort(),
    );
    expect(first.code).toBe(0);
    expect(await lake.rows('plain')).toEqual(['strange', 'deep']);
    expect(await lake.rows('dated')).toEqual(['today', 'yesterday']);
    expect(await store.read('del/a.csv')).toBeNull();
    expect(await store.read('mov/a.csv')).toBeNull();
    expect(await store.read(`done/${new Date().getUTCFullYear()}/mov/a.csv`)).toBe(csv('1,a'));
    expect(await store.read(`done/${new Date().getUTCFullYear()}/mov/a.csv.ok`)).toBe('');
    expect((await server.client.getObjectTagging({ Bucket: store.bucket, Key: 'tagged/a.csv' })).TagSet).toEqual([
      { Key: 'state', Value: 'loaded' },
    ]);
    const second = await lake.ws.once('--settle-timeout', '1s');
    expect(second.code).toBe(0);
    expect(second.reports).toEqual([]);
    expect(await lake.ws.json('ledger', 'verify')).toMatchObject({ ok: true });
  });

  test('new content under a known key is a further version; a marker that was put again releases it', async () => {
    await store.put('plain/deep/in/b.csv', csv('9,changed'));
    await store.put('mov/a.csv', csv('5,second'));
    const waiting = await lake.ws.once('--settle-timeout', '1s');
    expect(waiting.reports.map((report) => [report.path, report.state])).toEqual([['plain/deep/in/b.csv', 'loaded']]);
    await store.put('mov/a.csv.ok', '');
    const released = await lake.ws.once('--settle-timeout', '1s');
    expect(released.reports.map((report) => [report.path, report.state])).toEqual([['mov/a.csv', 'loaded']]);
    expect(await lake.rows('mov')).toEqual(['a', 'second']);
  });

  test('check --connect finds nothing to say', async () => {
    const ended = await lake.ws.run('check', '--connect');
    expect(ended.stdout + ended.stderr).not.toMatch(/s3:/);
    expect(ended.code).toBe(0);
  });
});

describe('S3 feeds from outside, under faults', () => {
  const SECRET = 'CANARYsecret/with+signs';
  let fake: FakeS3;
  let store: S3Harness;
  let lake: Lake;
  beforeAll(async () => {
    fake = await startFakeS3();
    const login = { endpoint: fake.endpoint, accessKeyId: 'CANARYKEYID', secretAccessKey: SECRET };
    store = await s3Harness({ ...login, client: s3Client(fake.endpoint, 'CANARYKEYID', SECRET) });
    lake = await lakeOf(store, login, { f: {} });
  }, 120_000);
  afterAll(async () => {
    lake.ws.remove();
    await lake.db.drop();
    await fake.close();
  });

  test('an object replaced between listing and read: only the new content is loaded', async () => {
    await store.put('f/a.csv', csv('1,old'));
    let replaced = false;
    fake.fault = ({ method, key }) => {
      if (method === 'GET' && key === 'f/a.csv' && !replaced) {
        replaced = true;
        fake.put(store.bucket, 'f/a.csv', csv('1,new', '2,new'));
      }
      return null;
    };
    const { reports, code } = await lake.ws.once();
    expect(code).toBe(0);
    expect(reports.filter((report) => report.state === 'loaded').map((report) => report.rows.loaded)).toEqual([2]);
    expect(await lake.rows('f')).toEqual(['new', 'new']);
  });

  test('a body that is cut again and again, and 500 and SlowDown on 30 % of the calls: every file comes whole', async () => {
    for (let i = 0; i < 12; i++)
      await store.put(`f/many${i}.csv`, csv(...Array.from({ length: 200 }, (_, n) => `${1_000 + i * 200 + n},many`)));
    let calls = 0;
    fake.fault = ({ method, key, headers }) => {
      if (++calls % 10 < 3)
        return { status: calls % 2 === 0 ? 500 : 503, code: calls % 2 === 0 ? 'InternalError' : 'SlowDown' };
      return method === 'GET' && key !== '' && headers.range === undefined ? { cutAfter: 700 } : null;
    };
    const { reports, code } = await lake.ws.once();
    fake.fault = () => null;
    expect(reports.map((report) => report.state)).toEqual(Array.from({ length: 12 }, () => 'loaded'));
    expect(code).toBe(0);
    expect((await lake.rows('f')).filter((v) => v === 'many')).toHaveLength(2_400);
  });

  test('one forbidden object fails alone, in plain words', async () => {
    await store.put('f/forbidden.csv', csv('1,x'));
    await store.put('f/free.csv', csv('7,free'));
    fake.fault = ({ key }) => (key === 'f/forbidden.csv' ? { status: 403, code: 'AccessDenied' } : null);
    const { reports } = await lake.ws.once();
    expect(reports.find((report) => report.path === 'f/free.csv')?.state).toBe('loaded');
    const shown = (await lake.ws.json('files', '--match', 'f/forbidden.csv')) as {
      items: { state: string; error: { code: string; fix: string } | null }[];
    };
    expect(shown.items[0]?.state).not.toBe('loaded');
    fake.fault = () => null;
    await lake.ws.run('retry', '--match', 'f/forbidden.csv', '--yes');
    await lake.ws.once();
    expect(await lake.rows('f')).toContain('x');
  });

  test('known keys cost one entry of a listing each, no request of their own', async () => {
    fake.log.length = 0;
    const { reports } = await lake.ws.once();
    expect(reports).toEqual([]);
    expect(fake.log).toEqual(['GET ']);
  });

  test('expired keys: exit 5, no file is blamed, and all goes on when they are renewed', async () => {
    await store.put('f/later.csv', csv('8,later'));
    fake.fault = () => ({
      status: 400,
      code: 'ExpiredToken',
      message: `the token of CANARYKEYID ${SECRET} has expired`,
    });
    const paused = await lake.ws.run('run', '--once', '--json');
    expect(paused.code).toBe(5);
    expect(paused.stderr).toContain('expired');
    fake.fault = () => null;
    expect((await lake.ws.once()).reports.map((report) => [report.path, report.state, report.attempts])).toEqual([
      ['f/later.csv', 'loaded', 1],
    ]);
  });

  test('the secret stands in no output and in no file of data_dir', async () => {
    fake.fault = () => ({ status: 403, code: 'InvalidAccessKeyId', message: `no CANARYKEYID ${SECRET}` });
    let said = '';
    for (const args of [
      ['run', '--once', '--json'],
      ['check', '--connect'],
      ['config', 'print'],
    ]) {
      const { stdout, stderr } = await lake.ws.run(...args, '-v');
      said += stdout + stderr;
    }
    expect(said).toContain('InvalidAccessKeyId');
    expect(said).not.toContain(SECRET);
    const data = path.join(lake.ws.dir, 'data');
    const holding = readdirSync(data, { recursive: true, withFileTypes: true }).filter(
      (entry) => entry.isFile() && readFileSync(path.join(entry.parentPath, entry.name)).includes(SECRET),
    );
    expect(holding).toEqual([]);
  });
});
