import process from 'node:process';
import type { Config } from '../config/config.js';
import { fixedChanges, isSame } from '../config/changes.js';
import { requireSecrets } from '../config/load-config.js';
import { TallymanError } from '../core/errors.js';
import type { Events } from '../core/events.js';
import type { Source } from '../core/source.js';
import { unmatchedCounts } from './unmatched-counts.js';
import type { FeedSpec } from '../core/feed/feed.js';
import type { Surroundings } from '../core/ledger/surroundings.js';
import type { Secret } from '../core/secret.js';
import type { Log } from '../core/log.js';
import { renamedFeeds } from '../flow/renamed-feeds.js';
import { drainTimer } from './drain.js';
import type { Engine } from './engine.js';
import type { EngineOptions, Exchange } from './engine-parts.js';
import { logFile } from './log-file.js';
import { Metrics } from './metrics.js';

/** The parts behind a config, as far as the daemon asks for them. */
export interface DaemonApp {
  /** The one that holds now. */
  readonly config: Config;
  readonly log: Log;
  readonly dataDir: string;
  readonly events: Events;
  /** The feeds of these names, null = all. Throws UNKNOWN_FEED. */
  feeds(names: readonly string[] | null): readonly FeedSpec[];
  ledger(): Pick<Surroundings, 'feeds'>;
  source(feed: FeedSpec): Source;
  engine(options: EngineOptions): Promise<RunningEngine>;
  askLoads(): void;
  cancelLoads(): void;
  /**
   * Another config holds from now on; what differs in it may differ (fixedChanges). Returns how database and receipts
   * are reached.
   */
  take(config: Config): Promise<Pick<Exchange, 'database' | 'receipts'>>;
}

/** An engine as far as the daemon runs it and HTTP shows it. */
export type RunningEngine = Pick<Engine, 'runDaemon' | 'exchange' | 'databaseError' | 'ready' | 'running' | 'health'>;

/** What HTTP shows of the daemon; it outlives a change of the config. */
export interface DaemonView {
  readonly metrics: Metrics;
  /** null while the daemon starts. */
  engine(): RunningEngine | null;
  /** What those who ask must have; it may change. */
  token(): Secret | null;
  /** Names of the configured feeds. */
  feeds(): readonly string[];
  /** Files in local folders that no pattern wants, by feed. Never rejects. */
  unmatched(): Promise<Readonly<Record<string, number>>>;
}

export interface Listening {
  readonly url: string;
  close(): Promise<void>;
}

export interface ServeParts<A extends DaemonApp> {
  /** Closed by the caller. */
  readonly app: A;
  /** The config as its file is now. Throws what is wrong with it. */
  reload(): Config;
  /** Calls `reload` whenever somebody asks for the new config. Returns what ends that. */
  onReload(reload: () => void): () => void;
  /** A new config holds: the log follows it. */
  taken(config: Config): void;
  startHttp(listen: Exclude<Config['daemon']['http'], false>, view: DaemonView): Promise<Listening>;
}

/**
 * The daemon: an engine until the signal. On a reload the new config is validated and, when it is right and changes
 * nothing that a process keeps, the feeds that differ go on with it; a bad one is reported and the old one stays.
 * `names`: the feeds that run, null = all.
 */
export async function serve<A extends DaemonApp>(
  parts: ServeParts<A>,
  names: readonly string[] | null,
  signal: AbortSignal,
): Promise<void> {
  const { app } = parts;
  const { log, events } = app;
  let engine: RunningEngine | null = null;
  const reloads = new Reloads(async () => {
    if (engine !== null && !signal.aborted) await reload(parts, engine, names, signal);
  });
  // For as long as we run: without a listener SIGHUP would end the process.
  const endReload = parts.onReload(() => reloads.ask());
  let http: Listening | null = null;
  try {
    const metrics = new Metrics();
    events.on('file', (report) => metrics.file(report));
    events.on('file', (report) => logFile(log, report));
    const view: DaemonView = {
      metrics,
      engine: () => engine,
      token: () => (app.config.daemon.http === false ? null : app.config.daemon.http.token),
      feeds: () => app.config.feeds.map((feed) => feed.name),
      unmatched: unmatchedCounts(() => app),
    };
    if (app.config.daemon.http !== false) http = await parts.startHttp(app.config.daemon.http, view);
    if (http !== null) log.info({ url: http.url }, 'http listens');
    const feeds = app.feeds(names);
    const drain = drainTimer(app, signal);
    try {
      engine = await app.engine({ feeds, actor: 'daemon', once: false });
      const told = { feeds: feeds.map((feed) => feed.name), data_dir: app.dataDir, pid: process.pid };
      log.info(told, 'watching');
      // What was asked for while it started.
      reloads.start();
      await engine.runDaemon(signal);
    } finally {
      drain.clear();
    }
    await reloads.ended;
    log.info({}, 'stopped: nothing is left half done');
  } finally {
    endReload();
    await http?.close();
  }
}

