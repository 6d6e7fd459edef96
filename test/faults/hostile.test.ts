import { mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FORMATS } from '../../src/registry.js';
import { column, csv, put, reportOf, type Round } from '../e2e/support.js';
import { start, workspace, type Workspace } from '../support/cli.js';
import { createDatabase, type TestDatabase } from '../support/postgres.js';
import {
  avroLongString,
  avroRecord,
  gzipBomb,
  lyingAvro,
  lyingParquet,
  lyingZip,
  nestedGzip,
  zipBomb,
  zstdBomb,
} from './support/bombs.js';
import { tell } from './support/counts.js';
import { peakOf } from './support/peak.js';
import { FULL } from './support/report.js';

/**
 * Files made to hurt, through the whole program: `run --once`, one report a file, what is good is in, what is bad is
 * named, memory stays flat.
 */
/**
 * MiB that a process may hold whatever the file is (docs/spec/promises.md): the daemon with two threads at work holds
 * 200.
 */
const MEMORY_MIB = 400;
const BOMB_MIB = 300;
const names = ['id', 'v'].map((name) => ({ name, type: name === 'id' ? 'integer' : 'text' }));
const has = (format: string): boolean => FORMATS.some(({ type }) => type === format);

let db: TestDatabase;
let ws: Workspace;
let round: Round;
let peak = 0;

const hostileNames = [
  'line\nbreak.csv',
  'bell\u0007\u001b[31mred\u001b[0m.csv',
  '-rf --help.csv',
  '$(touch pwned);`id`.csv',
  'quote\'".csv',
  'a..csv',
  '%41.csv',
  '\u202Egnp.csv',
  `${'n'.repeat(251)}.csv`,
];
/** Not UTF-8. */
const rawName = Buffer.from([0x72, 0xff, 0xfe, 0x2e, 0x63, 0x73, 0x76]);

