#!/usr/bin/env node
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import process from 'node:process';
import { isFewDescriptors, TallymanError } from './core/errors.js';

emptyCoreFiles();

// The process edge: argv, signals, exit code. The first signal asks, a second one ends at once (SPEC 8).
const interrupted = new AbortController();
let exitCode: number | null = null;
let first = 0;
/** One Ctrl-C comes twice when a parent (npm) passes on what the terminal sent to all of us. Milliseconds. */
const SAME_SIGNAL_MS = 100;
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.on(signal, () => {
    if (exitCode !== null) {
      if (performance.now() - first > SAME_SIGNAL_MS) process.exit(code);
      return;
    }
    exitCode = code;
    first = performance.now();
    interrupted.abort();
  });
}
// `tallyman files | head` closes the pipe: nobody reads on, and that is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

process.exitCode = await run();
// Every part was closed by its command; a handle that some library still holds must not keep a finished command alive.
process.stdout.write('', () => process.exit());

/** The program's files are opened some 200 at once; where so many are not allowed, that is said instead of a trace. */
async function run(): Promise<number> {
  const program = await import('./cli/program.js').catch((error: unknown) => {
    if (!isFewDescriptors(error)) throw error;
    const { message, fix, exit } = new TallymanError(
      'WORKER_UNUSABLE',
      'the program cannot be read: too many open files',
      { cause: error },
    );
    process.stderr.write(`tallyman: ${message}\n  what to do: ${fix}\n`);
    return exit;
  });
  return typeof program === 'number'
    ? program
    : await program.runCli(process.argv, { signal: interrupted.signal, exitCode: () => exitCode });
}

/**
 * Memory holds passwords and rows: no core file of this process, nor of those it starts, gets them. The soft limit of
 * core files goes to 0 (prlimit(1); Node has no call for it). Should somebody raise it again, or the system hand cores
 * to a program in spite of it, then only registers and the ELF headers that name the build are in them (core(5),
 * coredump_filter). Where there is neither (not Linux), the system's own limit holds; see docs/reliability.md.
 */
function emptyCoreFiles(): void {
  // Where one of the two fails it is as it was: nothing else depends on it. spawn throws where no process can be made
  // (ENOMEM under vm.overcommit_memory=2).
  for (const step of [
    () => writeFileSync('/proc/self/coredump_filter', '0x10'),
    () =>
      spawn('prlimit', ['--pid', String(process.pid), '--core=0:'], { stdio: 'ignore' })
        .on('error', () => undefined)
        .unref(),
  ]) {
    try {
      step();
    } catch {
      continue;
    }
  }
}
