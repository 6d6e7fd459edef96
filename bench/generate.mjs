// Files of the shapes, kept in bench/data between runs: CSV, and the same rows as gzip, NDJSON, Parquet, binary COPY.
import { spawnSync } from 'node:child_process';
import {
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { once } from 'node:events';
import path from 'node:path';
import process from 'node:process';
import { onEnd } from './cleanup.mjs';
import { must } from './measure.mjs';
import { freshDatabase, query } from './server.mjs';
import { prng, SHAPES } from './shapes.mjs';

export const rowsOf = (bench, shape, share = 1) =>
  Math.max(1_000, Math.round(bench.rows * SHAPES[shape].share * share));

/** CSV with a header. `badEvery`: each n-th row gets a wrong first cell. Returns the path. */
export function csvFile(bench, shape, rows, badEvery = 0) {
  return made(bench, `${shape}-${rows}${badEvery ? `-bad${badEvery}` : ''}.csv`, async (file) => {
    const { columns, row } = SHAPES[shape];
    const random = prng(42);
    const out = createWriteStream(file);
    let text = `${columns.map(([name]) => name).join(',')}\n`;
    for (let i = 0; i < rows; i++) {
      const line = row(i, random);
      text += badEvery && i % badEvery === badEvery - 1 ? `x${line}\n` : `${line}\n`;
      if (text.length > 1 << 20) {
        if (!out.write(text)) await once(out, 'drain');
        text = '';
      }
    }
    out.end(text);
    await once(out, 'close');
  });
}

export function gzipFile(bench, csv) {
  return made(bench, `${path.basename(csv)}.gz`, (file) =>
    must('sh', ['-c', 'gzip -6 -c "$1" > "$2"', 'sh', csv, file]),
  );
}

/** The same rows one JSON object a line: numbers and booleans bare, all else as strings. */
export function ndjsonFile(bench, shape, csv) {
  return made(bench, path.basename(csv, '.csv') + '.ndjson', async (file) => {
    const { parse } = await import('csv-parse');
    const bare = SHAPES[shape].columns.map(([, type]) => /int|numeric|double|real/.test(type));
    const cell = (type, bareNumber, value) =>
      type === 'boolean' ? String(value === 't') : bareNumber ? value : JSON.stringify(value);
    const out = createWriteStream(file);
    let text = '';
    for await (const record of createReadStream(csv).pipe(parse({ from: 2 }))) {
      text += `{${SHAPES[shape].columns.map(([name, type], i) => `"${name}":${cell(type, bare[i], record[i])}`).join(',')}}\n`;
      if (text.length > 1 << 20) {
        if (!out.write(text)) await once(out, 'drain');
        text = '';
      }
    }
    out.end(text);
    await once(out, 'close');
  });
}

/** The same rows as Parquet with DuckDB's defaults (snappy, row groups of 122,880), typed as the contract is. */
export function parquetFile(bench, shape, csv) {
  return made(bench, path.basename(csv, '.csv') + '.parquet', async (file) => {
    const { DuckDBInstance } = await import('@duckdb/node-api');
    const types = SHAPES[shape].columns.map(
      ([name, type]) => `'${name}': '${type.replace(/^varchar.*/, 'varchar').replace('double precision', 'double')}'`,
    );
    const instance = await DuckDBInstance.create(':memory:', { threads: '2' });
    const connection = await instance.connect();
    try {
      await connection.run(`SET TimeZone = 'UTC'`);
      await connection.run(
        `COPY (SELECT * FROM read_csv('${csv}', header = true, columns = {${types.join(', ')}})) TO '${file}' (FORMAT parquet)`,
      );
    } finally {
      connection.closeSync();
      instance.closeSync();
    }
  });
}

/**
 * The rows as PostgreSQL's binary COPY with both lineage columns: what the floor swallows. `name` says of which rows.
 */
export function binaryFile(bench, shape, csv) {
  return made(bench, `${path.basename(csv, '.csv')}.bin`, async (file) => {
    const { columns } = SHAPES[shape];
    const seed = await freshDatabase(bench.server.url, 'bench_seed');
    await query(seed, createTable(shape, true));
    await query(seed, 'alter table t alter _load_id set default 1, alter _row set default 1');
    await must('psql', [seed, '-qc', `\\copy t(${columns.map(([name]) => name).join(',')}) from '${csv}' csv header`]);
    await must('psql', [seed, '-qc', `\\copy t to '${file}' binary`]);
    await query(bench.server.url, 'drop database bench_seed with (force)');
  });
}

/** `copies` times the rows of a CSV behind one header (ids repeat). Not kept: `remove` it. */
export async function longFile(bench, csv, bytes) {
  const copies = Math.max(1, Math.ceil(bytes / statSync(csv).size));
  const file = path.join(bench.work, `long-${copies}.csv`);
  await must('sh', [
    '-c',
    'head -n 1 "$1" > "$2"; i=0; while [ $i -lt $3 ]; do tail -n +2 "$1" >> "$2"; i=$((i+1)); done',
    'sh',
    csv,
    file,
    String(copies),
  ]);
  return { file, copies, remove: () => rmSync(file, { force: true }) };
}

/** Many small files of 20 to 200 rows; every content is another one. */
export function smallFiles(dir, shape, count) {
  const { columns, row } = SHAPES[shape];
  const random = prng(7);
  const header = `${columns.map(([name]) => name).join(',')}\n`;
  mkdirSync(dir, { recursive: true });
  let id = 0;
  for (let n = 0; n < count; n++) {
    let text = header;
    for (let left = 20 + random(181); left > 0; left--) text += `${row(id++, random)}\n`;
    writeFileSync(path.join(dir, `small-${String(n).padStart(6, '0')}.csv`), text);
  }
  return id;
}

export const createTable = (shape, lineage, more = '') =>
  `create table t (${[
    ...(lineage
      ? [
          ['_load_id', 'bigint not null'],
          ['_row', 'bigint not null'],
        ]
      : []),
    ...SHAPES[shape].columns,
  ]
    .map(([name, type]) => `${name} ${type}`)
    .join(', ')}${more})`;

async function made(bench, name, write) {
  mkdirSync(bench.data, { recursive: true });
  const file = path.join(bench.data, name);
  if (existsSync(file) && statSync(file).size > 0) return file;
  bench.log(`making ${name}`);
  const unfinished = `${file}.tmp-${process.pid}`;
  const remove = onEnd(() => rmSync(unfinished, { force: true }));
  await write(unfinished);
  renameSync(unfinished, file);
  await remove();
  return file;
}

export const onPath = (command) => spawnSync('sh', ['-c', 'command -v "$1"', 'sh', command]).status === 0;
