// Peak memory against the size of the file: it must not grow. 300 MB and 1 GB; `--full`: 300 MB, 3 GB and 10 GB.
import { statfsSync } from 'node:fs';
import { csvFile, longFile, rowsOf } from '../generate.mjs';
import { claim } from '../report.mjs';
import { freshDatabase, query } from '../server.mjs';
import { SHAPES } from '../shapes.mjs';
import { loadOne } from '../tallyman.mjs';

export const about = 'peak memory of a 300 MB and a 1 GB file; --full: 300 MB, 3 GB, 10 GB';

const shape = 'typed16';
const { columns } = SHAPES[shape];
const MB = 1e6;

export async function run(bench) {
  const sizes = (bench.full ? [300, 3_000, 10_000] : [300, 1_000]).map((size) => Math.max(1, size * bench.scale));
  const rows = rowsOf(bench, shape, 0.5);
  const csv = await csvFile(bench, shape, rows);
  const claims = [];
  const notes = [];
  for (const size of sizes) {
    // The file, its rows in the table (about 1.2 of it) and the WAL of both (1.5, at most 4 GB).
    const free = (({ bavail, bsize }) => bavail * bsize)(statfsSync(bench.work));
    if (free < size * MB * 3.5 + 6e9) {
      notes.push(`${size} MB: left out, only ${(free / 1e9).toFixed(0)} GB of disk are free`);
      continue;
    }
    const long = await longFile(bench, csv, size * MB);
    const url = await freshDatabase(bench.server.url, 'bench_memory');
    try {
      const { seconds, commit, peak } = await loadOne(bench, {
        url,
        file: long.file,
        columns,
        rows: rows * long.copies,
      });
      bench.log(`${size} MB: ${seconds.toFixed(1)} s`);
      claims.push(
        claim(`peak memory, file of ${size.toLocaleString('en-US')} MB`, peak / MB, { unit: 'MB', aim: 250 }),
        claim(`claim to commit of it`, size / commit, { unit: 'MB/s' }),
      );
    } finally {
      long.remove();
      await query(bench.server.url, 'drop database bench_memory with (force)');
    }
  }
  return { title: 'Memory', claims, notes };
}