/** One after the other; however often it is asked meanwhile, the file is read once more. Nothing before start(). */
class Reloads {
  readonly #work: () => Promise<void>;
  #started = false;
  #asked = false;
  #busy = false;
  ended = Promise.resolve();

  constructor(work: () => Promise<void>) {
    this.#work = work;
  }

  ask(): void {
    this.#asked = true;
    if (this.#started && !this.#busy) this.ended = this.#run();
  }

  start(): void {
    this.#started = true;
    if (this.#asked) this.ask();
  }

  async #run(): Promise<void> {
    this.#busy = true;
    // Signals of one moment are one.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#asked) {
      this.#asked = false;
      await this.#work();
    }
    this.#busy = false;
  }
}

/** Never rejects. */
async function reload<A extends DaemonApp>(
  parts: ServeParts<A>,
  engine: RunningEngine,
  names: readonly string[] | null,
  signal: AbortSignal,
): Promise<void> {
  const { log, config: old } = parts.app;
  const say = (what: string, error: unknown): void => {
    const { code, fix, message } = TallymanError.of(error);
    log.error({ code, fix }, `${what}: ${message}`);
  };
  let now: { readonly config: Config; readonly feeds: readonly FeedSpec[] };
  try {
    now = await checked(parts, names);
  } catch (error) {
    return say('the new config is not taken, the old one stays', error);
  }
  const { config, feeds } = now;
  const changed = new Set(config.feeds.filter((feed) => isOther(feed, old, config)).map((feed) => feed.name));
  try {
    const reached = await parts.app.take(config);
    parts.taken(config);
    await engine.exchange({ feeds, configured: config.feeds, changed, ...reached }, signal);
  } catch (error) {
    return say('the new config is taken, but not everything follows it; start tallyman again', error);
  }
  const before = new Set(old.feeds.map(({ name }) => name));
  const after = new Set(config.feeds.map(({ name }) => name));
  const told = {
    changed: [...changed].filter((name) => before.has(name)),
    added: [...changed].filter((name) => !before.has(name)),
    removed: [...before].filter((name) => !after.has(name)),
  };
  log.info(told, 'goes on with the new config');
}

/** The config as its file is now, and its feeds that run. Throws what is wrong with it. */
async function checked<A extends DaemonApp>(
  parts: ServeParts<A>,
  names: readonly string[] | null,
): Promise<{ readonly config: Config; readonly feeds: readonly FeedSpec[] }> {
  const { app } = parts;
  const config = parts.reload();
  const feeds = chosen(config, names);
  requireSecrets(config, { feeds, http: config.daemon.http !== false });
  const fixed = fixedChanges(app.config, config);
  if (fixed.length > 0)
    throw new TallymanError('CONFIG_INVALID', `${fixed.join(', ')} cannot change while tallyman runs`, {
      fix: 'Set it back, or stop tallyman and start it again.',
    });
  renamedFeeds(config.feeds, await app.ledger().feeds());
  return { config, feeds };
}

/** The feeds that run, of a config that does not hold yet. Throws UNKNOWN_FEED. */
function chosen({ feeds }: Config, names: readonly string[] | null): readonly FeedSpec[] {
  const missing = names?.find((name) => !feeds.some((feed) => feed.name === name));
  if (missing !== undefined) throw new TallymanError('UNKNOWN_FEED', `there is no feed ${missing}`);
  return names === null ? feeds : feeds.filter((feed) => names.includes(feed.name));
}

/** Its config is another one, or that of its connection: it may name any, so each counts. */
function isOther(feed: FeedSpec, old: Config, now: Config): boolean {
  const before = old.feeds.find(({ name }) => name === feed.name);
  const used = [...now.connections.keys()].filter((name) => Object.values(feed.source.options).includes(name));
  return (
    before === undefined ||
    !isSame(before, feed) ||
    used.some((name) => !isSame(old.connections.get(name), now.connections.get(name)))
  );
}