beforeAll(async () => {
  db = await createDatabase();
  await db.client.query('create table x (id integer); insert into x values (1)');
  const any = { source: { pattern: '*' } };
  ws = workspace(db.url, {
    bombs: any,
    wide: any,
    kept: { ...any, names: 'keep' },
    header: any,
    formula: { columns: names, limits: { bad_ratio: 1 } },
    named: { columns: names, ...any },
    cell: { columns: names, ...any },
    // One process and three lanes at once: what they hold adds up.
    avro: { ...any, format: { type: has('avro') ? 'avro' : 'csv' }, columns: names },
    parquet: { ...any, format: { type: has('parquet') ? 'parquet' : 'csv' }, columns: names },
  });
  put(ws, 'bombs', 'bomb.csv.gz', await gzipBomb(BOMB_MIB));
  put(ws, 'bombs', 'bomb.csv.zst', zstdBomb(BOMB_MIB));
  put(ws, 'bombs', 'bomb.csv.zip', zipBomb(100));
  put(ws, 'bombs', 'lying.csv.zip', lyingZip(30));
  put(ws, 'bombs', 'nested.csv.gz.gz', nestedGzip(100));
  const many = Array.from({ length: 10_000 }, (_, i) => `c${i}`);
  put(ws, 'wide', 'wide.csv', `${many.join(',')}\n${many.join(',')}\n`);
  const long = 'x'.repeat(70);
  const evil = [
    `${long}1`,
    `${long}2`,
    'a"); drop table x;--',
    '__proto__',
    'constructor',
    'ctid',
    '',
    'toString',
    '_load_id',
  ].filter((name) => name !== '');
  for (const feed of ['kept', 'header'])
    put(
      ws,
      feed,
      'evil.csv',
      `${evil.map((name) => `"${name.replaceAll('"', '""')}"`).join(',')}\n${evil.map((_, i) => `v${i}`).join(',')}\n`,
    );
  put(
    ws,
    'formula',
    'f.csv',
    csv(
      'x,"=HYPERLINK(""http://evil"")"',
      'x,+1+cmd',
      'x,-2+3',
      'x,@SUM(A1)',
      'x,\tTAB',
      'x,＝1+1',
      'x,-12.50',
      'x,<script>alert(1)</script>',
      '1,fine',
    ),
  );
  for (const [i, name] of hostileNames.entries()) put(ws, 'named', name, csv(`${i},n`));
  writeFileSync(Buffer.concat([Buffer.from(`${path.join(ws.dir, 'drop/named')}/`), rawName]), csv('99,raw'));
  put(ws, 'cell', 'big.csv', `id,v\n1,a\n2,${'x'.repeat(100_000_000)}\n3,c\n`);
  if (has('avro')) {
    const good = Buffer.concat([avroRecord(1n, 'a'), avroRecord(2n, 'b')]);
    put(ws, 'avro', 'good.avro', lyingAvro(2n, BigInt(good.length), good));
    put(ws, 'avro', 'count.avro', lyingAvro(2n ** 40n, BigInt(good.length), good));
    put(ws, 'avro', 'negative.avro', lyingAvro(-3n, BigInt(good.length), good));
    put(ws, 'avro', 'length.avro', lyingAvro(2n, 2n ** 62n, good));
    put(ws, 'avro', 'minus.avro', lyingAvro(2n, -1n, good));
    put(ws, 'avro', 'string.avro', lyingAvro(1n, 20n, avroLongString(2n ** 31n)));
  }
  if (has('parquet')) {
    put(ws, 'parquet', 'footer.parquet', lyingParquet(0xffff_ffff, Buffer.alloc(100, 1)));
    put(ws, 'parquet', 'rubbish.parquet', lyingParquet(90, Buffer.alloc(100, 0x15)));
    put(ws, 'parquet', 'nothing.parquet', lyingParquet(0, Buffer.alloc(0)));
  }
  const child = start(['run', '--once', '--json', '-c', ws.config], { cwd: ws.dir });
  const held = peakOf(child.child);
  const ended = await child.ended;
  peak = held();
  const lines = ended.stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Round['reports'][number] | Round['summary']);
  const summary = lines.at(-1);
  if (summary?.message_type !== 'summary') throw new Error(`no summary: ${ended.stdout}${ended.stderr}`);
  round = {
    code: ended.code,
    reports: lines.filter((line): line is Round['reports'][number] => line.message_type === 'file'),
    summary,
    stderr: ended.stderr,
  };
});
afterAll(async () => {
  await db.drop();
  ws.remove();
});

test('every file has an outcome, none failed, and memory stayed flat', () => {
  expect(
    round.reports
      .filter(({ state }) => !['loaded', 'rejected'].includes(state))
      .map(({ path: name, state, error }) => [name, state, error]),
  ).toEqual([]);
  expect(round.reports.filter(({ error }) => error?.code === 'INTERNAL')).toEqual([]);
  expect(round.summary.files['waiting']).toBe(0);
  expect(round.reports.length).toBe(
    ['bombs', 'wide', 'kept', 'header', 'formula', 'named', 'cell', 'avro', 'parquet']
      .map((feed) => readdirSync(Buffer.from(path.join(ws.dir, 'drop', feed))).length)
      .reduce((a, b) => a + b),
  );
  expect(peak).toBeLessThan(MEMORY_MIB);
  tell('Hostile input', 'files made to hurt, in one run', 1, {
    files: round.reports.length,
    peak_mib: Math.round(peak),
  });
});

describe('bombs', () => {
  test.each(['bomb.csv.gz', 'bomb.csv.zst', 'bomb.csv.zip'])(
    '%s is rejected once it has grown past max_expansion',
    (name) => {
      expect(reportOf(round, 'bombs', name)).toMatchObject({ state: 'rejected', error: { code: 'EXPANSION_LIMIT' } });
    },
  );
  test('an archive that lies about its sizes is rejected', () => {
    expect(reportOf(round, 'bombs', 'lying.csv.zip')).toMatchObject({
      state: 'rejected',
      error: { code: 'FILE_CORRUPT' },
    });
  });
  test('gzip in gzip is not unpacked twice', () => {
    expect(reportOf(round, 'bombs', 'nested.csv.gz.gz')).toMatchObject({
      state: 'rejected',
      error: { code: 'FORMAT_MISMATCH' },
    });
  });
});

