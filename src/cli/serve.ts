import process from 'node:process';
import { App } from '../app.js';
import type { Log } from '../core/log.js';
import type { FileReport } from '../core/report.js';
import { TallymanError } from '../core/errors.js';
import type { Engine } from '../daemon/engine.js';
import { renamedFeeds } from '../flow/renamed-feeds.js';
import { startHttp } from '../server/http.js';
import { Metrics } from '../daemon/metrics.js';
import { loadConfig } from '../config/load-config.js';
import { PARTS, type Context } from './context.js';
import { drainTimer } from './drain.js';
import { bytes, count, seconds } from './print/output.js';

/**
 * The daemon: an engine until a signal. SIGHUP validates the new config and, when it is right, lets what runs end and
 * goes on with a new engine; a bad one is reported and the old one stays (SPEC 8).
 */
export async function serve(context: Context, first: App, feedNames: readonly string[] | null): Promise<number> {
  const { interrupt } = context;
  let app = first;
  const next: { app: App | null } = { app: null };
  let stop = new AbortController();
  let engine: Engine | null = null;
  const forward = (): void => stop.abort();
  // One after the other, and for as long as we run: without a listener SIGHUP would end the process.
  let reloading = Promise.resolve();
  const reload = (): void => {
    reloading = reloading.then(async () => {
      const loaded = await reloadConfig(context, app, feedNames);
      if (loaded === null) return;
      next.app = loaded;
      stop.abort();
    });
  };
  const metrics = new Metrics();
  first.events.on('file', (report) => {
    metrics.file(report);
    tell(first.log, report);
  });
  const http =
    app.config.daemon.http === false
      ? null
      : await startHttp(app.config.daemon.http, {
          metrics,
          engine: () => engine,
          feeds: () => app.config.feeds.map((feed) => feed.name),
        });
  if (http !== null) app.log.info({ url: http.url }, 'http listens');
  interrupt.signal.addEventListener('abort', forward);
  process.on('SIGHUP', reload);
  try {
    while (!interrupt.signal.aborted) {
      stop = new AbortController();
      if (next.app !== null) {
        await app.close();
        [app, next.app] = [next.app, null];
        app.log.info({}, 'goes on with the new config');
      }
      const running = app;
      const feeds = feedNames === null ? running.config.feeds : feedNames.map((name) => running.feed(name));
      const drain = drainTimer(running, stop.signal);
      try {
        engine = await running.engine({
          feeds,
          actor: 'daemon',
          once: false,
        });
        running.log.info(
          { feeds: feeds.map((feed) => feed.name), data_dir: running.dataDir, pid: process.pid },
          'watching',
        );
        await engine.runDaemon(stop.signal);
      } finally {
        drain.clear();
      }
      await reloading;
    }
    app.log.info({}, 'stopped: nothing is left half done');
    return 0;
  } finally {
    process.off('SIGHUP', reload);
    interrupt.signal.removeEventListener('abort', forward);
    await http?.close();
    if (app !== first) await app.close();
  }
}

/** null = the old config stays. Never rejects. */
async function reloadConfig(context: Context, app: App, feedNames: readonly string[] | null): Promise<App | null> {
  try {
    const { config } = loadConfig({
      ...(context.options.config === undefined ? {} : { path: context.options.config }),
      env: process.env,
      cwd: process.cwd(),
      parts: PARTS,
    });
    if (config.dataDir !== app.dataDir)
      throw new TallymanError('CONFIG_INVALID', 'data_dir cannot change while tallyman runs', {
        fix: 'Stop it and start it again.',
      });
    renamedFeeds(config.feeds, await app.ledger().feeds());
    const loaded = new App(config, app.log, app.events);
    for (const name of feedNames ?? []) loaded.feed(name);
    return loaded;
  } catch (error) {
    const known = error instanceof TallymanError ? error : new TallymanError('INTERNAL', String(error));
    app.log.error(
      { code: known.code, fix: known.fix },
      `the new config is not taken, the old one stays: ${known.message}`,
    );
    return null;
  }
}

function tell(log: Log, report: FileReport): void {
  const { rows } = report;
  const fields = {
    feed: report.feed,
    file_id: report.file_id,
    path: report.path,
    state: report.state,
    rows,
    code: report.error?.code,
  };
  if (report.error !== null)
    log.error({ ...fields, fix: report.error.fix }, `${report.path}: ${report.state}: ${report.error.message}`);
  else if (report.state === 'loaded')
    log.info(
      fields,
      `${report.path}: loaded ${count(rows.loaded)} of ${count(rows.read)} rows, ${count(rows.quarantined)} quarantined, ${bytes(report.size)} in ${seconds(report.seconds.load)}`,
    );
  else
    log.info(
      fields,
      `${report.path}: ${report.state}${report.duplicate_of === null ? '' : ` of ${report.duplicate_of}`}`,
    );
}
