import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startS3, type S3Server } from '../servers/s3.js';
import { giveToLogin, startSshd, type Sshd } from '../servers/sshd.js';
import { s3Harness, type S3Harness } from '../sources/s3/s3-harness.js';
import { workspace, type Workspace } from '../support/cli.js';
import { createDatabase, type TestDatabase } from '../support/postgres.js';
import { column, put, reportOf, states, type Listed } from './support.js';

const columns = [
  { name: 'id', type: 'integer' },
  { name: 'amount', type: 'numeric(12,2)' },
];
const file = (trailer: string, ...rows: readonly string[]): string => ['id,amount', ...rows, trailer, ''].join('\n');
const hash = (algorithm: string, content: string): string => createHash(algorithm).update(content).digest('hex');

describe('what the sender says, on a local drop', () => {
  let db: TestDatabase;
  let ws: Workspace;
  beforeAll(async () => {
    db = await createDatabase();
    ws = workspace(db.url, {
      trailer: { columns, control: { trailer: '^TRL,(?<rows>\\d+),(?<total>[\\d.]+)', totals: { amount: 'total' } } },
      sums: {
        columns,
        source: { pattern: '*.csv' },
        control: { checksum: '{name}.md5' },
        after: { loaded: { move: 'done' } },
      },
      folder: { columns, source: { pattern: '*' }, control: { checksum: 'SHA256SUMS' } },
      keys: {
        columns,
        source: { pattern: '*.csv', ready: { manifest: '{stem}.ctl' } },
        control: { manifest: { rows: 'Records', sha256: 'sha' }, totals: { amount: 'Amount' } },
      },
    });
  });
  afterAll(async () => {
    ws.remove();
    await db.drop();
  });

  test('good files load, with the declared rows in the tally; others are rejected and nothing of them is loaded', async () => {
    put(ws, 'trailer', 'good.csv', file('TRL,2,3.50', '1,1.25', '2,2.25'));
    put(ws, 'trailer', 'cut.csv', 'id,amount\n1,1.25\n2,2.25\n');
    put(ws, 'trailer', 'rows.csv', file('TRL,3,3.50', '3,1.25', '4,2.25'));
    put(ws, 'trailer', 'total.csv', file('TRL,2,3.60', '5,1.25', '6,2.25'));
    put(ws, 'sums', 'good.csv', 'id,amount\n1,1\n');
    put(ws, 'sums', 'good.csv.md5', `${hash('md5', 'id,amount\n1,1\n')}  good.csv\n`);
    put(ws, 'sums', 'bad.csv', 'id,amount\n2,2\n');
    put(ws, 'sums', 'bad.csv.md5', `${hash('md5', 'other')}  bad.csv\n`);
    put(ws, 'sums', 'waits.csv', 'id,amount\n3,3\n');
    put(ws, 'folder', 'a', 'id,amount\n1,1\n');
    put(ws, 'folder', 'b', 'id,amount\n2,2\n');
    put(ws, 'folder', 'SHA256SUMS', `${hash('sha256', 'id,amount\n1,1\n')}  a\n${hash('sha256', 'x')} *b\n`);
    put(ws, 'keys', 'a.csv', 'id,amount\n1,0.10\n2,0.20\n');
    put(ws, 'keys', 'a.ctl', `RECORDS = 2\nsha=${hash('sha256', 'id,amount\n1,0.10\n2,0.20\n')}\nAmount: 0.3\n`);
    put(ws, 'keys', 'b.csv', 'id,amount\n3,0.10\n');
    put(ws, 'keys', 'b.ctl', `Records,sha,Amount\n1,${hash('sha256', 'id,amount\n3,0.10\n')},0.11\n`);

    const round = await ws.once('--settle-timeout', '1s');
    expect(round.code).toBe(1);
    expect(reportOf(round, 'trailer', 'good.csv')).toMatchObject({
      state: 'loaded',
      rows: { read: 2, loaded: 2, quarantined: 0, declared: 2, delta: 0 },
    });
    expect(reportOf(round, 'trailer', 'cut.csv')).toMatchObject({
      state: 'rejected',
      error: { code: 'CONTROL_MISSING' },
    });
    expect(reportOf(round, 'trailer', 'rows.csv')).toMatchObject({
      state: 'rejected',
      rows: { read: 2, loaded: 0, declared: 3, delta: null },
      error: { code: 'DECLARED_ROWS_MISMATCH' },
    });
    expect(reportOf(round, 'trailer', 'total.csv')).toMatchObject({
      state: 'rejected',
      error: { code: 'TOTALS_MISMATCH', message: 'the trailer says 3.60 for amount, all records together have 3.5' },
    });
    expect(states(round, 'sums')).toEqual(['bad.csv:rejected', 'good.csv:loaded']);
    expect(reportOf(round, 'sums', 'bad.csv').error?.code).toBe('CHECKSUM_MISMATCH');
    expect(states(round, 'folder')).toEqual(['a:loaded', 'b:rejected']);
    expect(states(round, 'keys')).toEqual(['a.csv:loaded', 'b.csv:rejected']);
    expect(reportOf(round, 'keys', 'b.csv').error?.code).toBe('TOTALS_MISMATCH');
    expect(await column(db, 'select id from staging.trailer order by 1')).toEqual(['1', '2']);
    expect(await column(db, "select rows_declared from tallyman.loads where feed = 'trailer' order by path")).toEqual([
      null,
      '2',
      '3',
      '2',
    ]);
    expect(round.summary).toMatchObject({ files: { waiting: 1 } });
  });

  test('the checksum file goes along with its file, and speaks for it again when it is reprocessed', async () => {
    const drop = path.join(ws.dir, 'drop', 'sums');
    expect(readdirSync(path.join(drop, 'done')).sort()).toEqual(['good.csv', 'good.csv.md5']);
    expect(existsSync(path.join(drop, 'good.csv.md5'))).toBe(false);
    const [entry] = ((await ws.json('files', '--feed', 'sums', '--state', 'loaded')) as Listed).items;
    await ws.run('reprocess', String(entry?.file_id), '--yes');
    expect(reportOf(await ws.once('--settle-timeout', '1s'), 'sums', 'good.csv')).toMatchObject({
      state: 'loaded',
      generation: 2,
    });
    expect(await column(db, 'select id from staging.sums order by 1')).toEqual(['1']);
  });

  test('load --dry-run looks at it, too', async () => {
    const one = path.join(ws.dir, 'x.csv');
    writeFileSync(one, file('TRL,2,1.25', '1,1.25'));
    expect((await ws.run('load', one, '--feed', 'trailer', '--dry-run')).stdout).toContain(
      'error[DECLARED_ROWS_MISMATCH]: the trailer says 2 rows; 1 was read',
    );
    writeFileSync(path.join(ws.dir, 'x.csv.md5'), hash('md5', 'other'));
    expect((await ws.run('load', one, '--feed', 'sums', '--dry-run')).stdout).toContain('CHECKSUM_MISMATCH');
  });
});

