// Where the time goes: a CPU profile of `run --once` (main thread and workers, by folder of src/), the server's CPU,
// its WAL and fsyncs. Shares, not claims: the profiler costs a few hundredths itself.
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { createTable, csvFile, rowsOf, smallFiles } from '../generate.mjs';
import { claim } from '../report.mjs';
import { freshDatabase, query, startServer } from '../server.mjs';
import { SHAPES } from '../shapes.mjs';
import { feed, runOnce, workspace } from '../tallyman.mjs';

export const about = 'shares of scan, encode, socket, ledger, backend, WAL and fsync: one large file, many small ones';

const shape = 'typed16';
const { columns } = SHAPES[shape];
const SMALL_SHARE = 0.2;

export async function run(bench) {
  // A server of its own, which counts its input and output in time.
  const server = await startServer(['track_io_timing=on', 'track_wal_io_timing=on', 'shared_preload_libraries=']);
  const beside = { ...bench, server };
  const rows = rowsOf(bench, shape, 0.5);
  const csv = await csvFile(bench, shape, rows);
  const small = path.join(bench.work, 'profile-small');
  const files = Math.max(100, Math.round(bench.files * SMALL_SHARE));
  smallFiles(small, shape, files);
  const large = await profiled(beside, 'large file', path.dirname(csv), path.basename(csv));
  const many = await profiled(beside, 'small files', small, '*.csv');
  await server.stop();
  return {
    title: 'Where the time goes',
    readme: false,
    claims: [...large, ...many],
    notes: [`large file: ${rows.toLocaleString('en-US')} rows; small files: ${files.toLocaleString('en-US')}`],
  };
}

async function profiled(bench, what, dir, pattern) {
  const url = await freshDatabase(bench.server.url, 'bench_profile');
  await query(url, `create schema staging; ${createTable(shape, true).replace('table t ', 'table staging.t ')}`);
  const space = workspace(bench, { url, feeds: { t: feed({ dir, pattern, columns }) } });
  const profiles = path.join(space.dir, 'profiles');
  mkdirSync(profiles);
  try {
    await query(url, 'checkpoint');
    await query(url, `select pg_stat_reset_shared('io'), pg_stat_reset_shared('wal')`);
    const run = await runOnce(bench, space.config, { nodeArgs: ['--cpu-prof', `--cpu-prof-dir=${profiles}`] });
    const claims = [claim(`${what}: whole process, with the profiler`, run.seconds, { unit: 's' })];
    if (run.client !== null)
      claims.push(
        claim(`${what}: CPU of tallyman`, run.client, { unit: 's' }),
        claim(`${what}: CPU of the server`, run.server, { unit: 's' }),
      );
    claims.push(claim(`${what}: files loaded`, run.summary.files.loaded));
    for (const [name, seconds] of shares(profiles)) claims.push(claim(`${what}: ${name}`, seconds, { unit: 's' }));
    for (const [name, value, unit] of await serverShares(url))
      claims.push(claim(`${what}: server, ${name}`, value, { unit }));
    return claims;
  } finally {
    space.remove();
  }
}

