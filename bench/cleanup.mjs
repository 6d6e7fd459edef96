// What the bench started or wrote is gone when it ends, also on Ctrl-C: servers, daemons, temporary folders. Last in,
// first out.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';

const tasks = new Set();
let ending = null;

/** Registers what is to be undone; gives a function that undoes it now. */
export function onEnd(undo) {
  const task = { undo };
  tasks.add(task);
  return async () => {
    if (!tasks.delete(task)) return;
    await undo();
  };
}

/** Undoes everything that still stands. One failure keeps nothing else from being undone. */
export function endAll() {
  ending ??= (async () => {
    for (const task of [...tasks].reverse()) {
      tasks.delete(task);
      try {
        await task.undo();
      } catch (error) {
        process.stderr.write(`bench: while cleaning up: ${error.message}\n`);
      }
    }
  })();
  return ending;
}

/** The bench was interrupted, or is over: what fails now fails because of that. */
export const isEnding = () => ending !== null;

/** A temporary folder that goes with the bench, or with its `remove`. */
export function temporary(name) {
  const dir = mkdtempSync(path.join(tmpdir(), `tallyman-bench-${name}-`));
  return { dir, remove: onEnd(() => rmSync(dir, { recursive: true, force: true, maxRetries: 5 })) };
}

/** 130 = interrupted. A second signal does not wait. */
export function endOnSignals() {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      if (ending !== null) process.exit(130);
      process.stderr.write(`\nbench: ${signal}, cleaning up\n`);
      endAll().finally(() => process.exit(130));
    });
  }
}
