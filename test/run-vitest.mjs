// One run of vitest in a checkout, counted.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';

/** { passed, failed }: of tests, and of files that could not be run. `failed` is never 0 when vitest says so. */
export function runVitest(root, args, { node = process.execPath, env = process.env } = {}) {
  const dir = mkdtempSync(path.join(tmpdir(), 'tallyman-test-'));
  const result = path.join(dir, 'result.json');
  const { status } = spawnSync(
    node,
    [
      path.join(root, 'node_modules', 'vitest', 'vitest.mjs'),
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
  const least = status === 0 ? 0 : 1;
  try {
    const report = JSON.parse(readFileSync(result, 'utf8'));
    const broken = report.testResults.filter((t) => t.status === 'failed' && t.assertionResults.length === 0).length;
    return { passed: report.numPassedTests, failed: Math.max(report.numFailedTests + broken, least) };
  } catch (error) {
    process.stderr.write(`no test report: ${error.message}\n`);
    return { passed: 0, failed: 1 };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
