import type { TallymanError } from '../core/errors.js';
import type { FeedSpec } from '../core/feed.js';
import type { FileEntry, Ledger } from '../core/ledger.js';
import type { Log } from './log.js';
import { Pause } from './pause.js';

/** Entries fetched from the ledger at a time; a queue of 1,000,000 stays in SQLite. */
const FETCH = 64;

/** How one piece of work came out, as far as the loop must know. */
export type WorkOutcome =
  | { readonly kind: 'done' }
  /** The attempt failed and the file has more: it comes back when its backoff has run out (in `run --once`: in the next run). */
  | { readonly kind: 'retry' }
  /** Waits for another entry, or for the file to settle again: left alone until something ends or the path is discovered again. */
  | { readonly kind: 'aside' }
  | { readonly kind: 'pause-database'; readonly error: TallymanError }
  | { readonly kind: 'pause-feed'; readonly error: TallymanError };

interface Lane {
  readonly feed: FeedSpec;
  readonly queue: FileEntry[];
  readonly pause: Pause;
  /** Left alone until something ends in this feed. */
  readonly aside: Set<number>;
  running: number;
  /** The ledger had nothing more for this lane; reset by anything that may have brought work. */
  dry: boolean;
}

/**
 * Shares `concurrency` slots fairly between the feeds: one lane a feed, taken in turn. Two versions of one path are never worked on at the same
 * time, a snapshot feed runs one file at a time, and a file at which the process died runs alone.
 */
export class WorkLoop {
  readonly #lanes: Lane[];
  readonly #ledger: Ledger;
  readonly #log: Log;
  readonly #concurrency: number;
  readonly #ignoreBackoff: boolean;
  readonly #work: (entry: FileEntry, feed: FeedSpec) => Promise<WorkOutcome>;
  readonly #databasePause = new Pause(1_000, 60_000);
  readonly #busyPaths = new Set<string>();
  readonly #busyIds = new Set<number>();
  /** In `run --once` an entry is tried once: what failed here is not taken again. */
  readonly #tried: Set<number> | null;
  #alone = false;
  #turn = 0;
  #wake: (() => void) | null = null;
  #woken = false;

  constructor(parts: {
    readonly feeds: readonly FeedSpec[];
    readonly ledger: Ledger;
    readonly log: Log;
    readonly concurrency: number;
    /** `run --once`: backoffs that are pending are tried now, and each entry is tried once. */
    readonly once: boolean;
    readonly work: (entry: FileEntry, feed: FeedSpec) => Promise<WorkOutcome>;
  }) {
    this.#lanes = parts.feeds.map((feed) => ({ feed, queue: [], pause: new Pause(1_000, 60_000), aside: new Set(), running: 0, dry: false }));
    this.#ledger = parts.ledger;
    this.#log = parts.log;
    this.#concurrency = parts.concurrency;
    this.#ignoreBackoff = parts.once;
    this.#tried = parts.once ? new Set() : null;
    this.#work = parts.work;
  }

  /** The database's trouble, or null. */
  get databaseError(): TallymanError | null {
    return this.#databasePause.error;
  }

  feedError(name: string): TallymanError | null {
    return this.#lanes.find((lane) => lane.feed.name === name)?.pause.error ?? null;
  }

  get running(): number {
    return this.#busyIds.size;
  }

  isBusy(fileId: number): boolean {
    return this.#busyIds.has(fileId);
  }

  /** New work may be there: an entry was discovered, a request was carried out. */
  notify(feed: string | null): void {
    for (const lane of this.#lanes) {
      if (feed !== null && lane.feed.name !== feed) continue;
      lane.dry = false;
      lane.aside.clear();
    }
    this.#stir();
  }

  /** Tries what is paused now (a new config, an operator's request). */
  resume(): void {
    this.#databasePause.end();
    for (const lane of this.#lanes) lane.pause.end();
    this.notify(null);
  }

  /**
   * Works until the signal (daemon), or until nothing is left that can be done now and `more()` is false (once). What runs when the signal comes is
   * waited for.
   */
  async run(signal: AbortSignal, more: () => boolean): Promise<void> {
    const running = new Set<Promise<void>>();
    const stir = (): void => this.#stir();
    signal.addEventListener('abort', stir);
    try {
      for (;;) {
        this.#woken = false;
        while (!signal.aborted && running.size < this.#concurrency && !this.#alone) {
          const next = await this.#next(running.size === 0);
          if (next === null) break;
          const task = this.#run(next.lane, next.entry).finally(() => {
            running.delete(task);
            this.#stir();
          });
          running.add(task);
        }
        if (signal.aborted && running.size === 0) return;
        const stirred = this.#stirred();
        if (running.size === 0 && !stirred && !more() && this.#ignoreBackoff && this.#idle()) return;
        if (!stirred) await this.#sleep(this.#nextTryMs());
      }
    } finally {
      signal.removeEventListener('abort', stir);
    }
  }

