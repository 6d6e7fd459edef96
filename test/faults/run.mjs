// `npm run test:faults`: every fault test with all its steps and rounds, in a bounded time, and the counts as JSON in
// docs/reliability-counts.json (or where
// --counts FILE says) and as the table of docs/reliability.md; `--page` writes that table anew from the counts that are
// there. `--part long-run` is the half hour of long-run.mjs alone, with its own options. Other arguments go to vitest:
// `npm run test:faults -- test/faults/kill-sweep.test.ts` (a part changes neither counts nor page). `--all` makes the
// sweep stop at each and every call.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { build, install, root } from '../../config/setup.mjs';

/** The whole of it; a hung test must not hang the night. */
const LONGEST_MS = 4 * 3_600_000;

const args = process.argv.slice(2);
const COUNTS = path.join(root, 'docs', 'reliability-counts.json');
const PAGE = path.join(root, 'docs', 'reliability.md');
if (args[0] === '--page') {
  writePage(JSON.parse(readFileSync(COUNTS, 'utf8')));
  process.exit(0);
}
install();
build();

if (args[0] === '--part') {
  const [, part, ...more] = args;
  if (part !== 'long-run') throw new Error(`no part ${part}: there is long-run`);
  process.exit(
    spawnSync(process.execPath, [path.join(import.meta.dirname, `${part}.mjs`), ...more], { stdio: 'inherit' })
      .status ?? 1,
  );
}
const take = (name, values) => {
  const at = args.indexOf(name);
  return at < 0 ? null : args.splice(at, 1 + values);
};
const given = take('--counts', 1)?.[1];
const all = take('--all', 0) !== null;

const dir = mkdtempSync(path.join(tmpdir(), 'tallyman-faults-'));
const lines = path.join(dir, 'counts.jsonl');
const started = Date.now();
const vitest = path.join(root, 'node_modules', 'vitest', 'vitest.mjs');
const which = args.some((arg) => arg.startsWith('test/')) ? [] : ['test/faults'];
const target = given !== undefined ? path.resolve(given) : which.length > 0 ? COUNTS : null;
const { status } = spawnSync(
  process.execPath,
  [vitest, 'run', '--config', path.join(root, 'test', 'vitest.config.ts'), ...which, ...args],
  {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    timeout: LONGEST_MS,
    env: { ...process.env, TALLYMAN_FAULTS: all ? 'all' : 'full', TALLYMAN_FAULTS_COUNTS: lines },
  },
);
try {
  const faults = existsSync(lines)
    ? sum(
        readFileSync(lines, 'utf8')
          .split('\n')
          .filter((line) => line !== '')
          .map((line) => JSON.parse(line)),
      )
    : [];
  const total = faults.reduce(
    (t, f) => ({ tries: t.tries + f.tries, lost: t.lost + f.lost, doubled: t.doubled + f.doubled }),
    { tries: 0, lost: 0, doubled: 0 },
  );
  const commit =
    spawnSync('git', ['describe', '--always', '--dirty'], { cwd: root, encoding: 'utf8' }).stdout?.trim() ?? '';
  const counts = {
    at: new Date(started).toISOString(),
    commit,
    minutes: Math.round((Date.now() - started) / 60_000),
    passed: status === 0,
    total,
    faults,
  };
  if (target !== null) writeFileSync(target, `${JSON.stringify(counts, null, 2)}\n`);
  if (target === COUNTS) writePage(counts);
  for (const { section, fault, tries, rows, lost, doubled } of faults)
    process.stdout.write(`${section}: ${fault}: ${tries} tries, ${rows} rows, ${lost} lost, ${doubled} doubled\n`);
  process.stdout.write(
    `${total.tries} faults, ${total.lost} rows lost, ${total.doubled} doubled${target === null ? '' : `; counts in ${path.relative(process.cwd(), target)}`}\n`,
  );
} finally {
  rmSync(dir, { recursive: true, force: true });
}
process.exit(status ?? 1);

/** The table between the two marks of docs/reliability.md. */
function writePage({ total, faults }) {
  const [BEGIN, END] = ['<!-- counts -->', '<!-- /counts -->'];
  const text = readFileSync(PAGE, 'utf8');
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`${PAGE} has no ${BEGIN} and ${END}`);
  const n = (number) => (number === 0 ? '' : number.toLocaleString('en'));
  const lines = faults.map(
    ({ section, fault, tries, files, rows, lost, doubled }) =>
      `| ${section} | ${fault} | ${n(tries)} | ${n(files)} | ${n(rows)} | ${lost} | ${doubled} |`,
  );
  const table = [
    '| section | fault | tries | files | rows checked | lost | doubled |',
    '|---|---|---|---|---|---|---|',
    ...lines,
    `| | together | ${n(total.tries)} | | | ${total.lost} | ${total.doubled} |`,
  ];
  writeFileSync(PAGE, `${text.slice(0, from)}${BEGIN}\n${table.join('\n')}\n${text.slice(to)}`);
}

/** One line for each fault: a test may report after each of its rounds. */
function sum(counts) {
  const byFault = new Map();
  for (const { section, fault, tries, files = 0, rows = 0, lost, doubled } of counts) {
    const key = `${section}\0${fault}`;
    const before = byFault.get(key) ?? { section, fault, tries: 0, files: 0, rows: 0, lost: 0, doubled: 0 };
    byFault.set(key, {
      section,
      fault,
      tries: before.tries + tries,
      files: before.files + files,
      rows: before.rows + rows,
      lost: before.lost + lost,
      doubled: before.doubled + doubled,
    });
  }
  return [...byFault.values()].sort((a, b) => a.section.localeCompare(b.section) || a.fault.localeCompare(b.fault));
}
