import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { Worker } from 'node:worker_threads';
import { gzipSync } from 'node:zlib';
import { utils, write } from '@e965/xlsx';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { zipOf } from '../decode/support.js';
import { fileOf as avroOf } from '../formats/avro/helpers.js';
import { read } from '../formats/csv/helpers.js';
import { workbookOf } from '../formats/excel/helpers.js';
import { texts } from '../formats/json/helpers.js';
import { SEED } from './support/chance.js';
import { tell } from './support/counts.js';
import { mutate, random } from './support/mutate.mjs';
import { FULL } from './support/report.js';

/**
 * Mutated fixtures through every format and decoder. TALLYMAN_FAULT_SEED=N repeats a run; the seed of a fault is in its
 * message.
 */
const FOR_MS = Number(process.env['TALLYMAN_FUZZ_SECONDS'] ?? (FULL ? '600' : '10')) * 1_000;
/** One file of at most 256 KiB may take so long on a busy machine before it counts as a hang. */
const HANG_MS = 30_000;
const MEMORY_MIB = 700;
const ROOT = path.resolve(import.meta.dirname, '../..');
let dir: string;

beforeAll(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'tallyman-fuzz-'));
  process.stderr.write(`faults: fuzz, seed ${SEED}\n`);
});
afterAll(() => {
  rmSync(dir, { recursive: true, force: true });
});

interface Seedling {
  readonly file: string;
  readonly feed: string;
}

/** Small fixtures of each format that is there, and CSV and JSON in every encoding and compression. */
function corpus(): readonly Seedling[] {
  const found: Seedling[] = [];
  const take = (folder: string, feed: string, fits: (name: string) => boolean): void => {
    for (const name of readdirSync(path.join(ROOT, 'fixtures'), { withFileTypes: true }).some(
      (entry) => entry.name === folder,
    )
      ? readdirSync(path.join(ROOT, 'fixtures', folder))
      : []) {
      const file = path.join(ROOT, 'fixtures', folder, name);
      if (fits(name) && statSync(file).isFile() && statSync(file).size < 20_000) found.push({ file, feed });
    }
  };
  take('csv', 'csv', (name) => name.endsWith('.csv'));
  take('json', 'json', (name) => name.endsWith('.input'));
  take('compressed', 'csv', (name) => name.endsWith('.zst'));
  take('xz', 'csv', (name) => name.endsWith('.xz'));
  take('bzip2', 'csv', (name) => name.endsWith('.bz2'));
  take('pgp', 'pgp', (name) => name.endsWith('.gpg') || name === 'unsigned.asc');
  take('parquet', 'parquet', (name) => !/\.(json|md|txt)$/.test(name));
  const rows = `id,v,d\n${Array.from({ length: 60 }, (_, i) => `${i},"é ${i}",2026-01-${String(1 + (i % 28)).padStart(2, '0')}`).join('\n')}\n`;
  const made: Readonly<Record<string, readonly [string, Buffer]>> = {
    'a.csv.gz': ['csv', gzipSync(rows)],
    'a.zip': [
      'csv',
      zipOf([
        { name: 'a.csv', content: rows },
        { name: 'b.csv', content: rows },
      ]),
    ],
    'a16.csv': ['auto', Buffer.from(`\ufeff${rows}`, 'utf16le')],
    'typed.csv': ['typed', Buffer.from(rows)],
    'a.json.gz': ['json', gzipSync('{"id":1,"v":"x"}\n{"id":2,"v":null}\n')],
    'sjis.csv': [
      'sjis',
      Buffer.from([0x69, 0x64, 0x2c, 0x76, 0x0a, 0x31, 0x2c, 0x83, 0x65, 0x83, 0x58, 0x83, 0x67, 0x0a]),
    ],
    'w1252.csv': ['w1252', Buffer.from('id,v\n1,\xe9\x80\n', 'latin1')],
    'book.xlsx': [
      'excel',
      workbookOf({
        rows: rows
          .split('\n')
          .map(
            (line, r) =>
              `<row r="${r + 1}">${line
                .split(',')
                .map(
                  (cell, c) =>
                    `<c r="${'ABC'[c] ?? 'D'}${r + 1}" t="inlineStr"><is><t>${cell.replaceAll('"', '')}</t></is></c>`,
                )
                .join('')}</row>`,
          )
          .join(''),
      }),
    ],
    'sheet.xlsx': [
      'excel',
      Buffer.from(
        write(
          { SheetNames: ['a'], Sheets: { a: utils.aoa_to_sheet(rows.split('\n').map((line) => line.split(','))) } },
          { type: 'buffer' },
        ) as Uint8Array,
      ),
    ],
    'a.avro': [
      'avro',
      avroOf(
        {
          type: 'record',
          name: 'r',
          fields: [
            { name: 'id', type: 'int' },
            { name: 'v', type: ['null', 'string'] },
            { name: 'l', type: { type: 'array', items: 'double' } },
          ],
        },
        Array.from({ length: 20 }, (_, i) => ({ id: i, v: i % 3 === 0 ? null : { string: `é ${i}` }, l: [i / 3, i] })),
      ),
    ],
    'fixed.txt': ['fixed', Buffer.from('001 abc  2026-01-01\n002 def  2026-01-02\n')],
  };
  for (const [name, [feed, bytes]] of Object.entries(made)) {
    writeFileSync(path.join(dir, name), bytes);
    found.push({ file: path.join(dir, name), feed });
  }
  return found;
}

