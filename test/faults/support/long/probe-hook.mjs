// `TALLYMAN_LONG_PROBE=FILE node --import .../probe-hook.mjs dist/main.js run`: on SIGUSR2 the daemon's main thread
// writes to FILE the lag of its event loop since the last signal (milliseconds) and what its own heap holds (bytes).
// Workers inherit --import, so it looks where it is.
import { renameSync, writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import process from 'node:process';
import { isMainThread } from 'node:worker_threads';

const file = process.env.TALLYMAN_LONG_PROBE;
/**
 * Milliseconds between two looks. The monitor records the whole interval, so an idle loop shows this much: it is taken
 * off.
 */
const RESOLUTION = 10;

if (isMainThread && file !== undefined) {
  const monitor = monitorEventLoopDelay({ resolution: RESOLUTION });
  monitor.enable();
  process.on('SIGUSR2', () => {
    const lag =
      monitor.count === 0
        ? { p99: 0, max: 0 }
        : {
            p99: Math.max(0, monitor.percentile(99) / 1e6 - RESOLUTION),
            max: Math.max(0, monitor.max / 1e6 - RESOLUTION),
          };
    const { heapUsed, external } = process.memoryUsage();
    writeFileSync(`${file}.tmp`, JSON.stringify({ ...lag, heapUsed, external }));
    renameSync(`${file}.tmp`, file);
    monitor.reset();
  });
}
