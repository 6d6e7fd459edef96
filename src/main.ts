#!/usr/bin/env node
import module from 'node:module';
import path from 'node:path';
import process from 'node:process';
import { VERSION } from './base/built.js';
import { isFewDescriptors, TallymanError } from './core/errors.js';

// The process edge: argv, signals, exit code. The first signal asks, a second one ends at once.
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
// SIGHUP asks the daemon for its config again; one that comes before it listens waits for it. No other command has it.
const reload: { asked: boolean; listener: (() => void) | null } = { asked: false, listener: null };
if (process.argv.includes('run') && !process.argv.includes('--once'))
  process.on('SIGHUP', () => {
    if (reload.listener === null) reload.asked = true;
    else reload.listener();
  });
// Whatever is written to them by others (a warning of Node): what cannot be written must not end the work.
process.stderr.on('error', () => undefined);

// Every part was closed by its command; a handle that some library still holds must not keep a finished command alive.
process.exit(await run());

/** Nothing but the version is asked for often, by scripts too: no part of the program is loaded for it. */
async function run(): Promise<number> {
  const [word, ...more] = process.argv.slice(2);
  if ((word === '--version' || word === '-V') && more.length === 0) {
    return await printVersion();
  }
  cacheCode();
  try {
    const { runCli } = await import('./cli/program.js');
    return await runCli(process.argv, { signal: interrupted.signal, exitCode: () => exitCode, onReload });
  } catch (cause) {
    // Where the files of the program itself cannot be opened, that is said instead of a trace.
    if (!isFewDescriptors(cause)) throw cause;
    const { message, fix, exit } = new TallymanError(
      'WORKER_UNUSABLE',
      'the program cannot be read: too many open files',
      { cause },
    );
    process.stderr.write(`error[WORKER_UNUSABLE]: ${message}\n  what to do: ${fix}\n`);
    return exit;
  }
}

/** Returns what ends the listening; what is asked for after that is let be. */
function onReload(listener: () => void): () => void {
  reload.listener = listener;
  if (reload.asked) listener();
  return () => {
    reload.listener = () => undefined;
  };
}

/** 5 = it could not be written. */
function printVersion(): Promise<number> {
  return new Promise((resolve) => {
    process.stdout.on('error', (error: Error) => {
      process.stderr.write(`error[DISK_FULL]: the output cannot be written: ${error.message}\n`);
      resolve(5);
    });
    process.stdout.write(`${VERSION}\n`, (error) => {
      if (error === undefined || error === null) resolve(0);
    });
  });
}

/**
 * Node 22 and later keep the compiled code for the next start: a tenth less. In a folder beside the program, which only
 * those may write to who may change the program; where it cannot be written nothing is kept.
 */
function cacheCode(): void {
  if (hasCodeCache(module)) module.enableCompileCache(path.join(import.meta.dirname, '.cache'));
}

function hasCodeCache(value: object): value is { enableCompileCache(dir: string): unknown } {
  return 'enableCompileCache' in value;
}