function writeConfig(): string {
  const limits = { bad_ratio: 1 };
  const columns = [
    { name: 'id', type: 'integer', unique: true },
    { name: 'v', type: 'varchar(20)' },
    { name: 'd', type: 'date' },
  ];
  const feeds = {
    csv: { format: { type: 'csv' } },
    auto: { format: { type: 'csv', encoding: 'auto', delimiter: 'auto' } },
    typed: { format: { type: 'csv', short_rows: 'fill_null' }, columns },
    sjis: { format: { type: 'csv', encoding: 'shift_jis' } },
    w1252: { format: { type: 'csv', encoding: 'windows-1252' } },
    json: { format: { type: 'json' } },
    fixed: {
      format: { type: 'fixed' },
      columns: [
        { name: 'id', type: 'integer', start: 1, width: 4 },
        { name: 'v', type: 'text', start: 5, width: 5 },
        { name: 'd', type: 'date', start: 10, width: 10 },
      ],
    },
    ...Object.fromEntries(['avro', 'parquet', 'excel'].map((type) => [type, { format: { type } }])),
    pgp: {
      format: { type: 'csv' },
      decrypt: {
        private_key: { file: path.join(ROOT, 'fixtures/pgp/receiver-private.asc') },
        signers: [path.join(ROOT, 'fixtures/pgp/sender-public.asc')],
      },
    },
  };
  const full = Object.fromEntries(
    Object.entries(feeds).map(([name, feed]) => [
      name,
      { source: { type: 'local', dir: `drop/${name}`, pattern: '*' }, limits, ...feed },
    ]),
  );
  const file = path.join(dir, 'tallyman.yaml');
  writeFileSync(
    file,
    JSON.stringify({ version: 1, database: { url: 'postgresql://nobody@127.0.0.1:1/none' }, feeds: full }),
  );
  return file;
}

interface Said {
  readonly kind: 'begin' | 'end' | 'done';
  readonly seed?: number;
  readonly name?: string;
  readonly feed?: string;
  readonly rejected?: string | null;
  readonly read?: number;
  readonly fault?: string | null;
}

