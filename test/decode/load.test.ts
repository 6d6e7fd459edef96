import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import iconv from 'iconv-lite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FeedSpec } from '../../src/core/feed/feed.js';
import type { LoadResult } from '../../src/core/load.js';
import { DECODERS, FORMATS } from '../../src/registry.js';
import { column, feedOf, openBench, type Bench } from '../load/support.js';
import { zipOf } from './support.js';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(async () => {
  await bench.close();
});

let count = 0;
/** Loads the bytes into a table of its own. */
async function take(
  name: string,
  bytes: Buffer,
  change: Partial<FeedSpec> = {},
): Promise<{ readonly result: LoadResult; readonly table: string }> {
  const table = `t${++count}`;
  const feed = feedOf({ name: table, target: { ...feedOf().target, table }, ...change });
  const result = await bench.load(bench.job(bench.put(name, bytes), feed), { formats: FORMATS, decoders: DECODERS });
  return { result, table };
}

const rowsOf = (table: string): Promise<Record<string, unknown>[]> =>
  bench.query(`select _row::int, id, name from staging.${table} order by _row`);
const dialectOf = async (table: string): Promise<unknown> =>
  (await bench.query('select dialect from tallyman.loads where feed = $1', [table]))[0]?.['dialect'];
const membersOf = (table: string): Promise<Record<string, unknown>[]> =>
  bench.query(
    `select q.row_number::int as row, q.errors -> 0 ->> 'member' as member from tallyman.quarantine q join tallyman.loads l using (load_id) where l.feed = $1 order by 1`,
    [table],
  );
const encoded = (encoding: string): Partial<FeedSpec> => ({ format: { type: 'csv', options: { encoding } } });

describe('a compressed file', () => {
  test('is loaded; sha256 is that of the delivered bytes, the receipt says how it was decoded', async () => {
    const bytes = gzipSync('id,name\n1,é\n2,b\n');
    const { result, table } = await take('a.csv.gz', bytes);
    expect(result).toMatchObject({
      outcome: 'loaded',
      sha256: createHash('sha256').update(bytes).digest('hex'),
      rows: { read: 2, loaded: 2 },
    });
    expect(await rowsOf(table)).toEqual([
      { _row: 1, id: 1, name: 'é' },
      { _row: 2, id: 2, name: 'b' },
    ]);
    expect(await dialectOf(table)).toMatchObject({ compression: 'gzip', encoding: 'utf-8', delimiter: ',' });
  });

  test('that is cut off at its end is rejected, and none of its rows is there', async () => {
    const bytes = gzipSync(
      `id,name\n${Array.from({ length: 20_000 }, (_, i) => `${i},${randomBytes(60).toString('hex')}\n`).join('')}`,
    );
    const { result, table } = await take('cut.csv.gz', bytes.subarray(0, -3));
    expect(result).toMatchObject({
      outcome: 'rejected',
      error: { code: 'FILE_CORRUPT', message: `The gzip file is cut off: it ends at byte ${bytes.length - 3}.` },
    });
    expect(await rowsOf(table)).toEqual([]);
  });

  test('that is a bomb is rejected', async () => {
    const { result } = await take('bomb.csv.gz', gzipSync(`id,name\n${'1,a\n'.repeat(6_000_000)}`));
    expect(result).toMatchObject({ outcome: 'rejected', error: { code: 'EXPANSION_LIMIT' } });
  });
});

