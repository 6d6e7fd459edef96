// `npm run bench [-- --rows 2000000 --rounds 5 --shapes typed16,narrow4]`: tallyman and psql \copy in alternation on generated data. Prints medians and
// ratios; a ratio below 1 means tallyman is faster. Needs psql on the PATH.
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir, cpus } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { build, install, root } from '../config/setup.mjs';

install();
build();
const { generate, SHAPES } = await import('./shapes.mjs');
const { measure, median } = await import('./measure.mjs');
const { freshDatabase, query, startServer } = await import('./server.mjs');

const { values } = parseArgs({ options: { rows: { type: 'string', default: '2000000' }, rounds: { type: 'string', default: '5' }, shapes: { type: 'string', default: 'typed16' }, bad: { type: 'string', default: '0' } } });
const rows = Number(values.rows);
const rounds = Number(values.rounds);

const psqlThere = await measure('psql', ['--version']).catch(() => ({ code: 1 }));
if (psqlThere.code !== 0) {
  process.stderr.write('bench: psql is not on the PATH\n');
  process.exit(2);
}

const main = path.join(root, 'dist', 'main.js');
const server = await startServer();
const work = mkdtempSync(path.join(tmpdir(), 'tallyman-bench-work-'));
try {
  process.stdout.write(`node ${process.version}, ${cpus().length} x ${cpus()[0].model}, ${(await query(server.url, 'select version()')).rows[0].version.split(' on ')[0]}\n`);
  for (const shape of values.shapes.split(',')) await benchShape(shape);
} finally {
  await server.stop();
  rmSync(work, { recursive: true, force: true });
}

async function benchShape(shape) {
  const file = await generate(path.join(root, 'bench', 'data'), shape, rows, Number(values.bad));
  const { columns } = SHAPES[shape];
  const ddl = (lineage) => `create table t (${[...(lineage ? [['_load_id', 'bigint not null'], ['_row', 'bigint not null']] : []), ...columns].map(([n, t]) => `${n} ${t}`).join(', ')})`;
  const binary = path.join(work, `${shape}.bin`);
  const seed = await freshDatabase(server.url, 'bench_seed');
  await query(seed, ddl(true));
  await query(seed, 'alter table t alter _load_id set default 1, alter _row set default 1');
  await must('psql', [seed, '-qc', `\\copy t(${columns.map(([n]) => n).join(',')}) from '${file}' csv header`]);
  await must('psql', [seed, '-qc', `\\copy t to '${binary}' binary`]);
  const result = { csv: [], floor: [], whole: [], commit: [], peak: [] };
  for (let round = 0; round <= rounds; round++) {
    const counted = round > 0; // the first round warms the file cache and the server
    const csvDb = await freshDatabase(server.url, 'bench_csv');
    await query(csvDb, ddl(false));
    const csv = await timed(csvDb, 'psql', [csvDb, '-qc', `\\copy t from '${file}' csv header`]);
    const floorDb = await freshDatabase(server.url, 'bench_floor');
    await query(floorDb, ddl(true));
    const floor = await timed(floorDb, 'psql', [floorDb, '-qc', `\\copy t from '${binary}' binary`]);
    const ours = await tallyman(shape, file, columns, await freshDatabase(server.url, 'bench_tallyman'));
    if (!counted) continue;
    result.csv.push(csv.seconds);
    result.floor.push(floor.seconds);
    result.whole.push(ours.seconds);
    result.commit.push(ours.commit);
    result.peak.push(ours.peak ?? 0);
  }
  const m = Object.fromEntries(Object.entries(result).map(([k, v]) => [k, median(v)]));
  const pair = (a, b) => median(result[a].map((x, i) => x / result[b][i])).toFixed(2);
  const mb = statSync(file).size / 1e6;
  process.stdout.write(
    [
      `\n${shape}: ${rows.toLocaleString('en-US')} rows x ${columns.length} columns, ${mb.toFixed(0)} MB, ${rounds} rounds, medians`,
      `  psql \\copy of the CSV                        ${m.csv.toFixed(2)} s`,
      `  psql \\copy of pre-encoded binary (the floor) ${m.floor.toFixed(2)} s   ${pair('floor', 'csv')} of psql \\copy`,
      `  tallyman, claim to commit                    ${m.commit.toFixed(2)} s   ${pair('commit', 'csv')} of psql \\copy, ${pair('commit', 'floor')} of the floor`,
      `  tallyman run --once, whole process           ${m.whole.toFixed(2)} s   ${pair('whole', 'csv')} of psql \\copy`,
      `  tallyman, peak memory                        ${(m.peak / 1e6).toFixed(0)} MB`,
      '',
    ].join('\n'),
  );
}

async function tallyman(shape, file, columns, url) {
  const dir = mkdtempSync(path.join(work, 'run-'));
  mkdirSync(path.join(dir, 'drop'));
  const config = path.join(dir, 'tallyman.yaml');
  writeFileSync(
    config,
    JSON.stringify({
      version: 1,
      data_dir: './data',
      database: { url },
      feeds: { t: { source: { type: 'local', dir: path.dirname(file), pattern: path.basename(file), settle: '0s' }, format: { type: 'csv' }, columns: columns.map(([name, type]) => ({ name, type })), on_changed: 'load', limits: { bad_ratio: 0.9 } } },
    }),
  );
  const run = await timed(url, process.execPath, [main, 'run', '--once', '--json', '-c', config], [0, 3]);
  const report = JSON.parse(run.out.split('\n')[0]);
  if (report.state !== 'loaded' || report.rows.read !== rows) throw new Error(`bench: ${run.out}`);
  rmSync(dir, { recursive: true, force: true });
  return { seconds: run.seconds, commit: report.seconds.load, peak: run.peak };
}

/** A checkpoint first, so that one run does not pay for the writes of the one before. */
async function timed(url, command, args, codes = [0]) {
  await query(url, 'checkpoint');
  const run = await measure(command, args);
  if (!codes.includes(run.code)) throw new Error(`bench: ${command} ended with ${run.code}: ${run.err}${run.out}`);
  return run;
}

async function must(command, args) {
  const run = await measure(command, args);
  if (run.code !== 0) throw new Error(`bench: ${run.err}`);
}
