import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { beforeAll, describe, expect, test } from 'vitest';
import { CORPUS, duckdb, read } from './support.js';

const DIR = path.join(CORPUS, 'parquet-testing');
/** Files of others are not part of the checkout; where they are missing there is nothing to test. */
const files = existsSync(DIR) ? readdirSync(DIR).filter((name) => name.endsWith('.parquet')) : [];
const expected = new Map(
  (existsSync(DIR) ? readFileSync(path.join(DIR, 'EXPECTED.tsv'), 'utf8') : '')
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t'))
    .map(([file = '', , rows = '']) => [path.basename(file), rows === '' ? null : Number(rows)] as const),
);

let db: DuckDBConnection;
beforeAll(async () => {
  db = await duckdb();
});

/** What DuckDB itself says of each row, as JSON; null where it refuses the file. */
async function truth(file: string): Promise<readonly Record<string, unknown>[] | null> {
  try {
    const described = (await db.runAndReadAll(`DESCRIBE SELECT * FROM '${file}'`))
      .getRows()
      .map(([name, type]) => [String(name), String(type)] as const);
    const columns = described.map(([name, type]) => {
      const quoted = `"${name.replaceAll('"', '""')}"`;
      if (type === 'BLOB') return `'\\x' || lower(hex(${quoted}))`;
      if (/\[\]|STRUCT|MAP/.test(type)) return `to_json(${quoted})`;
      return `CAST(${quoted} AS VARCHAR)`;
    });
    const rows = (await db.runAndReadAll(`SELECT ${columns.join(', ')} FROM '${file}'`)).getRowsJson();
    return rows.map((row) => Object.fromEntries(described.map(([name, type], i) => [name, valueOf(type, row[i])])));
  } catch {
    return null;
  }
}

const valueOf = (type: string, cell: unknown): unknown =>
  comparable(typeof cell === 'string' && /\[\]|STRUCT|MAP/.test(type) ? JSON.parse(cell) : cell);

/**
 * The same value however it is written: numbers and words as text, instants without their offset, nested values level
 * by level.
 */
function comparable(value: unknown): unknown {
  if (value === null) return null;
  if (Array.isArray(value)) return value.map(comparable);
  if (typeof value === 'object')
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, comparable(member)]));
  const text = (typeof value === 'string' ? value : JSON.stringify(value)).replace(/(\d)(\+00|Z)$/, '$1');
  const number = Number(text);
  if (/^-?nan$/i.test(text)) return 'NaN';
  return text !== '' && !Number.isNaN(number) && String(number).length < 16 ? String(number) : text;
}

/** DuckDB cuts or overflows what these hold; exact.test.ts says what is right. */
const INEXACT = new Set(['int96_from_spark.parquet', 'nested_structs.rust.parquet']);

/** One value of 2 GiB: more than a value can have in PostgreSQL, or a buffer in Node. */
const HUGE = 'large_string_map.brotli.parquet';

describe.skipIf(files.length === 0)('apache/parquet-testing', () => {
  test.each(files.filter((name) => name !== HUGE))('%s', async (name) => {
    const file = path.join(DIR, name);
    const rows = await truth(file);
    if (rows === null) {
      await expect(read(file)).rejects.toMatchObject({
        code: expect.stringMatching(/^(FILE_CORRUPT|FORMAT_MISMATCH|LOAD_FAILED)$/) as string,
      });
      expect(expected.get(name) ?? null).toBeNull();
      return;
    }
    const got = await read(file);
    expect(got.declared).toBe(rows.length);
    expect(got.rows).toHaveLength(rows.length);
    if (expected.has(name)) expect(rows).toHaveLength(expected.get(name) ?? -1);
    if (INEXACT.has(name)) return;
    expect(
      got.rows.map((row) => comparable(JSON.parse(row.replace(/([:[,])(-?\d{16,}(?:\.\d+)?)/g, '$1"$2"')))),
    ).toEqual(rows);
  });
});

describe.skipIf(!files.includes(HUGE))('a value of 2 GiB', () => {
  test('costs the file, and nothing else', async () => {
    await expect(read(path.join(DIR, HUGE))).rejects.toMatchObject({ code: 'EXPANSION_LIMIT' });
  });
});

describe.skipIf(!existsSync(path.join(CORPUS, 'flights-3m.parquet')))('vega-datasets', () => {
  test('flights-3m.parquet has 3,000,000 rows, read in bounded memory of this process', async () => {
    const { open } = await import('./support.js');
    const reader = await open(path.join(CORPUS, 'flights-3m.parquet'));
    let rows = 0;
    for (let batch = await reader.next(); batch !== null; batch = await reader.next()) rows += batch.rows;
    await reader.close();
    expect([rows, reader.declaredRows]).toEqual([3_000_000, 3_000_000]);
  });
});
