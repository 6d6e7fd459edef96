import process from 'node:process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { takeBase, type Base } from './support/base.js';
import {
  afterProblems,
  deliverBefore,
  deliverMixed,
  MIXED_EXPECTED,
  MIXED_FEEDS,
  MIXED_TOP,
  prepareMixed,
} from './support/mixed.js';
import { audit } from './support/oracle.js';
import { FULL, report } from './support/report.js';
import { findStrace, traced } from './support/strace.js';

/**
 * Killed at the n-th call of each kind, n = 1, 2, 3 ... until a run passes whole; then started again as usual. strace
 * counts each call for each thread: the ledger is written by the main thread, PostgreSQL's socket by the load workers,
 * and the thread that is first at its n-th call takes the whole process along.
 */
const CALLS = {
  fdatasync: 'fdatasync,fsync',
  rename: 'rename,renameat,renameat2,link,linkat',
  unlink: 'unlink,unlinkat,rmdir',
  // What goes to PostgreSQL's socket. (The main thread's eventfd is written to by the same call: some of the kills fall
  // there.)
  write: 'write,writev,sendto',
  pwrite64: 'pwrite64',
} as const;
/**
 * Places of each kind that have their turn, spread evenly: CI, the full run, and TALLYMAN_FAULTS=all for each and every
 * one (pwrite64: 460, most of them within one commit of the ledger).
 */
const PLACES = process.env['TALLYMAN_FAULTS'] === 'all' ? Infinity : FULL ? 150 : 2;

const strace = findStrace();
let base: Base;

beforeAll(async () => {
  base = await takeBase(MIXED_FEEDS, MIXED_TOP, async (client, ws) => {
    await prepareMixed(client);
    deliverBefore(ws);
    expect((await ws.once()).code).toBe(0);
  });
});
afterAll(async () => {
  await base.remove();
});

/** The highest n that one thread reaches with one call. */
function mostInOneThread(lines: readonly string[]): number {
  const counts = new Map<string, number>();
  for (const line of lines) {
    const call = /^(\d+) +(\w+)\(/.exec(line);
    if (call === null) continue;
    const key = `${call[1]} ${call[2]}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return Math.max(0, ...counts.values());
}

const runOnce = (): string[] => ['run', '--once', '--json', '-c', base.ws.config];

describe('SIGKILL at every step', () => {
  for (const [kind, calls] of Object.entries(CALLS)) {
    test(
      `at the n-th ${kind}: started again, every file is loaded once, row for row`,
      { timeout: FULL ? 7_200_000 : 180_000 },
      async (context) => {
        if (strace.program === null) return context.skip(strace.reason);
        await base.fresh();
        deliverMixed(base.ws);
        const whole = await traced(strace.program, calls, null, runOnce(), { cwd: base.ws.dir });
        expect([whole.code, whole.stderr]).toEqual([1, '']);
        const total = mostInOneThread(whole.calls);
        expect(total).toBeGreaterThan(0);
        const step = Math.max(1, Math.ceil(total / PLACES));
        const problems: string[] = [];
        let [tries, passed, files, rows, lost, doubled] = [0, 0, 0, 0, 0, 0];
        // The counts of two runs differ by a few: past the end, three runs in a row that pass whole end it.
        for (let n = 1; FULL && step === 1 ? passed < 3 : n <= total; n += step) {
          const client = await base.fresh();
          deliverMixed(base.ws);
          const killed = await traced(strace.program, calls, `${calls}:signal=KILL:when=${n}`, runOnce(), {
            cwd: base.ws.dir,
          });
          if (killed.signal === null && killed.code !== 137) passed++;
          else {
            passed = 0;
            tries++;
          }
          const again = await base.ws.once();
          if (again.stderr !== '') problems.push(`n=${n}: ${again.stderr}`);
          const found = await audit(base.ws, client, MIXED_EXPECTED);
          problems.push(...[...found.problems, ...afterProblems(base.ws)].map((problem) => `n=${n}: ${problem}`));
          files += found.files;
          rows += found.rows;
          lost += found.lost;
          doubled += found.doubled;
        }
        report({
          section: 'Kill at every step',
          fault: `SIGKILL at the n-th ${kind}`,
          tries,
          files,
          rows,
          lost,
          doubled,
        });
        expect(problems).toEqual([]);
        expect(tries).toBeGreaterThan(0);
      },
    );
  }
});
