// 30 minutes of mixed arrivals with faults at random: `node test/faults/long-run.mjs [--minutes 30] [--out FOLDER]`, or
// `npm run test:faults -- --part long-run`. The numbers go to stdout as JSON; graph, numbers, samples and the daemon's
// log to FOLDER (docs/ gets the graph and the numbers when it is unset). TALLYMAN_FAULT_SEED=N repeats the arrivals and
// faults of a run, though not its very moments.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { build, install, root } from '../../config/setup.mjs';

install();
build();

const args = process.argv.slice(2);
const take = (name) => {
  const at = args.indexOf(name);
  return at < 0 ? null : args.splice(at, 2)[1];
};
const minutes = Number(take('--minutes') ?? 30);
const given = take('--out');
if (!(minutes > 0) || args.length > 0) {
  process.stderr.write('usage: node test/faults/long-run.mjs [--minutes N] [--out FOLDER]\n');
  process.exit(2);
}
const out = given === null ? mkdtempSync(path.join(tmpdir(), 'tallyman-long-run-')) : path.resolve(given);
const { status } = spawnSync(
  process.execPath,
  [
    path.join(root, 'node_modules', 'vitest', 'vitest.mjs'),
    'run',
    '--config',
    path.join(root, 'test', 'vitest.config.ts'),
    'test/faults/long-run.test.ts',
  ],
  {
    cwd: root,
    stdio: ['ignore', 2, 2],
    timeout: minutes * 90_000 + 900_000,
    env: { ...process.env, TALLYMAN_LONG_RUN_MINUTES: String(minutes), TALLYMAN_LONG_RUN_OUT: out },
  },
);
const numbers = path.join(out, 'long-run.json');
if (existsSync(numbers)) {
  process.stdout.write(readFileSync(numbers, 'utf8'));
  // A short try is no evidence: it does not take the place of the graph in docs.
  if (given === null && status === 0 && minutes >= 30)
    for (const name of ['long-run.svg', 'long-run.json'])
      copyFileSync(path.join(out, name), path.join(root, 'docs', name));
}
process.stderr.write(`long run: ${status === 0 ? 'passed' : 'FAILED'}; samples and log in ${out}\n`);
process.exit(status ?? 1);
