import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import type { DuckDBConnection } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LoadResult } from '../../../src/core/load.js';
import { DECODERS, FORMATS } from '../../../src/registry.js';
import { feedOf, openBench, type Bench } from '../../load/support.js';
import { duckdb, open, read } from './support.js';

let bench: Bench;
let db: DuckDBConnection;
beforeAll(async () => {
  bench = await openBench();
  db = await duckdb();
});
afterAll(async () => {
  await bench.close();
});

const file = (name: string): string => path.join(bench.dir, name);
async function written(name: string, sql: string, options = ''): Promise<string> {
  await db.run(`COPY (${sql}) TO '${file(name)}' (FORMAT parquet${options})`);
  return file(name);
}
const spec = feedOf({
  format: { type: 'parquet', options: {} },
  columns: null,
  onUnknownColumn: 'add',
  onMissingColumn: 'fill_null',
  onDuplicate: 'load',
});
const load = (name: string): Promise<LoadResult> =>
  bench.load(bench.job(name, spec), { formats: FORMATS, decoders: DECODERS });

/** Processes that read Parquet for this one. */
const readers = (): readonly number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const parent = / [A-Z] (\d+) /.exec(readFileSync(`/proc/${pid}/stat`, 'latin1'))?.[1];
        return (
          parent === String(process.pid) && readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('duckdb-worker.js')
        );
      } catch {
        return false;
      }
    })
    .map(Number);

describe('files that are not what they should be', () => {
  test.each([
    ['a text', Buffer.from('id,name\n1,a\n'), 'FORMAT_MISMATCH'],
    ['an encrypted file', Buffer.from(`PARE${'\0'.repeat(40)}PARE`), 'FORMAT_MISMATCH'],
    ['nothing', Buffer.alloc(0), 'EMPTY_NOT_ALLOWED'],
    ['four bytes', Buffer.from('PAR1'), 'FILE_CORRUPT'],
    ['a footer longer than the file', Buffer.from('PAR1xxxx\xff\xff\xff\x7fPAR1', 'latin1'), 'FILE_CORRUPT'],
    ['a footer of zeros', Buffer.from('PAR1\0\0\0\0\0\0\0\0\x08\0\0\0PAR1', 'latin1'), 'FILE_CORRUPT'],
  ])('%s is rejected', async (name, bytes, code) => {
    const result = await load(bench.put(`${name}.parquet`, bytes));
    expect(result).toMatchObject({ outcome: 'rejected', error: { code } });
    expect(JSON.stringify(result)).not.toMatch(/spool-|duckdb/i);
  });

  test('a file cut off anywhere is rejected, and nothing of it stays', async () => {
    const whole = readFileSync(
      await written('whole.parquet', `SELECT r, md5(r::varchar) AS t FROM range(5000) t(r)`, ', ROW_GROUP_SIZE 2048'),
    );
    for (const at of [8, 100, whole.length >> 1, whole.length - 9, whole.length - 1]) {
      expect(await load(bench.put(`cut-${at}.parquet`, whole.subarray(0, at)))).toMatchObject({
        outcome: 'rejected',
        error: { code: 'FILE_CORRUPT' },
      });
    }
    expect(readdirSync(bench.dir).filter((name) => name.startsWith('spool-'))).toEqual([]);
  });

  test('a damaged page far inside rejects the file as a whole', async () => {
    const bytes = readFileSync(
      await written(
        'page.parquet',
        `SELECT r, md5(r::varchar) AS t FROM range(50000) t(r)`,
        ', ROW_GROUP_SIZE 10240, COMPRESSION gzip',
      ),
    );
    bytes.fill(0, bytes.length >> 1, (bytes.length >> 1) + 5000);
    expect(await load(bench.put('page.parquet', bytes))).toMatchObject({
      outcome: 'rejected',
      error: { code: 'FILE_CORRUPT' },
      rows: { loaded: 0 },
    });
  });

  test('inside gzip it is unpacked first', async () => {
    const bytes = readFileSync(await written('plain.parquet', 'SELECT r FROM range(10) t(r)'));
    expect(await load(bench.put('packed.parquet.gz', gzipSync(bytes)))).toMatchObject({
      outcome: 'loaded',
      rows: { loaded: 10, declared: 10 },
      dialect: { compression: 'gzip', format: 'parquet' },
    });
  });
});

