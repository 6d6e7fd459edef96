import { setMaxListeners } from 'node:events';
import { messageOf, TallymanError } from '../core/errors.js';
import type { FeedSpec } from '../core/feed/feed.js';
import type { FileEntry } from '../core/entry.js';
import type { Source } from '../core/source.js';
import { backoff } from '../base/backoff.js';
import { until, wait } from '../base/wait.js';
import { TroubleNotes, troublesOf, unlistedError } from '../flow/feed-troubles.js';
import { renamedFeeds } from '../flow/renamed-feeds.js';
import type { EngineParts, Exchange, OnceResult } from './engine-parts.js';
import { FeedWatcher, type FeedHealth } from './feed-watcher.js';
import { FeedsAtWork } from './feeds-at-work.js';
import { Outbox } from '../flow/outbox.js';
import { landFile, processFile } from '../flow/process-file.js';
import { isNamed, standsAs } from '../core/entry.js';
import type { FlowParts } from '../flow/flow-parts.js';
import { compareAgain, isAnotherServer, reconcileStores, settleNames, takeOver } from '../flow/recover.js';
import { carryOutRequests } from '../flow/carry-out-requests.js';
import { SameTrouble } from '../flow/same-trouble.js';
import { ServerWatch } from './server-watch.js';
import type { WorkOutcome } from '../flow/outcome.js';
import { WorkLoop } from './work-loop.js';

/** How often the ledger is asked for requests of the CLI, milliseconds. */
const REQUESTS_MS = 500;
/** Tries of `run --once` to reach the database before it ends with exit code 5. */
const ONCE_TRIES = 3;

/** Waits on the one signal that are no leak: of the engine itself, and of each feed. Beyond, Node warns. */
const WAITS = { engine: 20, feed: 8 };

/** Pause of `run --once` before it looks again at files that changed while they were worked on. */
const CHANGED_MS = 100;

/** All feeds at work: watchers find, the work loop loads, requests are carried out, the outbox follows. */
export class Engine {
  #parts: EngineParts;
  readonly #feeds: FeedsAtWork;
  /** What an attempt is made with; one that began keeps what it began with. */
  #process: FlowParts;
  #loop: WorkLoop;
  readonly #serverWatch: ServerWatch;
  #databaseError: TallymanError | null = null;
  readonly #once: boolean;
  /** `run --once`: files that turned out to be other versions while they were worked on; file_id -> feed. */
  readonly #changed = new Map<number, string>();
  #reconciled = false;
  readonly #notes: TroubleNotes;
  readonly #sameTrouble = new SameTrouble();
  /** Names of feeds of later configs are brought to both stores. */
  #settling: Promise<unknown> = Promise.resolve();

