import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { isUtf8 } from 'node:buffer';
import { describe, expect, test } from 'vitest';
import { openReader } from '../../src/load/read/open-reader.js';
import { DECODERS, FORMATS } from '../../src/registry.js';
import { readAll, type ReadRow } from '../contract/format-suite.js';
import { feedOf } from '../load/support.js';
import { chunks, fileOf, zipOf, zstdOf } from './support.js';

const ROOT = path.resolve(import.meta.dirname, '../..');
const DATA = path.join(ROOT, '../shared/data');

/** Every CSV file that is here, with the options that it needs. */
const FILES = [
  ...csvsIn(path.join(ROOT, 'fixtures/csv')).map((file) => ({ file, options: optionsBeside(file) })),
  ...csvsIn(path.join(DATA, 'csv-spectrum/csvs')).map((file) => ({ file, options: {} })),
  ...[path.join(DATA, 'tables/airlines.dat')]
    .filter((file) => existsSync(file))
    .map((file) => ({ file, options: { header: false, nulls: ['\\N'] } })),
].map(({ file, options }) => ({ name: path.relative(ROOT, file), bytes: readFileSync(file), options }));

function csvsIn(folder: string): readonly string[] {
  return existsSync(folder)
    ? readdirSync(folder)
        .filter((name) => name.endsWith('.csv'))
        .map((name) => path.join(folder, name))
    : [];
}

function optionsBeside(file: string): Record<string, unknown> {
  const beside = file.replace(/\.csv$/, '.options.json');
  return existsSync(beside) ? (JSON.parse(readFileSync(beside, 'utf8')) as Record<string, unknown>) : {};
}

interface Outcome {
  readonly columns?: readonly string[];
  readonly rows?: readonly Omit<ReadRow, 'offset'>[];
  readonly error?: string;
}

async function outcome(bytes: Buffer, options: Record<string, unknown>, chunk = 70_000): Promise<Outcome> {
  try {
    const feed = feedOf({ columns: null, format: { type: 'csv', options } });
    const reader = await openReader({ formats: FORMATS, decoders: DECODERS }, feed, chunks(bytes, chunk), {
      ...fileOf(bytes, 'a.csv'),
      privatePath: null,
      workDir: '.',
    });
    const rows = (await readAll(reader)).map(({ offset, ...row }) => (offset < 0 ? { ...row, line: -1 } : row));
    await reader.close();
    return { columns: reader.layout.fileColumns.map((column) => column.name), rows };
  } catch (error) {
    return { error: error instanceof Error && 'code' in error ? String(error.code) : String(error) };
  }
}

describe.each(FILES)('$name', ({ bytes, options }) => {
  test.each([
    ['gzip', (plain: Buffer) => gzipSync(plain)],
    [
      'gzip of two members',
      (plain: Buffer) => Buffer.concat([gzipSync(plain.subarray(0, 7)), gzipSync(plain.subarray(7))]),
    ],
    ['zstd', zstdOf],
    ['zip', (plain: Buffer) => zipOf([{ name: 'a.csv', content: plain }])],
  ])('has the same rows through %s', async (_name, pack) => {
    const plain = await outcome(bytes, options);
    expect(await outcome(pack(bytes), options)).toEqual(plain);
    if (bytes.length < 5_000) expect(await outcome(pack(bytes), options, 1)).toEqual(plain);
  });
});

describe.each(FILES.filter(({ bytes }) => isUtf8(bytes) && !bytes.includes(0)))('$name', ({ bytes, options }) => {
  test('has the same rows in utf-16 and gzip', async () => {
    const text = bytes.toString('utf8').replace(/^\uFEFF/, '');
    const marked = Buffer.from(`\uFEFF${text}`, 'utf16le');
    const plain = await outcome(Buffer.from(text), options);
    for (const encoding of ['utf-16', 'auto'])
      expect(await outcome(gzipSync(marked), { ...options, encoding })).toEqual(plain);
  });
});
