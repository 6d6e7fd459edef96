import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { FeedSpec } from '../../src/core/feed/feed.js';
import type { LoadJob, LoadResult } from '../../src/core/load.js';
import { csv } from '../../src/formats/csv/index.js';
import { checkFile } from '../../src/load/dry-run.js';
import { versionOf } from '../../src/sources/local/version.js';
import { column, feedOf } from './support.js';

const dir = mkdtempSync(path.join(tmpdir(), 'tallyman-dry-'));
afterAll(() => rmSync(dir, { recursive: true }));

async function check(content: string, feed: FeedSpec = feedOf(), change: Partial<LoadJob> = {}): Promise<LoadResult> {
  const file = path.join(dir, 'a.csv');
  writeFileSync(file, content);
  const stats = statSync(file, { bigint: true });
  const job: LoadJob = {
    loadKey: '00000000-0000-4000-8000-000000000000',
    instanceId: 'here',
    host: 'a host',
    fileId: 1,
    feed,
    // Nobody listens there: a dry run must not ask.
    database: {
      host: '127.0.0.1',
      port: 1,
      user: 'x',
      password: null,
      database: 'x',
      sslmode: 'disable',
      tls: { ca: null, cert: null, key: null },
      applicationName: 'x',
      connectTimeoutMs: 1,
      controlSchema: 'tallyman',
    },
    workDir: path.join(dir, 'work'),
    file: {
      path: 'a.csv',
      uri: `file://${file}`,
      localPath: file,
      localPathHex: null,
      size: Number(stats.size),
      mtimeUs: null,
      version: versionOf(stats),
      inPlace: true,
      sha256: null,
    },
    manifest: null,
    generation: 1,
    duplicateAllowed: false,
    replaces: { loadIds: [], path: false, feed: false },
    ...change,
  };
  return await checkFile(job, {
    formats: [csv],
    decoders: [],
    onProgress: () => undefined,
    signal: new AbortController().signal,
  });
}

test('counts and reports as a load would, without a database', async () => {
  expect(await check('id,name\n1,a\nx,b\n3,c\n')).toMatchObject({
    outcome: 'checked',
    error: null,
    sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
    rows: { read: 3, loaded: 2, quarantined: 1, skipped: 0, delta: 0 },
    errors: [{ class: 'type-error', column: 'id', rows: 1, first_row: 2, first_line: 3, example: 'x' }],
    dialect: { format: 'csv' },
  });
});

test('checks precision, length and rules by the types of the contract', async () => {
  const feed = feedOf({
    columns: [column('id', 'numeric(3,1)'), column('name', 'varchar(2)', { enum: ['ab', 'cd'] })],
    limits: { badRows: null, badRatio: null, minRows: 0, databaseRows: 1 },
  });
  expect(await check('id,name\n12.3,ab\n123.4,ab\n1.23,ab\n1,abc\n1,xy\n', feed)).toMatchObject({
    rows: { loaded: 1, quarantined: 4 },
  });
});

test('says with which error the file would be rejected', async () => {
  expect(await check('id,name\nx,a\n')).toMatchObject({
    outcome: 'checked',
    error: { code: 'TOO_MANY_BAD_ROWS' },
    rows: { read: 1, loaded: 0, quarantined: 1, delta: null },
  });
  expect(await check('id,name,other\n1,a,b\n')).toMatchObject({
    outcome: 'checked',
    error: { code: 'UNKNOWN_COLUMNS' },
  });
});

test('says when the file is gone', async () => {
  const result = await check('id,name\n', feedOf(), {
    file: {
      path: 'b',
      uri: 'file:///b',
      localPath: path.join(dir, 'b'),
      localPathHex: null,
      size: 1,
      mtimeUs: null,
      version: '',
      inPlace: true,
      sha256: null,
    },
  });
  expect(result).toMatchObject({ outcome: 'vanished' });
});

test('leaves nothing behind', () => {
  expect(readdirSync(dir)).toEqual(['a.csv']);
});