describe('what the sender says, in S3', () => {
  let server: S3Server;
  let store: S3Harness;
  let db: TestDatabase;
  let ws: Workspace;
  beforeAll(async () => {
    server = await startS3();
    store = await s3Harness(server);
    db = await createDatabase();
    const source = (name: string): object => ({
      type: 's3',
      connection: 'lake',
      bucket: store.bucket,
      prefix: `${name}/`,
      pattern: '*.csv',
    });
    const feeds = {
      meta: {
        source: source('meta'),
        format: { type: 'csv' },
        columns,
        control: { metadata: { rows: 'X-Rows', sha256: 'x-amz-meta-x-sha256' }, totals: { amount: 'x-amount' } },
      },
      sums: {
        source: source('sums'),
        format: { type: 'csv' },
        columns,
        control: { checksum: '{name}.sha256' },
        after: { loaded: 'delete' },
      },
    };
    ws = workspace(
      db.url,
      { unused: {} },
      {
        connections: {
          lake: {
            type: 's3',
            endpoint: server.endpoint,
            force_path_style: true,
            access_key_id: server.accessKeyId,
            secret_access_key: { file: 'secret' },
          },
        },
        feeds,
      },
    );
    writeFileSync(path.join(ws.dir, 'secret'), server.secretAccessKey);
  }, 300_000);
  afterAll(async () => {
    ws.remove();
    await db.drop();
    await server.close();
  });

  test("metadata of objects and checksum files beside them are the sender's word", async () => {
    const good = 'id,amount\n1,1.50\n2,1\n';
    await server.client.putObject({
      Bucket: store.bucket,
      Key: 'meta/good.csv',
      Body: good,
      Metadata: { 'x-rows': '2', 'x-sha256': hash('sha256', good), 'x-amount': '2.5' },
    });
    await store.put('meta/none.csv', 'id,amount\n9,9\n');
    await server.client.putObject({
      Bucket: store.bucket,
      Key: 'meta/rows.csv',
      Body: 'id,amount\n7,7\n',
      Metadata: { 'x-rows': '2', 'x-sha256': hash('sha256', 'id,amount\n7,7\n'), 'x-amount': '7' },
    });
    await store.put('sums/a.csv', good);
    await store.put('sums/a.csv.sha256', `SHA256 (a.csv) = ${hash('sha256', good)}\n`);
    await store.put('sums/waits.csv', 'id,amount\n3,3\n');
    const round = await ws.once('--settle-timeout', '1s');
    expect(reportOf(round, 'meta', 'meta/good.csv')).toMatchObject({ state: 'loaded', rows: { read: 2, declared: 2 } });
    expect(reportOf(round, 'meta', 'meta/none.csv')).toMatchObject({
      state: 'rejected',
      error: { code: 'CONTROL_MISSING' },
    });
    expect(reportOf(round, 'meta', 'meta/rows.csv')).toMatchObject({
      state: 'rejected',
      error: { code: 'DECLARED_ROWS_MISMATCH', message: 'the metadata says 2 rows; 1 was read' },
    });
    expect(states(round, 'sums')).toEqual(['sums/a.csv:loaded']);
    expect(await store.read('sums/a.csv.sha256')).toBeNull();
    expect((await ws.run('run', '--once', '--settle-timeout', '0s')).stdout).toContain(
      'sums/waits.csv waits: its checksum file sums/waits.csv.sha256 is not there',
    );
  });
});

