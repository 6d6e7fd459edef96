// `npm run bench [-- --part csv,small --rows 2000000 --rounds 5 --full memory --readme]`: every claim about speed and
// memory is made here. tallyman and its peers in alternation on generated data; prints medians, ratios and aims, writes
// bench/results/latest.json. Needs psql on the PATH, a Linux for CPU and memory.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { build, install, modules, root } from '../config/setup.mjs';
import { endAll, endOnSignals, isEnding, temporary } from './cleanup.mjs';

const PARTS = [
  'csv',
  'variants',
  'formats',
  'peers',
  'four',
  'small',
  'lag',
  'memory',
  'start',
  'before',
  'ledger',
  'folder',
  'reconcile',
  'landing',
  'profile',
];
const USAGE = `npm run bench -- [options]
  --part a,b       only these parts: ${PARTS.join(', ')}
  --rows N         rows of the 16-column CSV (2,000,000); other shapes and parts take their share
  --rounds N       rounds that count, after one that warms up (5)
  --shapes a,b     of part csv (typed16,narrow4,wide200,texts)
  --files N        small files (5,000)
  --scale X        factor on the sizes of memory, ledger, folder and reconcile (1)
  --full a,b       of these four, or all of them: at full size (10 GB, 10,000,000 entries, 1,000,000 files, 100,000,000 rows)
  --dist DIR       another build than this checkout's dist/
  --before DIR     of part before: the dist/ of the build that this one is held against
  --modules DIR    and its modules one by one, for the lookups of part ledger (this checkout's build/)
  --readme         write the table into README.md
`;

const { values } = parseArgs({
  options: {
    part: { type: 'string', default: PARTS.filter((name) => name !== 'before').join(',') },
    rows: { type: 'string', default: '2000000' },
    rounds: { type: 'string', default: '5' },
    shapes: { type: 'string', default: 'typed16,narrow4,wide200,texts' },
    files: { type: 'string', default: '5000' },
    scale: { type: 'string', default: '1' },
    full: { type: 'string', default: '' },
    dist: { type: 'string' },
    modules: { type: 'string' },
    before: { type: 'string' },
    readme: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
const wanted = values.part.split(',');
const FULL = ['memory', 'ledger', 'folder', 'reconcile'];
const full = values.full === 'all' ? FULL : values.full.split(',').filter((name) => name !== '');
const unknown = [...wanted.filter((name) => !PARTS.includes(name)), ...full.filter((name) => !FULL.includes(name))];
const numbers = [values.rows, values.rounds, values.files, values.scale].map(Number);
const alone = wanted.includes('before') !== (values.before !== undefined);
if (alone) process.stderr.write('bench: part before and --before DIR go together\n');
if (values.help || alone || unknown.length > 0 || numbers.some((value) => !(value > 0))) {
  process.stderr.write(`${unknown.length > 0 ? `bench: no part ${unknown.join(', ')}\n` : ''}${USAGE}`);
  process.exit(values.help ? 0 : 2);
}

install();
if (values.dist === undefined) build();
endOnSignals();
const { must } = await import('./measure.mjs');
const { query, startServer } = await import('./server.mjs');
const { partText, writeJson, writeReadme } = await import('./report.mjs');
if (spawnSync('psql', ['--version']).status !== 0) {
  process.stderr.write('bench: psql is not on the PATH\n');
  process.exit(2);
}

const began = performance.now();
const log = (text) =>
  process.stderr.write(`  ${((performance.now() - began) / 1000).toFixed(0).padStart(5)} s  ${text}\n`);
let failed = false;
try {
  const server = await startServer();
  const bench = {
    server,
    log,
    main: path.resolve(values.dist ?? path.join(root, 'dist'), 'main.js'),
    modules: values.modules === undefined ? modules() : path.resolve(values.modules),
    before: values.before === undefined ? null : path.resolve(values.before, 'main.js'),
    data: path.join(root, 'bench', 'data'),
    work: temporary('work').dir,
    rows: Number(values.rows),
    rounds: Number(values.rounds),
    files: Number(values.files),
    scale: Number(values.scale),
    shapes: values.shapes.split(','),
  };
  mkdirSync(bench.data, { recursive: true });
  const result = {
    date: new Date().toISOString(),
    commit:
      spawnSync('git', ['-C', path.dirname(bench.main), 'describe', '--always', '--dirty', '--tags'], {
        encoding: 'utf8',
      }).stdout?.trim() || 'an unknown commit',
    machine: {
      model: cpus()[0]?.model ?? 'unknown',
      cpus: cpus().length,
      memoryGB: Math.round(totalmem() / 2 ** 30),
      kernel: (await must('uname', ['-sr'])).out.trim(),
    },
    versions: {
      node: process.version,
      postgres: (await query(server.url, 'select version()')).rows[0].version.split(' on ')[0],
      psql: (await must('psql', ['--version'])).out.trim(),
    },
    options: {
      command: [
        'npm run bench',
        ...(process.argv.length > 2 ? ['--', ...process.argv.slice(2).filter((word) => word !== '--readme')] : []),
      ].join(' '),
      ...values,
      rounds: bench.rounds,
    },
    parts: [],
  };
  const { machine, versions } = result;
  process.stdout.write(
    `${result.commit}, ${machine.cpus} x ${machine.model}, ${versions.postgres}, ${versions.psql}, Node ${versions.node}\n`,
  );
  for (const name of wanted) {
    const { about, run } = await import(`./parts/${name}.mjs`);
    log(`${name}: ${about}`);
    const started = performance.now();
    try {
      const part = {
        name,
        ...(await run({ ...bench, full: full.includes(name) })),
        seconds: (performance.now() - started) / 1000,
      };
      result.parts.push(part);
      process.stdout.write(partText(part));
    } catch (error) {
      // The other parts are measured all the same; the exit code says it.
      failed = true;
      if (isEnding()) break;
      process.stderr.write(`bench: part ${name} failed: ${error.stack}\n`);
    }
  }
  if (!isEnding()) process.stdout.write(`\n${writeJson(result)}\n`);
  if (values.readme && !isEnding()) {
    if (failed) process.stderr.write('bench: a part failed, README.md stays as it is\n');
    else writeReadme(result);
  }
} finally {
  await endAll();
}
process.exitCode = failed ? 1 : 0;