describe('headers', () => {
  test('10,000 columns without a contract: rejected, for no table holds them', () => {
    expect(reportOf(round, 'wide', 'wide.csv')).toMatchObject({
      state: 'rejected',
      error: { code: 'TOO_MANY_COLUMNS' },
    });
  });
  test('names that collide past 63 bytes, SQL, __proto__ and system names become columns of their own', async () => {
    for (const feed of ['kept', 'header']) {
      expect(reportOf(round, feed, 'evil.csv')).toMatchObject({ state: 'loaded', rows: { loaded: 1 } });
      const { rows } = await db.client.query<Record<string, unknown>>(`select * from staging.${feed}`);
      const values = Object.entries(
        Object.fromEntries(Object.entries(rows[0]!).filter(([name]) => !['_load_id', '_row'].includes(name))),
      ).map(([, value]) => value);
      expect([...values].sort()).toEqual(['v0', 'v1', 'v2', 'v3', 'v4', 'v5', 'v6', 'v7']);
    }
    expect(
      await column(
        db,
        `select attname from pg_attribute where attrelid = 'staging.kept'::regclass and attname ~ '[^a-z_]' order by 1`,
      ),
    ).toContain('a"); drop table x;--');
  });
  test('the table that a header wanted dropped is there', async () => {
    expect(await column(db, 'select id from x')).toEqual(['1']);
  });
});

describe('cells', () => {
  test('one of 100 MB costs its record, and its neighbours are in', async () => {
    const report = reportOf(round, 'cell', 'big.csv');
    expect(report).toMatchObject({
      state: 'loaded',
      rows: { read: 3, loaded: 2, quarantined: 1 },
      errors: [{ class: 'too-long' }],
    });
    expect(
      await column(
        db,
        `select length(raw) || '/' || raw_length from tallyman.quarantine where load_id = ${report.load_id}`,
      ),
    ).toEqual(['65536/100000002']);
  });
  test('an export runs nothing in a spreadsheet: formulas stand as text, plain numbers stay', async () => {
    const id = String(reportOf(round, 'formula', 'f.csv').file_id);
    const exported = await ws.run('quarantine', 'export', id, '--format', 'csv');
    const records = parse(exported.stdout, { bom: true, from_line: 2 });
    expect(records.map((cells) => cells[1])).toEqual([
      `'=HYPERLINK("http://evil")`,
      "'+1+cmd",
      "'-2+3",
      "'@SUM(A1)",
      "'\tTAB",
      "'＝1+1",
      '-12.50',
      '<script>alert(1)</script>',
    ]);
    expect(records.flat().filter((cell) => /^[=+\-@\t\r＝＋－＠]/.test(cell))).toEqual(['-12.50']);
  });
  test('an HTML report shows scripts and does not run them', async () => {
    const html = (
      await ws.run('quarantine', 'export', String(reportOf(round, 'formula', 'f.csv').file_id), '--format', 'html')
    ).stdout;
    expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    expect(html).not.toContain('<script>alert');
  });
});

describe('file names', () => {
  test('with line breaks, escapes, shell words and bytes that are no UTF-8 are data: each is loaded once, nothing ran', async () => {
    expect(await column(db, 'select id from staging.named order by 1')).toEqual([
      ...hostileNames.map((_, i) => String(i)),
      '99',
    ]);
    expect(readdirSync(ws.dir)).not.toContain('pwned');
    expect(round.reports.filter(({ feed }) => feed === 'named').map(({ path: name }) => name)).toContain('r%FF%FE.csv');
  });
  test('reach no terminal: lists and messages hold no control character', async () => {
    const shown = [(await ws.run('files', '--limit', '0')).stdout, (await ws.run('status')).stdout, round.stderr].join(
      '',
    );
    expect(shown).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f\u202e]/);
  });
});