describe('what the sender says, over SFTP', () => {
  let sshd: Sshd;
  let db: TestDatabase;
  let ws: Workspace;
  beforeAll(async () => {
    [sshd, db] = await Promise.all([startSshd(), createDatabase()]);
    const feed = (name: string, more: object): object => ({
      source: { type: 'sftp', connection: 'acme', dir: `upload/${name}`, pattern: '*.csv', settle: '0s', ...more },
      format: { type: 'csv' },
      columns,
    });
    const feeds = {
      keys: {
        ...feed('keys', { ready: { manifest: '{stem}.json' } }),
        control: { manifest: { rows: 'n', sha1: 'sha' }, totals: { amount: 'sum' } },
      },
      sums: { ...feed('sums', {}), control: { checksum: '{name}.sha512', trailer: '^END (?<rows>\\d+)$' } },
    };
    const acme = {
      type: 'sftp',
      host: sshd.host,
      port: sshd.port,
      user: sshd.user,
      password: sshd.password,
      host_key: await sshd.hostKey(),
    };
    ws = workspace(db.url, { unused: {} }, { connections: { acme }, feeds });
  }, 300_000);
  afterAll(async () => {
    ws.remove();
    await Promise.all([sshd.close(), db.drop()]);
  });

  test('manifests, checksum files and trailers are its word', async () => {
    const give = (at: string, content: string): void => {
      const target = path.join(sshd.upload, at);
      mkdirSync(path.dirname(target), { recursive: true });
      giveToLogin(path.dirname(target));
      writeFileSync(target, content);
      giveToLogin(target);
    };
    const good = 'id,amount\n1,1.50\n2,1\n';
    give('keys/a.csv', good);
    give('keys/a.json', JSON.stringify({ n: 2, sha: hash('sha1', good), sum: 2.5 }));
    give('keys/b.csv', `${good}3,3\n`);
    give('keys/b.json', JSON.stringify({ n: 2, sha: hash('sha1', `${good}3,3\n`), sum: 5.5 }));
    give('sums/a.csv', `${good}END 2\n`);
    give('sums/a.csv.sha512', `${hash('sha512', `${good}END 2\n`)}  a.csv\n`);
    give('sums/b.csv', `${good}END 3\n`);
    give('sums/b.csv.sha512', `${hash('sha512', `${good}END 2\n`)}  b.csv\n`);
    give('sums/waits.csv', `${good}END 4\n`);
    const round = await ws.once('--settle-timeout', '8s');
    expect(states(round, 'keys')).toEqual(['a.csv:loaded', 'b.csv:rejected']);
    expect(reportOf(round, 'keys', 'a.csv')).toMatchObject({ rows: { read: 2, loaded: 2, declared: 2 } });
    expect(reportOf(round, 'keys', 'b.csv')).toMatchObject({
      rows: { loaded: 0 },
      error: { code: 'DECLARED_ROWS_MISMATCH', message: 'the manifest says 2 rows; 3 were read' },
    });
    expect(states(round, 'sums')).toEqual(['a.csv:loaded', 'b.csv:rejected']);
    expect(reportOf(round, 'sums', 'b.csv').error?.message).toMatch(
      /b\.csv\.sha512 says sha512 [0-9a-f]{128}, the file has [0-9a-f]{128}/,
    );
    expect((await db.client.query('select count(*)::int as n from staging.keys')).rows).toEqual([{ n: 2 }]);
  });
});