  constructor(parts: EngineParts, once: boolean) {
    this.#parts = parts;
    this.#once = once;
    this.#notes = new TroubleNotes(parts.ledger);
    const onDiscovered = (feed: FeedSpec) => (): void => this.#loop.notify(feed.name);
    this.#feeds = new FeedsAtWork(
      {
        log: parts.log,
        source: (feed) => parts.source(feed),
        watcher: (feed, source) =>
          new FeedWatcher({
            feed,
            source,
            ledger: parts.ledger,
            log: parts.log,
            actor: parts.actor,
            onFound: () => parts.found(),
            onDiscovered: onDiscovered(feed),
            onWait: ({ settling, timeoutMs }) =>
              parts.events.tell('waiting', { feed: feed.name, files: settling, timeoutMs }),
          }),
      },
      parts.feeds,
    );
    this.#process = this.#flowParts();
    this.#serverWatch = new ServerWatch({
      log: parts.log,
      isAnotherServer: async () => {
        const isOther = await isAnotherServer(this.#process);
        // Of another one nothing is loaded before it was compared.
        if (!isOther) this.#loop.databaseAnswers();
        return isOther;
      },
      compareAgain: () => compareAgain(this.#process),
      ready: () => this.#reconciled,
      running: () => this.#loop.running,
      goOn: () => this.#loop.resume(),
    });
    this.#loop = new WorkLoop({
      feeds: parts.feeds,
      ledger: parts.ledger,
      log: parts.log,
      concurrency: parts.concurrency,
      once,
      isRemote: (entry) => this.#process.source(entry).localPath(standsAs(entry).path) === null,
      land: (entry, feed) => landFile(this.#process, entry, feed),
      work: (entry, feed) => this.#work(entry, feed),
    });
  }

  #flowParts(): FlowParts {
    const sources = this.#feeds.sources;
    return {
      ...this.#parts,
      sameTrouble: this.#sameTrouble,
      source: (entry) => this.#sourceOf(entry, sources),
      load: (job, onContent) => this.#parts.load(job, onContent),
      lookAgain: (entry) => this.#lookAgain(entry),
      reported: async (fileId) => {
        const [report] = await this.#parts.ledger.files({ ids: [fileId], limit: 1 });
        if (report !== undefined) this.#parts.events.tell('file', report);
      },
    };
  }

  /** For `load`: one entry down the line, without watcher or loop. */
  get flowParts(): FlowParts {
    return this.#process;
  }

  get databaseError(): TallymanError | null {
    return this.#databaseError ?? this.#serverWatch.hold ?? this.#loop.databaseError;
  }

  /** Ready to work: the stores agree and the database answers. */
  get ready(): boolean {
    return this.#reconciled && this.databaseError === null;
  }

  get running(): number {
    return this.#loop.running;
  }

  /** What settled files wait for (a marker, a checksum file), for people: some of each feed. */
  get waitingFor(): readonly string[] {
    return this.#feeds.watchers.flatMap((watcher) => watcher.waitingFor);
  }

  health(feed: string): (FeedHealth & { readonly stopped: TallymanError | null }) | null {
    const watcher = this.#feeds.watcher(feed);
    return watcher === null ? null : { ...watcher.health, stopped: this.#loop.feedError(feed) };
  }

  /** Until the signal. Resolves when what ran has ended. */
  async runDaemon(signal: AbortSignal): Promise<void> {
    this.#expectWaits(signal);
    await this.#parts.landing.start(this.#parts.ledger);
    const outbox = this.#outbox();
    // Under a new name nothing may be discovered before the old one's entries have come over.
    const { configured, ledger } = this.#parts;
    if (renamedFeeds(configured, await ledger.feeds()).length > 0 && !(await this.#reconcile(Infinity, signal)))
      return await this.#close();
    this.#feeds.watch(signal);
    await Promise.all([
      this.#feeds.watched(signal),
      this.#workWhenReconciled(signal),
      this.#requests(signal),
      this.#serverWatch.run(signal),
      outbox.run(signal),
    ]);
    await this.#close();
  }

  /**
   * A new config for the running engine. Feeds that are the same are not touched; what is under way ends with the
   * config it began with. Never more than one at a time.
   */
  async exchange(next: Exchange, signal: AbortSignal): Promise<void> {
    const wanted = new Map(next.feeds.map((feed) => [feed.name, feed]));
    const before = this.#feeds.specs;
    const leaving = [...before.keys()].filter((name) => !wanted.has(name) || next.changed.has(name));
    await Promise.all(leaving.map((name) => this.#feeds.take(name)));
    // Entries and receipts of a feed that is renamed come over when nothing works under its old name any more.
    const renamed = renamedFeeds(next.configured, await this.#parts.ledger.feeds());
    await until(this.#loop.ended(new Set(renamed.map(({ from }) => from))), signal);
    if (signal.aborted) return;
    const isOther = next.receipts !== this.#parts.receipts;
    this.#parts = { ...this.#parts, ...next };
    for (const [name, feed] of wanted) if (leaving.includes(name) || !before.has(name)) this.#feeds.put(feed);
    this.#process = this.#flowParts();
    this.#expectWaits(signal);
    const settled = this.#settleNames(signal);
    if (renamed.length > 0) await until(settled, signal);
    else this.#settling = Promise.all([this.#settling, settled]);
    this.#loop.exchange(next.feeds, next.changed);
    // From here on nothing begins with what was before.
    this.#feeds.closeTaken(this.#loop.ended(new Set(leaving)));
    this.#feeds.watch(signal);
    if (isOther) this.#loop.resume();
  }

  /** Until it is done or the signal comes; never throws. */
  async #settleNames(signal: AbortSignal): Promise<void> {
    for (let i = 1; !signal.aborted; i++) {
      try {
        return await settleNames(this.#process);
      } catch (error) {
        const { code, message, fix } = TallymanError.of(error);
        if (i === 1) this.#parts.log.error({ code, fix }, `the names of feeds are not settled yet: ${message}`);
        await wait(backoff(i, { baseMs: 500, maxMs: 30_000 }), signal);
      }
    }
  }

  /** Node takes an eleventh wait for a leak and says so on stderr. */
  #expectWaits(signal: AbortSignal): void {
    setMaxListeners(WAITS.engine + WAITS.feed * this.#feeds.watchers.length, signal);
  }

  /** Everything that is there now. */
  async runOnce(settleTimeoutMs: number, signal: AbortSignal): Promise<OnceResult> {
    return await this.#pass(signal, true, async (errors) => {
      const end = performance.now() + settleTimeoutMs;
      const waiting = new Map<string, number>();
      let feeds: ReadonlySet<string> = new Set(this.#feeds.specs.keys());
      // Again for the feeds in which a file changed while it was worked on, as long as the time to settle lasts.
      do {
        this.#changed.clear();
        let watching = feeds.size;
        const watchers = [...feeds].map(async (feed) => {
          try {
            const left = Math.max(0, end - performance.now());
            waiting.set(feed, (await this.#feeds.watcher(feed)?.once(left, signal)) ?? 0);
          } catch (error) {
            if (!signal.aborted) errors.push(TallymanError.of(error));
          } finally {
            watching--;
            this.#loop.notify(null);
          }
        });
        await Promise.all([...watchers, this.#loop.run(signal, () => watching > 0)]);
        if (!signal.aborted) await this.#outbox().drain(signal);
        feeds = new Set(this.#changed.values());
        if (feeds.size > 0) await wait(CHANGED_MS, signal);
      } while (feeds.size > 0 && errors.length === 0 && !signal.aborted && performance.now() < end);
      return [...waiting.values()].reduce((a, b) => a + b, this.#changed.size);
    });
  }

  /** What operators asked for and what else waits in these feeds; nothing is listed, so nothing new is found. */
  async runRequests(signal: AbortSignal): Promise<OnceResult> {
    return await this.#pass(signal, false, async () => {
      await this.#loop.run(signal, () => false);
      if (!signal.aborted) await this.#outbox().drain(signal);
      return this.#changed.size;
    });
  }

  /** Stores agreed and requests carried out, then `work`, which gives how many files still wait. `lists`: it lists. */
  async #pass(
    signal: AbortSignal,
    lists: boolean,
    work: (errors: TallymanError[]) => Promise<number>,
  ): Promise<OnceResult> {
    this.#expectWaits(signal);
    await this.#parts.landing.start(this.#parts.ledger);
    const errors: TallymanError[] = [];
    if (!(await this.#reconcile(ONCE_TRIES, signal))) {
      await this.#close();
      return { waiting: 0, notTaken: 0, errors: this.#databaseError === null ? [] : [this.#databaseError] };
    }
    await this.#carryOut();
    const waiting = await work(errors);
    for (const error of [this.#loop.databaseError, ...this.#parts.feeds.map((feed) => this.#loop.feedError(feed.name))])
      if (error !== null) errors.push(error);
    const notTaken = lists ? await this.#passedOver(errors) : 0;
    await this.#close();
    return { waiting, notTaken, errors };
  }

  /** Notes what was passed over, adds the folders among it to the errors. Returns how many files it was. */
  async #passedOver(errors: TallymanError[]): Promise<number> {
    await this.#noteTroubles();
    for (const feed of this.#feeds.specs.keys()) {
      const error = unlistedError(feed, this.health(feed)?.unlisted);
      if (error !== null) errors.push(error);
    }
    return this.#feeds.watchers.reduce((sum, watcher) => sum + watcher.health.skipped.count, 0);
  }

  /** What other processes may want to know of the feeds. */
  async #noteTroubles(): Promise<void> {
    for (const feed of this.#feeds.specs.keys()) {
      const state = this.health(feed);
      if (state !== null) await this.#notes.note(feed, troublesOf(state));
    }
  }

  async #work(entry: FileEntry, feed: FeedSpec): Promise<WorkOutcome> {
    const { hold } = this.#serverWatch;
    if (hold !== null) return { kind: 'pause-database', error: hold };
    return await processFile(this.#process, entry, feed);
  }

  #outbox(): Outbox {
    return new Outbox({
      ledger: this.#parts.ledger,
      log: this.#parts.log,
      source: (entry: FileEntry) => this.#process.source(entry),
      lookAgain: (entry: FileEntry) => this.#lookAgain(entry),
    });
  }

  #lookAgain(entry: FileEntry): void {
    if (this.#once) this.#changed.set(entry.fileId, entry.feed);
    this.#feeds.watcher(entry.feed)?.look(entry.file.path);
  }

  #sourceOf(entry: FileEntry, sources: ReadonlyMap<string, Source>): Source {
    if (isNamed(entry)) return this.#parts.direct;
    const source = sources.get(entry.feed);
    if (source === undefined) throw new TallymanError('UNKNOWN_FEED', `feed ${entry.feed} is not in the config`);
    return source;
  }

  async #workWhenReconciled(signal: AbortSignal): Promise<void> {
    if (await this.#reconcile(Infinity, signal)) await this.#loop.run(signal, () => true);
  }

  /** False when the signal came or the tries were used up; the reason is in databaseError. */
  async #reconcile(tries: number, signal: AbortSignal): Promise<boolean> {
    for (let i = 1; !signal.aborted; i++) {
      try {
        await reconcileStores(this.#process, this.#feeds.specs);
        if (this.#databaseError !== null) this.#parts.log.info({}, 'the database is back');
        this.#databaseError = null;
        this.#reconciled = true;
        return true;
      } catch (error) {
        const known = TallymanError.of(error);
        if (this.#databaseError?.message !== known.message)
          this.#parts.log.error({ code: known.code, fix: known.fix }, known.message);
        this.#databaseError = known;
        // Only what comes back by itself is waited for; a wrong database stays wrong until a person acts, and is asked
        // for again all the same.
        if (known.blame !== 'pause' && known.blame !== 'feed') throw known;
        if (i >= tries || (known.blame === 'feed' && tries !== Infinity)) return false;
        await wait(backoff(i, { baseMs: 500, maxMs: 30_000 }), signal);
      }
    }
    return false;
  }

  async #requests(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#noteTroubles();
        if (this.#reconciled) await this.#carryOut();
        if (this.#reconciled)
          for (const feed of await takeOver(this.#process, this.#feeds.specs)) this.#loop.notify(feed);
      } catch (error) {
        this.#parts.log.error({}, `requests wait: ${messageOf(error)}`);
        await wait(5_000, signal);
      }
      await wait(REQUESTS_MS, signal);
    }
  }

  async #carryOut(): Promise<void> {
    await carryOutRequests({
      ledger: this.#parts.ledger,
      receipts: this.#parts.receipts,
      host: this.#parts.place.host,
      log: this.#parts.log,
      isBusy: (fileId) => this.#loop.isBusy(fileId),
      target: (feed) => {
        const spec = this.#feeds.specs.get(feed);
        return spec === undefined ? null : `${spec.target.schema}.${spec.target.table}`;
      },
      changed: (feed) => {
        this.#loop.notify(feed);
        this.#feeds.watcher(feed)?.rescan();
      },
    });
  }

  async #close(): Promise<void> {
    await this.#settling;
    await this.#feeds.close();
  }
}
