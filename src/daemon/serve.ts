import process from 'node:process';
import type { Config } from '../config/config.js';
import { TallymanError } from '../core/errors.js';
import type { Events } from '../core/events.js';
import type { FeedSpec } from '../core/feed/feed.js';
import type { Surroundings } from '../core/ledger/surroundings.js';
import type { Log } from '../core/log.js';
import { renamedFeeds } from '../flow/renamed-feeds.js';
import { drainTimer } from './drain.js';
import type { Engine, EngineOptions } from './engine.js';
import { logFile } from './log-file.js';
import { Metrics } from './metrics.js';

/** The parts behind one config, as far as the daemon asks for them. */
export interface DaemonApp {
  readonly config: Config;
  readonly log: Log;
  readonly dataDir: string;
  readonly events: Events;
  /** The feeds of these names, null = all. Throws UNKNOWN_FEED. */
  feeds(names: readonly string[] | null): readonly FeedSpec[];
  ledger(): Pick<Surroundings, 'feeds'>;
  engine(options: EngineOptions): Promise<RunningEngine>;
  askLoads(): void;
  cancelLoads(): void;
  close(): Promise<void>;
}

/** An engine as far as the daemon runs it and HTTP shows it. */
export type RunningEngine = Pick<Engine, 'runDaemon' | 'databaseError' | 'ready' | 'running' | 'health'>;

/** What HTTP shows of the daemon; it outlives a change of the config. */
export interface DaemonView {
  readonly metrics: Metrics;
  /** null while the daemon starts or changes its config. */
  engine(): RunningEngine | null;
  /** Names of the configured feeds. */
  feeds(): readonly string[];
}

export interface Listening {
  readonly url: string;
  close(): Promise<void>;
}

export interface ServeParts<A extends DaemonApp> {
  /** Closed by the caller; those that come after it are closed here. */
  readonly first: A;
  /** The app of the config as its file is now, with log and events of the first. Throws what is wrong with it. */
  reload(): A;
  /** Calls `reload` whenever somebody asks for the new config. Returns what ends that. */
  onReload(reload: () => void): () => void;
  startHttp(listen: Exclude<Config['daemon']['http'], false>, view: DaemonView): Promise<Listening>;
}

/**
 * The daemon: an engine until the signal. On a reload the new config is validated and, when it is right, what runs ends
 * and a new engine goes on; a bad one is reported and the old one stays. `names`: the feeds that run, null = all.
 */
export async function serve<A extends DaemonApp>(
  parts: ServeParts<A>,
  names: readonly string[] | null,
  signal: AbortSignal,
): Promise<void> {
  const { first } = parts;
  const { log, events } = first;
  let app = first;
  const next: { app: A | null } = { app: null };
  let stop = new AbortController();
  let engine: RunningEngine | null = null;
  const forward = (): void => stop.abort();
  // One after the other, and for as long as we run: without a listener SIGHUP would end the process.
  let reloading = Promise.resolve();
  const endReload = parts.onReload(() => {
    reloading = reloading.then(async () => {
      const loaded = await reloaded(parts, app, names);
      if (loaded === null) return;
      next.app = loaded;
      stop.abort();
    });
  });
  signal.addEventListener('abort', forward);
  let http: Listening | null = null;
  try {
    const metrics = new Metrics();
    events.on('file', (report) => metrics.file(report));
    events.on('file', (report) => logFile(log, report));
    const view = { metrics, engine: () => engine, feeds: () => app.config.feeds.map((feed) => feed.name) };
    if (app.config.daemon.http !== false) http = await parts.startHttp(app.config.daemon.http, view);
    if (http !== null) log.info({ url: http.url }, 'http listens');
    while (!signal.aborted) {
      stop = new AbortController();
      if (next.app !== null) {
        await app.close();
        [app, next.app] = [next.app, null];
        log.info({}, 'goes on with the new config');
      }
      const feeds = app.feeds(names);
      const drain = drainTimer(app, stop.signal);
      try {
        engine = await app.engine({ feeds, actor: 'daemon', once: false });
        const told = { feeds: feeds.map((feed) => feed.name), data_dir: app.dataDir, pid: process.pid };
        log.info(told, 'watching');
        await engine.runDaemon(stop.signal);
      } finally {
        drain.clear();
      }
      await reloading;
    }
    log.info({}, 'stopped: nothing is left half done');
  } finally {
    endReload();
    signal.removeEventListener('abort', forward);
    await http?.close();
    if (app !== first) await app.close();
  }
}

/** null = the old config stays. Never rejects. */
async function reloaded<A extends DaemonApp>(
  parts: ServeParts<A>,
  running: DaemonApp,
  names: readonly string[] | null,
): Promise<A | null> {
  try {
    const app = parts.reload();
    if (app.dataDir !== running.dataDir)
      throw new TallymanError('CONFIG_INVALID', 'data_dir cannot change while tallyman runs', {
        fix: 'Stop it and start it again.',
      });
    renamedFeeds(app.config.feeds, await running.ledger().feeds());
    app.feeds(names);
    return app;
  } catch (error) {
    const known = error instanceof TallymanError ? error : new TallymanError('INTERNAL', String(error));
    running.log.error(
      { code: known.code, fix: known.fix },
      `the new config is not taken, the old one stays: ${known.message}`,
    );
    return null;
  }
}