const lying = [
  ...(has('avro')
    ? ['count', 'negative', 'length', 'minus', 'string'].map((name) => ['avro', `${name}.avro`] as const)
    : []),
  ...(has('parquet') ? ['footer', 'rubbish', 'nothing'].map((name) => ['parquet', `${name}.parquet`] as const) : []),
];
test.each(lying)('%s that lies about its lengths: %s is rejected as corrupt', (feed, name) => {
  expect(reportOf(round, feed, name)).toMatchObject({ state: 'rejected', error: { code: 'FILE_CORRUPT' } });
});

test(
  'a name that is now a file, now a link out of the folder: what the link shows is never read',
  { timeout: 60_000 + (FULL ? 120_000 : 0) },
  async () => {
    const feed = { columns: names, on_changed: 'load', source: { poll: '1s' } };
    const race = workspace(db.url, { race: feed });
    const secret = path.join(race.dir, 'secret.csv');
    writeFileSync(secret, csv('666,secret'));
    const spare = path.join(race.dir, 'spare');
    mkdirSync(spare);
    const name = path.join(race.drop, 'a.csv');
    let swaps = 0;
    let stop = false;
    const swap = async (): Promise<void> => {
      while (!stop) {
        writeFileSync(path.join(spare, 'f'), csv(`${swaps % 7},file`));
        renameSync(path.join(spare, 'f'), name);
        symlinkSync(secret, path.join(spare, 'l'));
        renameSync(path.join(spare, 'l'), name);
        swaps++;
        await new Promise((resolve) => (swaps % 50 === 0 ? setTimeout(resolve, 3) : setImmediate(resolve)));
      }
    };
    const swapping = swap();
    for (let i = 0; i < (FULL ? 60 : 3); i++) await race.once('--settle-timeout', '500ms');
    stop = true;
    await swapping;
    rmSync(name);
    const there = await column(db, `select to_regclass('staging.race')`);
    expect(there[0] === null ? [] : await column(db, 'select id from staging.race where id = 666')).toEqual([]);
    expect(await column(db, `select count(*) from tallyman.quarantine where raw like '%secret%'`)).toEqual(['0']);
    tell('Hostile input', 'a link swapped for the file', swaps);
    race.remove();
  },
);

const BAD_ROWS = FULL ? 10_000_000 : 100_000;

test(
  `${BAD_ROWS.toLocaleString('en')} bad rows of one file are all kept, in bounded memory`,
  { timeout: FULL ? 1_800_000 : 60_000 },
  async () => {
    const bad = workspace(db.url, { bad: { columns: names, limits: { bad_ratio: 1 } } });
    const block = Buffer.from('no number,some text that is kept as it came\n'.repeat(10_000));
    const file = path.join(bad.dir, 'bad.csv');
    writeFileSync(file, 'id,v\n');
    for (let i = 0; i < BAD_ROWS; i += 10_000) writeFileSync(file, block, { flag: 'a' });
    renameSync(file, path.join(bad.drop, 'bad.csv'));
    const began = performance.now();
    const child = start(['run', '--once', '--json', '-c', bad.config], { cwd: bad.dir });
    const held = peakOf(child.child);
    const ended = await child.ended;
    expect(JSON.parse(ended.stdout.split('\n')[0]!)).toMatchObject({
      state: 'loaded',
      rows: { read: BAD_ROWS, loaded: 0, quarantined: BAD_ROWS, delta: 0 },
    });
    expect(ended.code).toBe(3);
    expect(held()).toBeLessThan(MEMORY_MIB);
    expect(
      await column(
        db,
        `select count(*) from tallyman.quarantine q join tallyman.loads l using (load_id) where l.feed = 'bad'`,
      ),
    ).toEqual([String(BAD_ROWS)]);
    tell('Hostile input', 'a file of bad rows only', 1, {
      rows: BAD_ROWS,
      peak_mib: Math.round(held()),
      seconds: Math.round((performance.now() - began) / 1_000),
    });
    bad.remove();
  },
);
