import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse as parseYaml } from 'yaml';
import type { FileDetail, FileReport } from '../../src/core/report.js';
import { tallyman, workspace } from '../support/cli.js';
import { createDatabase, type TestDatabase } from '../support/postgres.js';
import { reportOf } from './support.js';

const DATA = path.resolve(import.meta.dirname, '../../../shared/data');
const here = existsSync(DATA);
const note = here ? '' : ` (NOT RUN: ${DATA} is not there)`;

let db: TestDatabase;
let dir: string;
beforeAll(async () => {
  db = await createDatabase();
  dir = mkdtempSync(path.join(tmpdir(), 'tallyman-infer-e2e-'));
});
afterAll(async () => {
  rmSync(dir, { recursive: true, force: true });
  await db.drop();
});

/** The config that a person makes of what infer printed: pasted under feeds:, nothing else. */
function paste(name: string, printed: string): string {
  const config = path.join(dir, `${name}.yaml`);
  writeFileSync(
    config,
    `version: 1\ndata_dir: ./data-${name}\ndatabase: { url: ${JSON.stringify(db.url)} }\ndaemon: { http: false }\nfeeds:\n${printed}`,
  );
  return config;
}

test.skipIf(!here).each([
  ['tables/zipcodes.csv', 'zipcodes', 42_049, { zip_code: 'text', latitude: 'numeric(12,6)' }],
  ['tables/airlines.dat', 'airlines', 6_162, { column_1: 'integer', column_8: 'boolean' }],
  ['json/movies.json', 'movies', 3_201, { release_date: 'date', imdb_rating: 'numeric(12,2)' }],
  ['csv-spectrum/csvs/json.csv', 'json', 1, { key: 'integer', val: 'jsonb' }],
])(`what infer prints for %s, pasted, checks and loads it${note}`, async (file, feed, count, types) => {
  const source = path.join(DATA, file);
  const inferred = await tallyman(['infer', source], { cwd: dir });
  expect(inferred).toMatchObject({ code: 0, stderr: '' });
  expect(Object.keys(parseYaml(inferred.stdout) as object)).toEqual([feed]);
  const config = paste(feed, inferred.stdout);
  expect((await tallyman(['check', '-c', config])).code).toBe(0);
  const loaded = await tallyman(['load', source, '--feed', feed, '--json', '-c', config]);
  expect(loaded.code).toBe(0);
  const [report] = loaded.stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as FileReport);
  expect(report).toMatchObject({ state: 'loaded', rows: { read: count, loaded: count, quarantined: 0 } });
  const { rows } = await db.client.query<{ name: string; type: string }>(
    `select attname as name, format_type(atttypid, atttypmod) as type from pg_attribute where attrelid = $1::regclass and attnum > 2`,
    [`staging.${feed}`],
  );
  expect(Object.fromEntries(rows.map(({ name, type }) => [name, type]))).toMatchObject(types);
});

test('--json tells feed, columns and notes; --name names it', async () => {
  const file = path.join(dir, 'orders_20240131.csv');
  writeFileSync(file, 'id,day\n1,01/02/2024\n2,02/01/2024\n');
  const { stdout, code } = await tallyman(['infer', 'orders_20240131.csv', '--name', 'orders_daily', '--json'], {
    cwd: dir,
  });
  expect(code).toBe(0);
  const document = JSON.parse(stdout) as {
    readonly name: string;
    readonly feed: Record<string, unknown>;
    readonly columns: readonly Record<string, unknown>[];
    readonly notes: readonly string[];
  };
  expect(document).toMatchObject({
    name: 'orders_daily',
    feed: { source: { type: 'local', dir: '.', pattern: 'orders_%Y%m%d.csv' }, format: { type: 'csv' } },
    columns: [
      {
        name: 'id',
        type: 'integer',
        format: null,
        nullable: false,
        unique: true,
        min: '1',
        max: '2',
        examples: ['1', '2'],
      },
      { name: 'day', type: 'date', format: ['%d/%m/%Y'], nullable: false },
    ],
  });
  expect(document.notes.join('\n')).toContain('day: every value also fits %m/%d/%Y');
});

test('a file that cannot be read: exit 1, nothing on stdout', async () => {
  const gone = await tallyman(['infer', path.join(dir, 'gone.csv')]);
  expect({ code: gone.code, stdout: gone.stdout }).toEqual({ code: 1, stdout: '' });
  expect(gone.stderr).toContain('gone.csv is not there');
  writeFileSync(path.join(dir, 'x.pdf'), '%PDF-1.7');
  expect(await tallyman(['infer', path.join(dir, 'x.pdf')])).toMatchObject({ code: 1, stdout: '' });
  expect((await tallyman(['infer'])).code).toBe(2);
});

test('names of columns cannot steer the terminal', async () => {
  const file = path.join(dir, 'hostile.csv');
  writeFileSync(file, '"\u001b[2Jid","a\nb"\n1,\u001b[31mred\n2,x\n');
  const { stdout, stderr, code } = await tallyman(['infer', file]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
  expect(readFileSync(file, 'utf8')).toContain('\u001b');
});

test('delimiter: auto takes each file as it is; a change from one file to the next is told', async () => {
  const ws = workspace(db.url, {
    auto: {
      format: { delimiter: 'auto', encoding: 'auto' },
      columns: [
        { name: 'id', type: 'integer' },
        { name: 'v', type: 'text' },
      ],
    },
  });
  try {
    const take = async (name: string, content: string | Buffer): Promise<FileDetail> => {
      ws.put(name, content);
      const report = reportOf(await ws.once(), 'auto', name);
      expect(report).toMatchObject({ state: 'loaded', rows: { read: 2, loaded: 2 } });
      return (await ws.json('files', 'show', String(report.file_id))) as FileDetail;
    };
    expect((await take('a.csv', 'id,v\n1,a\n2,b\n')).drift).toEqual([]);
    expect((await take('b.csv', 'id,v\n3,c\n4,d\n')).drift).toEqual([]);
    // A file without records says nothing about the dialect, neither of itself nor to the next one.
    ws.put('b2.csv', Buffer.from('\ufeff'));
    const empty = reportOf(await ws.once(), 'auto', 'b2.csv');
    expect(empty).toMatchObject({ state: 'loaded', rows: { read: 0 } });
    expect(
      ((await ws.json('files', 'show', String(empty.file_id))) as FileDetail).drift.filter(
        ({ kind }) => kind === 'dialect',
      ),
    ).toEqual([]);
    expect(
      (await take('c.csv', Buffer.from('id;v\r\n5;\xe9\r\n6;f\r\n', 'latin1'))).drift.map(
        ({ kind, message }) => `${kind}: ${message}`,
      ),
    ).toEqual([
      'dialect: delimiter is ";"; in the feed\'s last file it was ","',
      'dialect: encoding is "windows-1252"; in the feed\'s last file it was "utf-8"',
      'dialect: line_ends is "crlf"; in the feed\'s last file it was "lf"',
    ]);
    const { rows } = await db.client.query<{ delimiter: string }>(
      `select dialect->>'delimiter' as delimiter from tallyman.loads where feed = 'auto' order by load_id`,
    );
    expect(rows.map(({ delimiter }) => delimiter)).toEqual([',', ',', ',', ';']);
  } finally {
    ws.remove();
  }
});