describe('the process that reads', () => {
  test('is one for many files', async () => {
    const name = await written('small.parquet', 'SELECT 1 AS id');
    await read(name);
    const [first, second] = readers();
    expect([typeof first, second]).toEqual(['number', undefined]);
    for (let i = 0; i < 20; i++) await read(name);
    expect(readers()).toEqual([first]);
  });

  test.each(['SIGKILL', 'SIGSEGV'] as const)(
    'killed by %s in the middle of a file costs this attempt, and the next one has a new one',
    async (signal) => {
      const name = await written('large.parquet', `SELECT r, md5(r::varchar) AS t FROM range(400000) t(r)`);
      const reader = await open(name);
      await reader.next();
      for (const pid of readers()) process.kill(pid, signal);
      const rest = async (): Promise<void> => {
        while ((await reader.next()) !== null);
      };
      await expect(rest()).rejects.toMatchObject({
        code: 'LOAD_FAILED',
        message: expect.stringContaining(signal) as string,
      });
      await reader.close();
      expect((await read(name)).rows).toHaveLength(400_000);
    },
  );

  test('is ended when the load is called off', async () => {
    const abort = new AbortController();
    const reader = await open(file('large.parquet'), null, { signal: abort.signal });
    await reader.next();
    abort.abort();
    const rest = async (): Promise<void> => {
      while ((await reader.next()) !== null);
    };
    await expect(rest()).rejects.toThrow();
    await reader.close();
    expect(readers()).toEqual([]);
  });

  test('waits when nobody takes its rows: a slow reader costs no memory', async () => {
    const name = await written(
      'much.parquet',
      `SELECT r, md5(r::varchar) AS a, md5((r + 1)::varchar) AS b FROM range(800000) t(r)`,
    );
    const reader = await open(name);
    await reader.next();
    const rss = (pid: number | 'self'): number =>
      Number(
        /VmRSS:\s+(\d+)/.exec(
          existsSync(`/proc/${pid}/status`) ? readFileSync(`/proc/${pid}/status`, 'utf8') : '',
        )?.[1] ?? 0,
      ) / 1024;
    const before = rss('self');
    let most = 0;
    let rows = 0;
    for (let batch = await reader.next(), n = 0; batch !== null; batch = await reader.next(), n++) {
      rows += batch.rows;
      if (n % 50 === 0) most = Math.max(most, ...readers().map(rss));
    }
    await reader.close();
    expect(rows).toBeGreaterThan(790_000);
    expect(most).toBeLessThan(450);
    expect(rss('self') - before).toBeLessThan(200);
  });
});

describe('damaged files', () => {
  test('never crash, hang, or give other rows than DuckDB reads itself', async () => {
    const whole = readFileSync(
      await written(
        'victim.parquet',
        `SELECT r::integer AS r, md5(r::varchar) AS t, r::decimal(12,2) AS d, [r] AS l, date '2000-01-01' + r::integer AS dt FROM range(300) t(r)`,
        ', ROW_GROUP_SIZE 2048',
      ),
    );
    const rounds = Number(process.env['TALLYMAN_FUZZ_RUNS'] ?? 25);
    const random = xorshift(Number(process.env['TALLYMAN_FUZZ_SEED'] ?? 7));
    let accepted = 0;
    for (let round = 0; round < rounds; round++) {
      const bytes = Buffer.from(whole);
      for (let i = 0; i <= random(3); i++)
        bytes[random(2) === 0 ? bytes.length - 1 - random(Math.min(900, bytes.length)) : random(bytes.length)] =
          random(256);
      // A name of its own: DuckDB caches what it read under one.
      const name = file(`mutant-${round}.parquet`);
      writeFileSync(name, bytes);
      const ours = await outcome(() => read(name));
      const theirs = ours === null ? null : await truth(name);
      rmSync(name);
      if (ours === null) continue;
      accepted++;
      expect({ round, rows: ours.rows.map((row) => JSON.parse(row, before1) as unknown) }).toEqual({
        round,
        rows: theirs,
      });
    }
    expect(accepted).toBeGreaterThan(0);
  });
});

/** Refused = null. */
async function outcome<T>(work: () => Promise<T>): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    expect(error).toMatchObject({
      code: expect.stringMatching(/^(FILE_CORRUPT|FORMAT_MISMATCH|LOAD_FAILED|HEADER_DUPLICATE)$/) as string,
    });
    return null;
  }
}

/** Years before 1 are written in two ways. */
const before1 = (_: string, value: unknown): unknown =>
  typeof value === 'string' && /^-\d+-\d\d-\d\d|\(BC\)/.test(value) ? 'before year 1' : value;

/** The rows as DuckDB itself reads them; null = it refuses the file. */
async function truth(name: string): Promise<unknown> {
  try {
    const types = (await db.runAndReadAll(`DESCRIBE SELECT * FROM '${name}'`))
      .getRows()
      .map(([column, type]) => [String(column), String(type)] as const);
    const plain = types.map(([column, type]) =>
      type === 'BLOB'
        ? `'\\x' || lower(hex("${column}")) AS "${column}"`
        : type === 'DATE'
          ? `"${column}"::varchar AS "${column}"`
          : `"${column}"`,
    );
    return (
      await db.runAndReadAll(
        `SELECT to_json(entire)::varchar FROM (SELECT ${plain.join(', ')} FROM '${name}') AS entire`,
      )
    )
      .getRows()
      .map(([row]) => JSON.parse(String(row), before1) as unknown);
  } catch {
    return null;
  }
}

function xorshift(seed: number): (n: number) => number {
  let x = seed;
  return (n) => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) % n;
  };
}
