// `npm test`: installs, builds, runs the whole suite and ends with `N passed, N failed`. Arguments go to vitest;
// `--crash-rounds N` sets how many times the crash test kills (default 25; `npm run test:crash` does 200).
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { build, install, root } from '../config/setup.mjs';

install();
build();

const args = process.argv.slice(2);
const env = { ...process.env };
const rounds = args.indexOf('--crash-rounds');
if (rounds >= 0) env.TALLYMAN_CRASH_ROUNDS = args.splice(rounds, 2)[1];

const dir = mkdtempSync(path.join(tmpdir(), 'tallyman-test-'));
const result = path.join(dir, 'result.json');
const vitest = path.join(root, 'node_modules', 'vitest', 'vitest.mjs');
const { status } = spawnSync(
  process.execPath,
  [
    vitest,
    'run',
    '--config',
    path.join(root, 'test', 'vitest.config.ts'),
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${result}`,
    ...args,
  ],
  { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], env },
);

let passed = 0;
let failed = status === 0 ? 0 : 1;
try {
  const report = JSON.parse(readFileSync(result, 'utf8'));
  passed = report.numPassedTests;
  failed = Math.max(
    report.numFailedTests +
      report.testResults.filter((t) => t.status === 'failed' && t.assertionResults.length === 0).length,
    failed,
  );
} catch (error) {
  process.stderr.write(`no test report: ${error.message}\n`);
  failed = 1;
} finally {
  rmSync(dir, { recursive: true, force: true });
}
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);