  /** Nothing to do now in any lane that is not paused; in once mode a pause of a few tries ends the run instead of waiting for ever. */
  #idle(): boolean {
    const gaveUp = (pause: Pause): boolean => pause.error !== null && pause.failures >= 3;
    if (this.#databasePause.error !== null) return gaveUp(this.#databasePause);
    return this.#lanes.every((lane) => gaveUp(lane.pause) || (lane.pause.error === null && lane.dry && lane.queue.length === 0));
  }

  #nextTryMs(): number {
    const pauses = [this.#databasePause, ...this.#lanes.map((lane) => lane.pause)].filter((pause) => pause.error !== null).map((pause) => pause.leftMs);
    // Backoffs of single files live in the ledger: look once a second.
    return Math.max(1, Math.min(1_000, ...pauses));
  }

  async #next(idle: boolean): Promise<{ lane: Lane; entry: FileEntry } | null> {
    if (this.#databasePause.leftMs > 0) return null;
    for (let i = 0; i < this.#lanes.length; i++) {
      const lane = this.#lanes[(this.#turn + i) % this.#lanes.length]!;
      if (lane.pause.leftMs > 0 || (lane.feed.target.mode === 'replace_all' && lane.running > 0)) continue;
      // While the database or feed is on trial after a pause, one file tries first.
      if ((this.#databasePause.error !== null || lane.pause.error !== null) && !idle) continue;
      if (lane.queue.length === 0 && !lane.dry) await this.#fetch(lane);
      const at = lane.queue.findIndex((entry) => !this.#busyPaths.has(pathKey(entry)) && (entry.deaths.count === 0 || idle));
      if (at < 0) continue;
      const [entry] = lane.queue.splice(at, 1);
      this.#turn = (this.#turn + i + 1) % this.#lanes.length;
      return { lane, entry: entry! };
    }
    return null;
  }

  async #fetch(lane: Lane): Promise<void> {
    // Enough to see past those that are busy or set aside.
    const skip = this.#busyIds.size + lane.aside.size + (this.#tried?.size ?? 0);
    const found = await this.#ledger.waiting(lane.feed.name, FETCH + skip, { ignoreBackoff: this.#ignoreBackoff, newestFirst: lane.feed.target.mode === 'replace_all' });
    const fresh = found.filter((entry) => !this.#busyIds.has(entry.fileId) && !lane.aside.has(entry.fileId) && this.#tried?.has(entry.fileId) !== true);
    lane.queue.push(...fresh);
    lane.dry = fresh.length === 0;
  }

  async #run(lane: Lane, entry: FileEntry): Promise<void> {
    const key = pathKey(entry);
    this.#busyPaths.add(key);
    this.#busyIds.add(entry.fileId);
    lane.running++;
    this.#alone = entry.deaths.count > 0;
    try {
      this.#settleOutcome(lane, entry, await this.#work(entry, lane.feed));
    } finally {
      lane.running--;
      this.#alone = false;
      this.#busyPaths.delete(key);
      this.#busyIds.delete(entry.fileId);
    }
  }

  #settleOutcome(lane: Lane, entry: FileEntry, outcome: WorkOutcome): void {
    switch (outcome.kind) {
      case 'retry':
      case 'done':
        if (outcome.kind === 'retry') this.#tried?.add(entry.fileId);
        if (this.#databasePause.end()) this.#log.info({}, 'the database is back');
        if (lane.pause.end()) this.#log.info({ feed: lane.feed.name }, 'the feed goes on');
        // An end may free those that waited for it and bring back its duplicates.
        lane.aside.clear();
        lane.dry = false;
        return;
      case 'aside':
        lane.aside.add(entry.fileId);
        lane.dry = false;
        return;
      case 'pause-database':
        this.#pause(this.#databasePause, outcome.error, {});
        lane.queue.unshift(entry);
        return;
      case 'pause-feed':
        this.#pause(lane.pause, outcome.error, { feed: lane.feed.name });
        lane.queue.unshift(entry);
    }
  }

  #pause(pause: Pause, error: TallymanError, fields: object): void {
    if (pause.begin(error)) this.#log.error({ ...fields, code: error.code, fix: error.fix }, error.message);
  }

  #stirred(): boolean {
    return this.#woken;
  }

  #stir(): void {
    this.#woken = true;
    this.#wake?.();
  }

  async #sleep(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#wake = null;
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#wake = done;
    });
    // Backoffs may have run out meanwhile.
    if (!this.#ignoreBackoff) for (const lane of this.#lanes) lane.dry = false;
  }
}

const pathKey = (entry: FileEntry): string => `${entry.feed}\0${entry.file.path}`;
