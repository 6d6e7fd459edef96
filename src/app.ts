import path from 'node:path';
import { isSame } from './config/changes.js';
import type { Config } from './config/config.js';
import type { Engine } from './daemon/engine.js';
import type { EngineOptions, EngineParts } from './daemon/engine-parts.js';
import { Landing } from './flow/landing.js';
import { Events } from './core/events.js';
import type { Log } from './core/log.js';
import { TallymanError } from './core/errors.js';
import type { FeedSpec } from './core/feed/feed.js';
import type { Ledger } from './core/ledger/index.js';
import { DAEMON, type Holder } from './core/ledger/workers.js';
import type { DatabaseSpec } from './core/database.js';
import type { LoadJob, LoadResult } from './core/load.js';
import type { Place } from './core/ledger/place.js';
import type { Source } from './core/source.js';
import type { Receipts } from './core/receipts.js';
import { openDataDir } from './ledger/sqlite/store/data-dir.js';
import { acquireLock, lockHolder, type Lock } from './ledger/sqlite/lock.js';
import { openLedger } from './ledger/sqlite/sqlite-ledger.js';
import type { LoadPool } from './load/pool/load-pool.js';
import { parseDatabaseUrl } from './postgres/connect/url.js';
import { FORMATS, SOURCES } from './registry.js';

/**
 * The parts behind one config, each opened when it is first asked for and closed together. The only file that knows
 * every part. What only some commands need is imported when it is asked for.
 */
export class App {
  readonly log: Log;
  /** What the engine reports. */
  readonly events = new Events();
  #config: Config;
  #ledger: Ledger | null = null;
  #receipts: Receipts | null = null;
  readonly #earlier: Receipts[] = [];
  #database: Promise<DatabaseSpec> | null = null;
  #releaseEmbedded: (() => Promise<void>) | null = null;
  #pool: LoadPool | null = null;
  #landing: Landing | null = null;
  /** Opened to ask for URIs only. */
  readonly #asked = new Map<string, Source>();

  constructor(config: Config, log: Log) {
    this.#config = config;
    this.log = log;
  }

  get config(): Config {
    return this.#config;
  }

  get dataDir(): string {
    return this.config.dataDir;
  }

  feed(name: string): FeedSpec {
    const feed = this.config.feeds.find((candidate) => candidate.name === name);
    if (feed === undefined)
      throw new TallymanError(
        'UNKNOWN_FEED',
        `there is no feed ${name}; the config has: ${this.config.feeds.map((f) => f.name).join(', ')}`,
      );
    return feed;
  }

  /** The feeds of these names, each once; null = all. Throws UNKNOWN_FEED. */
  feeds(names: readonly string[] | null): readonly FeedSpec[] {
    return names === null ? this.config.feeds : [...new Set(names)].map((name) => this.feed(name));
  }

  /** Only the process that holds it works on the feeds. Throws ALREADY_RUNNING and LEDGER_UNUSABLE. */
  lock(): Lock {
    openDataDir(this.dataDir);
    return acquireLock(this.dataDir);
  }

  /** Who works on the feeds now; null = nobody. Not to be asked by whoever holds the lock. */
  holder(): Holder | null {
    return lockHolder(this.dataDir);
  }