test(
  'no mutated file crashes, hangs, grows or unbalances the tally: it is read, or rejected with a reason',
  { timeout: FOR_MS + 120_000 },
  async () => {
    const worker = new Worker(path.join(import.meta.dirname, 'support/fuzz-worker.mjs'), {
      workerData: {
        config: writeConfig(),
        dir,
        corpus: corpus(),
        first: SEED,
        forMs: FOR_MS,
      },
      resourceLimits: { maxOldGenerationSizeMb: 192 },
      execArgv: [],
    });
    const counts = { cases: 0, rejected: 0, rows: 0 };
    const faults: string[] = [];
    const formats = new Set<string>();
    let at = 'the start';
    await new Promise<void>((resolve, reject) => {
      let watchdog: NodeJS.Timeout | undefined;
      const awake = (): void => {
        clearTimeout(watchdog);
        watchdog = setTimeout(() => void worker.terminate().then(() => reject(new Error(`hangs at ${at}`))), HANG_MS);
      };
      awake();
      worker.on('message', (said: Said) => {
        awake();
        if (said.kind === 'begin') at = `seed ${said.seed}, ${said.name}`;
        if (said.kind !== 'end') return;
        counts.cases++;
        counts.rows += said.read ?? 0;
        formats.add(said.feed ?? '');
        if (said.rejected !== null) counts.rejected++;
        if (said.fault !== null && faults.length < 20) faults.push(`${at}: ${said.fault}`);
      });
      worker.once('error', (error) => {
        clearTimeout(watchdog);
        reject(new Error(`the thread died at ${at}`, { cause: error }));
      });
      worker.once('exit', () => {
        clearTimeout(watchdog);
        resolve();
      });
    });
    expect(faults).toEqual([]);
    expect([...formats].sort()).toEqual([
      'auto',
      'avro',
      'csv',
      'excel',
      'fixed',
      'json',
      'parquet',
      'pgp',
      'sjis',
      'typed',
      'w1252',
    ]);
    expect(counts.rejected).toBeGreaterThan(0);
    expect(counts.rejected).toBeLessThan(counts.cases);
    expect(process.memoryUsage.rss() / 2 ** 20).toBeLessThan(MEMORY_MIB);
    tell('Fuzzing', 'mutated files, whole reading', counts.cases, { rejected: counts.rejected, rows: counts.rows });
  },
);

test('where csv-parse and we both take a mutated CSV file, the rows are the same', async () => {
  const files = corpus()
    .filter(({ feed, file }) => feed === 'csv' && file.endsWith('.csv') && !/utf16|latin1/.test(file))
    .map(({ file }) => readFileSync(file));
  let compared = 0;
  for (let seed = SEED; seed < SEED + (FULL ? 50_000 : 1_500); seed++) {
    const below = random(seed);
    const bytes = mutate(files[below(files.length)]!, files[below(files.length)]!, below);
    const text = bytes.toString();
    if (!Buffer.from(text).equals(bytes)) continue;
    // Files put together bring their byte order marks along: in front of a record we pass them over, csv-parse does not.
    if (/(?:[\r\n]|^\ufeff)\ufeff/.test(text)) continue;
    let expected: readonly (readonly string[])[];
    try {
      expected = parse(text, { bom: true, record_delimiter: ['\r\n', '\n', '\r'], skip_empty_lines: true });
    } catch {
      continue;
    }
    const got = await read(text, { header: false, nulls: [] });
    if (got.some(({ cells, found }) => cells === undefined || found !== undefined)) continue;
    // An empty last cell that all rows have is no column of ours.
    const width = got[0]?.cells?.length ?? 0;
    if ((expected[0]?.length ?? 0) !== width) continue;
    expect(
      got.map(({ cells }) => cells?.map((cell) => cell ?? '')),
      `seed ${seed}`,
    ).toEqual(expected);
    compared++;
  }
  expect(compared).toBeGreaterThan(100);
  tell('Fuzzing', 'CSV against csv-parse', compared);
});

test('where JSON.parse and we both take a line of a mutated file, it says the same', async () => {
  const files = corpus()
    .filter(({ feed, file }) => feed === 'json' && file.endsWith('.input'))
    .map(({ file }) => readFileSync(file));
  let compared = 0;
  for (let seed = SEED; seed < SEED + (FULL ? 50_000 : 1_500); seed++) {
    const below = random(seed);
    const bytes = mutate(files[below(files.length)]!, files[below(files.length)]!, below);
    const text = bytes.toString().replace(/^\ufeff+/, '');
    const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
    const got = await texts(text, { shape: 'lines' }).catch(() => null);
    // Faults of whole lines shift nothing: one record a line, in order.
    if (got?.length !== lines.length) continue;
    for (const [i, line] of lines.entries()) {
      const ours = got[i];
      if (typeof ours !== 'string' || !ours.startsWith('{')) continue;
      expect(JSON.parse(ours), `seed ${seed}, line ${i + 1}`).toEqual(JSON.parse(line));
      compared++;
    }
  }
  expect(compared).toBeGreaterThan(100);
  tell('Fuzzing', 'JSON lines against JSON.parse', compared);
});
