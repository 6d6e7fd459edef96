// `TALLYMAN_BENCH_LAG=FILE node --import bench/lag-hook.mjs dist/main.js run ...`: counts the lag of the main thread's
// event loop with Node's own monitor. On SIGUSR2 it writes { p50, p99, max, count } to FILE, milliseconds since the
// last signal, and begins again. Workers inherit --import, so it looks where it is.
import { renameSync, writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import process from 'node:process';
import { isMainThread } from 'node:worker_threads';

const file = process.env.TALLYMAN_BENCH_LAG;
/**
 * Milliseconds between two looks. The monitor records the whole interval, so an idle loop shows this much: it is taken
 * off.
 */
const RESOLUTION = 10;

if (isMainThread && file !== undefined) {
  const monitor = monitorEventLoopDelay({ resolution: RESOLUTION });
  monitor.enable();
  const lag = (nanoseconds) => Math.max(0, nanoseconds / 1e6 - RESOLUTION);
  process.on('SIGUSR2', () => {
    const told =
      monitor.count === 0
        ? { p50: 0, p99: 0, max: 0, count: 0 }
        : {
            p50: lag(monitor.percentile(50)),
            p99: lag(monitor.percentile(99)),
            max: lag(monitor.max),
            count: monitor.count,
          };
    writeFileSync(`${file}.tmp`, JSON.stringify(told));
    renameSync(`${file}.tmp`, file);
    monitor.reset();
  });
}
