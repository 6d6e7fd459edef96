// `npm run test:faults`: every fault test with all its steps and rounds, in a bounded time, and the counts as JSON in docs/reliability-counts.json (or where
// --counts FILE says). `--part long-run` is the half hour of long-run.mjs alone, with its own options. Other arguments go to vitest: `npm run test:faults -- test/faults/kill-sweep.test.ts`. `--all` makes the sweep stop at each and every call.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { build, install, root } from '../../config/setup.mjs';

/** The whole of it; a hung test must not hang the night. */
const LONGEST_MS = 4 * 3_600_000;

install();
build();

const args = process.argv.slice(2);
if (args[0] === '--part') {
  const [, part, ...more] = args;
  if (part !== 'long-run') throw new Error(`no part ${part}: there is long-run`);
  process.exit(spawnSync(process.execPath, [path.join(import.meta.dirname, `${part}.mjs`), ...more], { stdio: 'inherit' }).status ?? 1);
}
const take = (name, values) => {
  const at = args.indexOf(name);
  return at < 0 ? null : args.splice(at, 1 + values);
};
const target = path.resolve(take('--counts', 1)?.[1] ?? path.join(root, 'docs', 'reliability-counts.json'));
const all = take('--all', 0) !== null;

const dir = mkdtempSync(path.join(tmpdir(), 'tallyman-faults-'));
const lines = path.join(dir, 'counts.jsonl');
const started = Date.now();
const vitest = path.join(root, 'node_modules', 'vitest', 'vitest.mjs');
const which = args.some((arg) => arg.startsWith('test/')) ? [] : ['test/faults'];
const { status } = spawnSync(process.execPath, [vitest, 'run', '--config', path.join(root, 'test', 'vitest.config.ts'), ...which, ...args], {
  cwd: root,
  stdio: ['ignore', 'inherit', 'inherit'],
  timeout: LONGEST_MS,
  env: { ...process.env, TALLYMAN_FAULTS: all ? 'all' : 'full', TALLYMAN_FAULTS_COUNTS: lines },
});
try {
  const faults = existsSync(lines) ? sum(readFileSync(lines, 'utf8').split('\n').filter((line) => line !== '').map((line) => JSON.parse(line))) : [];
  const total = faults.reduce((t, f) => ({ tries: t.tries + f.tries, lost: t.lost + f.lost, doubled: t.doubled + f.doubled }), { tries: 0, lost: 0, doubled: 0 });
  writeFileSync(target, `${JSON.stringify({ at: new Date(started).toISOString(), minutes: Math.round((Date.now() - started) / 60_000), passed: status === 0, total, faults }, null, 2)}\n`);
  for (const { section, fault, tries, rows, lost, doubled } of faults) process.stdout.write(`${section}: ${fault}: ${tries} tries, ${rows} rows, ${lost} lost, ${doubled} doubled\n`);
  process.stdout.write(`${total.tries} faults, ${total.lost} rows lost, ${total.doubled} doubled; counts in ${path.relative(process.cwd(), target)}\n`);
} finally {
  rmSync(dir, { recursive: true, force: true });
}
process.exit(status ?? 1);

/** One line for each fault: a test may report after each of its rounds. */
function sum(counts) {
  const byFault = new Map();
  for (const { section, fault, tries, files = 0, rows = 0, lost, doubled } of counts) {
    const key = `${section}\0${fault}`;
    const before = byFault.get(key) ?? { section, fault, tries: 0, files: 0, rows: 0, lost: 0, doubled: 0 };
    byFault.set(key, { section, fault, tries: before.tries + tries, files: before.files + files, rows: before.rows + rows, lost: before.lost + lost, doubled: before.doubled + doubled });
  }
  return [...byFault.values()].sort((a, b) => a.section.localeCompare(b.section) || a.fault.localeCompare(b.fault));
}