  ledger(): Ledger {
    return (this.#ledger ??= openLedger(this.dataDir));
  }

  /** How to reach PostgreSQL; starts the embedded one when the config says so. */
  database(): Promise<DatabaseSpec> {
    return (this.#database ??= this.#openDatabase());
  }

  async receipts(): Promise<Receipts> {
    const { openReceipts } = await import('./postgres/control/receipts.js');
    return (this.#receipts ??= openReceipts(await this.database()));
  }

  /**
   * Another config holds from now on (a daemon's reload), with the same database, perhaps under another password.
   * Earlier receipts stay open until the end: a load that began with them asks them for its outcome.
   */
  async take(config: Config): Promise<{ readonly database: DatabaseSpec; readonly receipts: Receipts }> {
    const { url, password, tls } = this.#config.database;
    const isOther = !isSame([url, password, tls], [config.database.url, config.database.password, config.database.tls]);
    this.#config = config;
    await this.#closeAsked();
    if (isOther && !config.database.embedded) {
      if (this.#receipts !== null) this.#earlier.push(this.#receipts);
      this.#database = this.#receipts = null;
    }
    return { database: await this.database(), receipts: await this.receipts() };
  }

  source(feed: FeedSpec): Source {
    const type = SOURCES.find((candidate) => candidate.type === feed.source.type);
    if (type === undefined) throw new TallymanError('INTERNAL', `no source type ${feed.source.type}`);
    const name = type.connectionOption === null ? undefined : feed.source.options[type.connectionOption];
    const connection = typeof name === 'string' ? this.config.connections.get(name)?.options : undefined;
    return type.open(feed.source, feed.source.options, connection);
  }

  /** Which files we and others who load into the same database both see. */
  get place(): Place {
    return {
      host: this.config.host,
      has: (feed) => this.config.feeds.some(({ name }) => name === feed),
      uri: (feed, path) => this.#uri(feed, path),
    };
  }

  #uri(name: string, path: string): string | null {
    const feed = this.config.feeds.find((candidate) => candidate.name === name);
    if (feed === undefined) return null;
    const source = this.#asked.get(name) ?? this.source(feed);
    this.#asked.set(name, source);
    return source.uri(path);
  }

  async #closeAsked(): Promise<void> {
    const asked = [...this.#asked.values()];
    this.#asked.clear();
    await Promise.all(asked.map((source) => source.close()));
  }

  /** Reads and checks a file in a worker thread; needs no database. */
  async check(job: LoadJob): Promise<LoadResult> {
    return await (await this.#loadPool(1)).check(job);
  }

  /** Remote files come to data_dir/landing. */
  landing(): Landing {
    return (this.#landing ??= new Landing(path.join(this.dataDir, 'landing'), this.config.landing, this.log));
  }

  async engine(options: EngineOptions): Promise<Engine> {
    const { concurrency } = this.config.daemon;
    const pool = await this.#loadPool(concurrency);
    // `run --once` most often finds nothing: a thread then costs more than all else that is done. `load` has its files.
    if (!options.once || options.worker !== undefined) pool.warm();
    const [{ Engine }, { direct }] = await Promise.all([
      import('./daemon/engine.js'),
      import('./sources/local/direct.js'),
    ]);
    const parts: EngineParts = {
      feeds: options.feeds,
      configured: this.config.feeds,
      ledger: this.ledger(),
      receipts: await this.receipts(),
      formats: FORMATS,
      database: await this.database(),
      dataDir: this.dataDir,
      place: this.place,
      concurrency,
      log: this.log,
      actor: options.actor,
      worker: options.worker ?? DAEMON,
      source: (feed) => this.source(feed),
      landing: this.landing(),
      direct,
      found: () => pool.warm(),
      load: (job, onContent) => pool.run(job, onContent),
      events: this.events,
    };
    return new Engine(parts, options.once);
  }

  askLoads(): void {
    this.#pool?.ask();
  }

  /** Rolls back every load under way and stops what is being landed; they end as INTERRUPTED. */
  cancelLoads(): void {
    this.#landing?.cancel();
    this.#pool?.cancelAll();
  }

  /** Closes what was opened; the last process of a data_dir stops the embedded PostgreSQL. */
  async close(): Promise<void> {
    this.#landing?.close();
    await this.#pool?.close();
    await this.#closeAsked();
    for (const receipts of [this.#receipts, ...this.#earlier.splice(0)]) await receipts?.close();
    await this.#ledger?.close();
    await this.#releaseEmbedded?.();
    this.#landing = null;
    this.#pool = this.#receipts = this.#ledger = this.#database = this.#releaseEmbedded = null;
  }

  async #loadPool(size: number): Promise<LoadPool> {
    const { LoadPool } = await import('./load/pool/load-pool.js');
    return (this.#pool ??= new LoadPool({
      size,
      onProgress: (progress) => this.events.tell('progress', progress),
    }));
  }

  async #openDatabase(): Promise<DatabaseSpec> {
    const { url, embedded, password, tls, controlSchema } = this.config.database;
    // One for each load at a time, one for receipts, one to find out what became of a load.
    const sessions = this.config.daemon.concurrency + 2;
    if (embedded) {
      openDataDir(this.dataDir);
      const { startEmbedded } = await import('./postgres/embedded/start.js');
      const server = await startEmbedded(path.resolve(this.dataDir), this.log);
      this.#releaseEmbedded = () => server.release();
      return { ...server.spec, controlSchema, sessions };
    }
    if (url === null) throw new TallymanError('INTERNAL', 'the config has neither database.url nor database.embedded');
    const plain = { ca: tls.ca, cert: tls.cert, key: tls.key?.reveal() ?? null };
    const spec = { ...parseDatabaseUrl(url.reveal(), password?.reveal() ?? null, plain), controlSchema, sessions };
    if (password === null) return spec;
    // Each connection asks for it, and a file may hold another one by then: passwords are exchanged under a daemon.
    return Object.defineProperty(spec, 'password', {
      enumerable: true,
      get: () => {
        password.renew();
        return password.reveal();
      },
    });
  }
}
