// tallyman as the bench runs it: `run --once` measured, or the daemon beside the bench. Every feed has `settle: 0s`.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { onEnd } from './cleanup.mjs';
import { Memory, must } from './measure.mjs';
import { query } from './server.mjs';

/** A feed of local files. columns: [name, type][] or null; the rest goes in as it is. */
export function feed({ dir, pattern, columns = null, format = { type: 'csv' }, limits = { bad_ratio: 0.9 }, ...rest }) {
  const source = { type: 'local', dir, pattern, settle: '0s', ...rest.source };
  return {
    ...rest,
    source,
    format,
    ...(columns === null ? {} : { columns: columns.map(([name, type]) => ({ name, type })) }),
    limits,
  };
}

/** Writes a config into a fresh folder of `bench.work`; returns its folder, its path and `remove`. */
export function workspace(bench, { url, feeds, concurrency = 2, dataDir = null }) {
  const dir = mkdtempSync(path.join(bench.work, 'run-'));
  const config = path.join(dir, 'tallyman.yaml');
  mkdirSync(path.join(dir, 'drop'));
  writeFileSync(
    config,
    JSON.stringify({
      version: 1,
      data_dir: dataDir ?? './data',
      database: { url },
      daemon: { concurrency, http: false },
      feeds,
    }),
  );
  return {
    dir,
    config,
    dataDir: dataDir ?? path.join(dir, 'data'),
    drop: path.join(dir, 'drop'),
    remove: () => rmSync(dir, { recursive: true, force: true, maxRetries: 5 }),
  };
}

/** `run --once`, measured: { seconds, peak, client, server, reports, summary }. `codes`: exit codes that are well. */
export async function runOnce(bench, config, { codes = [0, 3], nodeArgs = [] } = {}) {
  const run = await must(process.execPath, [...nodeArgs, bench.main, 'run', '--once', '--json', '-c', config], {
    codes,
    server: bench.server,
  });
  const lines = run.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  return {
    ...run,
    reports: lines.filter((line) => line.message_type === 'file'),
    summary: lines.find((line) => line.message_type === 'summary'),
  };
}

/**
 * One file into a database that is fresh but for what `prepare` made: { seconds, commit, peak, client, server }, all
 * read rows loaded or refused.
 */
export async function loadOne(bench, { url, file, columns, rows, format, concurrency, more = {} }) {
  const space = workspace(bench, {
    url,
    concurrency,
    feeds: { t: feed({ dir: path.dirname(file), pattern: path.basename(file), columns, format, ...more }) },
  });
  try {
    await query(url, 'checkpoint');
    const run = await runOnce(bench, space.config);
    const [report] = run.reports;
    if (run.reports.length !== 1 || report.state !== 'loaded' || report.rows.read !== rows)
      throw new Error(`tallyman: expected ${rows} rows: ${run.out.slice(0, 3000)}`);
    return {
      seconds: run.seconds,
      commit: report.seconds.load,
      peak: run.peak,
      client: run.client,
      server: run.server,
    };
  } finally {
    space.remove();
  }
}

/**
 * The daemon beside the bench. `stop()` ends it as an operator would (SIGTERM) and returns its exit code; `memory.peak`
 * is its high-water mark.
 */
export function daemon(bench, config, { nodeArgs = [], env = {} } = {}) {
  const startedAt = Date.now();
  const child = spawn(process.execPath, [...nodeArgs, bench.main, 'run', '--json', '-c', config], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  child.stderr.on('data', (chunk) => (log = (log + chunk).slice(-10_000)));
  const exited = new Promise((resolve) => child.once('exit', resolve));
  const memory = new Memory(child.pid);
  const timer = setInterval(() => memory.look(), 25);
  let code = null;
  const stop = onEnd(async () => {
    clearInterval(timer);
    child.kill('SIGTERM');
    const killed = setTimeout(() => child.kill('SIGKILL'), 90_000);
    code = await exited;
    clearTimeout(killed);
  });
  return {
    startedAt,
    pid: child.pid,
    memory,
    child,
    log: () => log,
    /** Fails as soon as the daemon is gone. */
    alive() {
      if (child.exitCode !== null || child.signalCode !== null)
        throw new Error(`tallyman ended with ${child.exitCode ?? child.signalCode}: ${log}`);
    },
    async stop() {
      await stop();
      if (code !== 0) throw new Error(`tallyman ended with ${code}: ${log}`);
    },
  };
}