describe('a zip archive of several members', () => {
  const members = [
    { name: 'day1.csv', content: 'id,name\n1,a\nx,bad\n' },
    { name: 'empty.csv', content: '' },
    { name: 'day2.csv', content: 'id,name\n3,c\ny,bad\n5,e\n' },
    { name: 'notes.txt', content: 'hello' },
  ];

  test('is one file: rows numbered through, the receipt says with which row each member begins', async () => {
    const { result, table } = await take('all.zip', zipOf(members), { members: ['*.csv'] });
    expect(result).toMatchObject({ outcome: 'loaded', rows: { read: 5, loaded: 3, quarantined: 2, delta: 0 } });
    expect(await rowsOf(table)).toEqual([
      { _row: 1, id: 1, name: 'a' },
      { _row: 3, id: 3, name: 'c' },
      { _row: 5, id: 5, name: 'e' },
    ]);
    expect(await dialectOf(table)).toMatchObject({ compression: 'zip', members: { 'day1.csv': 1, 'day2.csv': 3 } });
    const refused = await bench.query(
      'select q.row_number::int as row, q.line_number::int as line, convert_from(q.raw, $2) as raw from tallyman.quarantine q join tallyman.loads l using (load_id) where l.feed = $1 order by 1',
      [table, 'utf8'],
    );
    expect(refused).toEqual([
      { row: 2, line: 3, raw: 'x,bad' },
      { row: 4, line: 3, raw: 'y,bad' },
    ]);
    const guide = /```sql\n([^`]+);\n```/.exec(
      readFileSync(path.resolve(import.meta.dirname, '../../docs/guide/compression-and-encodings.md'), 'utf8'),
    )![1]!;
    expect(
      await bench.query(`select row_number::int as row, line_number::int as line, member from (${guide}) q order by 1`),
    ).toEqual([
      { row: 2, line: 3, member: 'day1.csv' },
      { row: 4, line: 3, member: 'day2.csv' },
    ]);
  });

  test('finds a repeat of a unique key over members; the quarantine tells the member', async () => {
    const twice = zipOf([
      { name: 'a.csv', content: 'id,name\n1,a\n2,b\n' },
      { name: 'b.csv', content: 'id,name\n2,again\n3,c\n' },
    ]);
    const { result, table } = await take('unique.zip', twice, {
      columns: [column('id', 'integer', { unique: true }), column('name')],
    });
    expect(result).toMatchObject({ outcome: 'loaded', rows: { read: 4, loaded: 3, quarantined: 1 } });
    expect((await rowsOf(table)).map((row) => row['name'])).toEqual(['a', 'b', 'c']);
    expect(await membersOf(table)).toEqual([{ row: 3, member: 'b.csv' }]);
  });

  test('of a rejected archive the rows that are kept tell their member; in a plain file there is none', async () => {
    const bad = zipOf([
      { name: 'dir/a.csv', content: 'id,name\nx,a\n' },
      { name: 'é.csv', content: 'id,name\nx,b\ny,c\n' },
    ]);
    const { result, table } = await take('bad.zip', bad);
    expect(result).toMatchObject({ outcome: 'rejected', error: { code: 'TOO_MANY_BAD_ROWS' } });
    expect(await membersOf(table)).toEqual([
      { row: 1, member: 'dir/a.csv' },
      { row: 2, member: 'é.csv' },
      { row: 3, member: 'é.csv' },
    ]);
    const plain = await take('plain.csv', Buffer.from('id,name\nx,a\n2,b\n'));
    expect(await membersOf(plain.table)).toEqual([{ row: 1, member: null }]);
  });

  test('of Parquet files declares what their footers say together', async () => {
    // One of its six rows has a year that PostgreSQL does not.
    const parquet = readFileSync(path.resolve(import.meta.dirname, '../../fixtures/parquet/int96-from-spark.parquet'));
    const twice = zipOf([
      { name: 'a.parquet', content: parquet },
      { name: 'b.parquet', content: parquet },
    ]);
    const { result } = await take('p.zip', twice, {
      format: { type: 'parquet', options: {} },
      columns: null,
      onUnknownColumn: 'add',
      onMissingColumn: 'fill_null',
    });
    expect(result).toMatchObject({
      outcome: 'loaded',
      rows: { read: 12, loaded: 10, quarantined: 2, declared: 12, delta: 0 },
    });
  });

  test('the same name twice stays two members', async () => {
    const { table } = await take(
      'same.zip',
      zipOf([
        { name: 'a.csv', content: 'id,name\n1,a\n' },
        { name: 'a.csv', content: 'id,name\n2,b\n' },
      ]),
    );
    expect(await dialectOf(table)).toMatchObject({ members: { 'a.csv': 1, 'a.csv (2)': 2 } });
  });

  test('members with other columns: rejected with both lists', async () => {
    const { result, table } = await take(
      'mixed.zip',
      zipOf([members[0]!, { name: 'other.csv', content: 'name,id\na,1\n' }]),
    );
    expect(result).toMatchObject({
      outcome: 'rejected',
      error: {
        code: 'FORMAT_MISMATCH',
        message: 'The member other.csv has the columns name, id, and day1.csv before it id, name.',
      },
    });
    expect(await rowsOf(table)).toEqual([]);
  });

  test('damage in the last member rejects all', async () => {
    const { result } = await take('damaged.zip', zipOf([members[2]!, { ...members[0]!, crc: 1 }]));
    expect(result).toMatchObject({ outcome: 'rejected', error: { code: 'FILE_CORRUPT' } });
  });

  test('of empty members only is an empty file', async () => {
    const { result } = await take('nothing.zip', zipOf([members[1]!, { name: 'e2.csv', content: '\n' }]));
    expect(result).toMatchObject({ outcome: 'loaded', rows: { read: 0 } });
  });
});

describe('an encoding', () => {
  test('holds for JSON too, and inside gzip', async () => {
    const lines = Buffer.from('\uFEFF{"id":1,"name":"é"}\n{"id":2,"name":"b"}\n', 'utf16le');
    const { result, table } = await take('j.json.gz', gzipSync(lines), {
      format: { type: 'json', options: { encoding: 'auto' } },
      onUnknownColumn: 'ignore',
    });
    expect(result).toMatchObject({ outcome: 'loaded', rows: { loaded: 2 } });
    expect((await rowsOf(table)).map((row) => row['name'])).toEqual(['é', 'b']);
    expect(await dialectOf(table)).toMatchObject({ format: 'json', compression: 'gzip', encoding: 'utf-16le' });
  });

  test('that auto may have got wrong is told as drift, before all that the file itself shows', async () => {
    const { result, table } = await take(
      'sjis.csv',
      iconv.encode('NAME,id\nやまだ たろう,1\nカタカナ,2\n', 'shift_jis'),
      encoded('auto'),
    );
    expect(result).toMatchObject({
      outcome: 'loaded',
      drift: [
        { kind: 'dialect', message: expect.stringContaining('looks like shift_jis') as string },
        { kind: 'renamed' },
        { kind: 'reordered' },
      ],
    });
    expect(await dialectOf(table)).toMatchObject({ encoding: 'windows-1252' });
  });

  test('undecodable bytes cost their row and stand in quarantine as delivered', async () => {
    const bytes = Buffer.concat([
      Buffer.from('id,name\n1,J\xfcrgen \x80\n2,', 'latin1'),
      Buffer.of(0x41, 0x81, 0x42),
      Buffer.from('\n3,c\n'),
    ]);
    const { result, table } = await take('w.csv', bytes, encoded('windows-1252'));
    expect(result).toMatchObject({
      outcome: 'loaded',
      rows: { read: 3, loaded: 2, quarantined: 1 },
      errors: [{ class: 'encoding-error', column: 'name', first_row: 2, first_line: 3 }],
    });
    expect((await rowsOf(table)).map((row) => row['name'])).toEqual(['Jürgen €', 'c']);
    const [refused] = await bench.query(
      'select raw from tallyman.quarantine q join tallyman.loads l using (load_id) where l.feed = $1',
      [table],
    );
    expect(refused?.['raw']).toEqual(Buffer.from([0x32, 0x2c, 0x41, 0x81, 0x42]));
    expect(await dialectOf(table)).toMatchObject({ compression: 'none', encoding: 'windows-1252' });
  });

  test('U+FFFD that the file itself holds is loaded', async () => {
    const { result, table } = await take('f.csv', Buffer.from('id,name\n1,a\uFFFD\n', 'utf16le'), encoded('utf-16le'));
    expect(result).toMatchObject({ outcome: 'loaded', rows: { loaded: 1 } });
    expect((await rowsOf(table))[0]?.['name']).toBe('a\uFFFD');
  });

  test.each(['shift_jis', 'gb18030', 'euc-jp'])(
    '%s, whose second bytes may look like delimiters and quotes',
    async (encoding) => {
      const { result, table } = await take(
        'j.csv',
        iconv.encode('id,name\n1,"表計,ソ"\n2,能予\n', encoding),
        encoded(encoding),
      );
      expect(result).toMatchObject({ outcome: 'loaded', rows: { loaded: 2, quarantined: 0 } });
      expect((await rowsOf(table)).map((row) => row['name'])).toEqual(['表計,ソ', '能予']);
    },
  );

  test('auto: the receipt says which', async () => {
    const { table } = await take('l.csv', Buffer.from('id,name\n1,Andr\xe9\n', 'latin1'), encoded('auto'));
    expect((await rowsOf(table))[0]?.['name']).toBe('André');
    expect(await dialectOf(table)).toMatchObject({ encoding: 'windows-1252' });
  });

  test('UTF-16 under a feed that says utf-8: rejected with what to set', async () => {
    const { result } = await take('u.csv', Buffer.from('\uFEFFid,name\n1,a\n', 'utf16le'));
    expect(result).toMatchObject({
      outcome: 'rejected',
      error: { code: 'FORMAT_MISMATCH', fix: 'Set format.encoding to utf-16le or auto.' },
    });
  });
});
