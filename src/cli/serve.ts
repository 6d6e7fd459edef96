import process from 'node:process';
import { App } from '../app.js';
import type { FileReport } from '../core/report.js';
import { TallymanError } from '../core/errors.js';
import type { Engine } from '../daemon/engine.js';
import { startHttp } from '../daemon/http.js';
import { Metrics } from '../daemon/metrics.js';
import { loadConfig } from '../config/load.js';
import { PARTS, type Context } from './context.js';
import { drainTimer } from './drain.js';
import { bytes, count, seconds } from './output.js';

/**
 * The daemon: an engine until a signal. SIGHUP validates the new config and, when it is right, lets what runs end and goes on with a new engine; a bad one is
 * reported and the old one stays (SPEC 8).
 */
export async function serve(context: Context, first: App, feedNames: readonly string[] | null): Promise<number> {
  const { interrupt } = context;
  let app = first;
  const metrics = new Metrics();
  let engine: Engine | null = null;
  const http = app.config.daemon.http === false ? null : await startHttp(app.config.daemon.http, { metrics, engine: () => engine, feeds: () => app.config.feeds.map((feed) => feed.name) });
  if (http !== null) app.log.info({ url: http.url }, 'http listens');
  try {
    while (!interrupt.signal.aborted) {
      const feeds = feedNames === null ? app.config.feeds : feedNames.map((name) => app.feed(name));
      const stop = new AbortController();
      const next: { app: App | null } = { app: null };
      const forward = (): void => stop.abort();
      const reload = (): void => {
        const loaded = reloadConfig(context, app);
        if (loaded === null) return;
        next.app = loaded;
        stop.abort();
      };
      interrupt.signal.addEventListener('abort', forward, { once: true });
      process.on('SIGHUP', reload);
      const drain = drainTimer(app, stop.signal);
      try {
        const running = app;
        engine = await running.engine({ feeds, actor: 'daemon', once: false, onReport: (report) => tell(running, metrics, report) });
        app.log.info({ feeds: feeds.map((feed) => feed.name), data_dir: app.dataDir, pid: process.pid }, 'watching');
        await engine.runDaemon(stop.signal);
      } finally {
        drain.clear();
        process.off('SIGHUP', reload);
        interrupt.signal.removeEventListener('abort', forward);
      }
      if (next.app !== null) {
        await app.close();
        app = next.app;
        app.log.info({}, 'goes on with the new config');
      }
    }
    app.log.info({}, 'stopped: nothing is left half done');
    return 0;
  } finally {
    await http?.close();
    if (app !== first) await app.close();
  }
}

/** null = the old config stays. */
function reloadConfig(context: Context, app: App): App | null {
  try {
    const { config } = loadConfig({ ...(context.options.config === undefined ? {} : { path: context.options.config }), env: process.env, cwd: process.cwd(), parts: PARTS });
    if (config.dataDir !== app.dataDir) throw new TallymanError('CONFIG_INVALID', 'data_dir cannot change while tallyman runs', { fix: 'Stop it and start it again.' });
    return new App(config, app.log);
  } catch (error) {
    const known = error instanceof TallymanError ? error : new TallymanError('INTERNAL', String(error));
    app.log.error({ code: known.code, fix: known.fix }, `the new config is not taken, the old one stays: ${known.message}`);
    return null;
  }
}

function tell(app: App, metrics: Metrics, report: FileReport): void {
  metrics.file(report);
  const { rows } = report;
  const fields = { feed: report.feed, file_id: report.file_id, path: report.path, state: report.state, rows, code: report.error?.code };
  if (report.error !== null) app.log.error({ ...fields, fix: report.error.fix }, `${report.path}: ${report.state}: ${report.error.message}`);
  else if (report.state === 'loaded') app.log.info(fields, `${report.path}: loaded ${count(rows.loaded)} of ${count(rows.read)} rows, ${count(rows.quarantined)} quarantined, ${bytes(report.size)} in ${seconds(report.seconds.load)}`);
  else app.log.info(fields, `${report.path}: ${report.state}${report.duplicate_of === null ? '' : ` of ${report.duplicate_of}`}`);
}