/** Where a stack frame's own time belongs; the first that fits. */
const PLACES = [
  ['idle', (frame) => frame.functionName === '(idle)'],
  ['garbage collection', (frame) => frame.functionName === '(garbage collector)'],
  ['sha256', (frame) => /^(update|digest|Hash)$/.test(frame.functionName) && frame.url.includes('crypto')],
  ['scan (formats/)', (frame) => frame.url.includes('/src/formats/')],
  ['check + encode (columns/)', (frame) => frame.url.includes('/src/columns/')],
  ['row loop, load (load/)', (frame) => frame.url.includes('/src/load/')],
  ['decode (decode/)', (frame) => frame.url.includes('/src/decode/')],
  ['ledger (SQLite)', (frame) => frame.url.includes('/src/ledger/') || frame.url.includes('better-sqlite3')],
  [
    'PostgreSQL client (pg)',
    (frame) =>
      frame.url.includes('/src/postgres/') || /\/node_modules\/(pg|pg-[a-z]+|postgres-[a-z]+)\//.test(frame.url),
  ],
  [
    'daemon, flow, intake, sources, cli',
    (frame) => /\/src\/(base|core|daemon|flow|intake|operations|sources|server|cli|config|app|main)/.test(frame.url),
  ],
  ['other packages', (frame) => frame.url.includes('/node_modules/')],
  [
    'socket writes and reads',
    (frame) =>
      /writeBuffer|writev|writeUtf8String|writeLatin1String|readStart|onStreamRead/.test(frame.functionName) ||
      /node:(net|internal\/stream_base_commons|internal\/streams)/.test(frame.url),
  ],
  ['files', (frame) => /node:(fs|internal\/fs)/.test(frame.url)],
  [
    'loading of modules',
    (frame) =>
      /node:internal\/modules|compileFunction|node:internal\/(bootstrap|vm|url)/.test(
        `${frame.url}${frame.functionName}`,
      ),
  ],
  ['Node and V8, the rest', () => true],
];

/**
 * Own seconds by place, for the main thread and for all workers together; less than a hundredth of a second is left
 * out.
 */
function shares(dir) {
  const found = [];
  // One file a thread; the main thread's is the one with thread id 0: CPU.date.time.pid.tid.seq.cpuprofile.
  const threads = readdirSync(dir).map((name) => ({
    main: name.split('.')[4] === '0',
    profile: JSON.parse(readFileSync(path.join(dir, name), 'utf8')),
  }));
  for (const main of [true, false]) {
    const seconds = new Map();
    for (const { profile } of threads.filter((thread) => thread.main === main)) {
      const frames = new Map(profile.nodes.map((node) => [node.id, inSource(node.callFrame)]));
      for (const [i, id] of profile.samples.entries()) {
        const place = PLACES.find(([, fits]) => fits(frames.get(id)))[0];
        seconds.set(place, (seconds.get(place) ?? 0) + profile.timeDeltas[i] / 1e6);
      }
    }
    for (const [place, spent] of [...seconds].sort((a, b) => b[1] - a[1]))
      if (spent >= 0.01) found.push([`${main ? 'main thread' : 'workers'}, ${place}`, spent]);
  }
  return found;
}

/** Source maps of the files of dist/; null = it has none. */
const maps = new Map();

/** The frame with the URL of the source that the build made it from: dist/ holds bundles. */
function inSource(frame) {
  if (!frame.url.startsWith('file:')) return frame;
  const file = fileURLToPath(frame.url);
  if (!maps.has(file))
    maps.set(file, existsSync(`${file}.map`) ? new SourceMap(JSON.parse(readFileSync(`${file}.map`, 'utf8'))) : null);
  const source = maps.get(file)?.findEntry(frame.lineNumber, frame.columnNumber).originalSource;
  return source === undefined ? frame : { ...frame, url: `file://${path.resolve(path.dirname(file), source)}` };
}

async function serverShares(url) {
  const wal = (
    await query(
      url,
      'select wal_bytes::float8 / 1e6 as mb, wal_records::float8 as records, wal_fpi::float8 as images from pg_stat_wal',
    )
  ).rows[0];
  const found = [
    ['WAL written', wal.mb, 'MB'],
    ['WAL records', wal.records, ''],
    ['full page images', wal.images, ''],
  ];
  const { rows } = await query(
    url,
    `select object, sum(writes)::float8 as writes, sum(write_time) / 1e3 as write_s, sum(fsyncs)::float8 as fsyncs, sum(fsync_time) / 1e3 as fsync_s, sum(extends)::float8 as extends, sum(extend_time) / 1e3 as extend_s
     from pg_stat_io group by object`,
  );
  for (const row of rows) {
    for (const kind of ['write', 'fsync', 'extend']) {
      const [times, seconds] = [row[`${kind}s`], row[`${kind}_s`]];
      if (times > 0)
        found.push([`${row.object} ${kind}s`, times, ''], [`${row.object} ${kind}s, time`, seconds ?? 0, 's']);
    }
  }
  return found;
}
