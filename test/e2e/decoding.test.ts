import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { workspace, type Workspace } from '../support/cli.js';
import { createDatabase, type TestDatabase } from '../support/postgres.js';
import { zipOf } from '../decode/support.js';
import { column, put, reportOf, type Round } from './support.js';

/** Compression and encoding, from outside. */
let db: TestDatabase;
let ws: Workspace;
let round: Round;

const source = { pattern: '*.{csv,gz,zip}' };

beforeAll(async () => {
  db = await createDatabase();
  ws = workspace(db.url, {
    packed: { source, members: '*.csv', max_expansion: { ratio: 50, size: '1GB' } },
    latin: { source, format: { encoding: 'latin1' } },
    plain: { source, compression: 'none' },
  });
  put(ws, 'packed', 'a.csv.gz', gzipSync('id,v\n1,é\n'));
  put(ws, 'packed', 'cut.csv.gz', gzipSync('id,v\n9,x\n').subarray(0, -2));
  put(
    ws,
    'packed',
    'two.zip',
    zipOf([
      { name: 'x.csv', content: 'id,v\n2,b\n' },
      { name: 'y.csv', content: 'id,v\n3,c\n' },
    ]),
  );
  put(ws, 'packed', 'bomb.csv.gz', gzipSync(`id,v\n${'1,a\n'.repeat(4_000_000)}`));
  put(ws, 'packed', 'page.csv', '<!DOCTYPE html><title>502</title>\n');
  put(ws, 'packed', 'nothing.csv.gz', '');
  put(ws, 'latin', 'l.csv', Buffer.from('id,v\n1,Andr\xe9 \x80\n2,\x81\n3,ok\n', 'latin1'));
  put(ws, 'plain', 'p.csv', gzipSync('id,v\n1,é\n'));
  round = await ws.once();
});
afterAll(async () => {
  await db.drop();
  ws.remove();
});

describe('compression', () => {
  test('files are taken by their bytes: gzip, and every wanted member of a zip', async () => {
    expect(reportOf(round, 'packed', 'a.csv.gz')).toMatchObject({ state: 'loaded', rows: { read: 1, loaded: 1 } });
    expect(reportOf(round, 'packed', 'two.zip')).toMatchObject({ state: 'loaded', rows: { read: 2, loaded: 2 } });
    expect(await column(db, 'select v from staging.packed order by id')).toEqual(['é', 'b', 'c']);
  });

  test.each([
    ['packed', 'cut.csv.gz', 'FILE_CORRUPT'],
    ['packed', 'bomb.csv.gz', 'EXPANSION_LIMIT'],
    ['packed', 'page.csv', 'FORMAT_MISMATCH'],
    ['packed', 'nothing.csv.gz', 'EMPTY_NOT_ALLOWED'],
    ['plain', 'p.csv', 'FORMAT_MISMATCH'],
  ])('%s/%s is rejected: %s', (feed, name, code) => {
    expect(reportOf(round, feed, name)).toMatchObject({ state: 'rejected', error: { code } });
  });
});

describe('encoding', () => {
  test('is decoded as declared; bytes that it does not have cost their row', async () => {
    expect(reportOf(round, 'latin', 'l.csv')).toMatchObject({
      state: 'loaded',
      rows: { read: 3, loaded: 2, quarantined: 1 },
      errors: [{ class: 'encoding-error', first_row: 2 }],
    });
    expect(await column(db, 'select v from staging.latin order by id')).toEqual(['André €', 'ok']);
  });

  test('that nobody knows is a mistake of the config, exit 78', async () => {
    const other = workspace(db.url, { f: { format: { encoding: 'latin-99' } } });
    const ended = await other.run('check', '--json');
    other.remove();
    expect(ended.code).toBe(78);
    expect(ended.stdout + ended.stderr).toContain('feeds.f.format.encoding');
  });
});
