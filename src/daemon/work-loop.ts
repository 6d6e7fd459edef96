import type { TallymanError } from '../core/errors.js';
import type { FeedSpec } from '../core/feed/feed.js';
import type { FileEntry } from '../core/entry.js';
import type { Queue } from '../core/ledger/queue.js';
import { gaveUp, hasRoom, isIdle, Lane, take, type Capacity } from './lane.js';
import type { Log } from '../core/log.js';
import type { WorkOutcome } from '../flow/outcome.js';
import { Pause } from './pause.js';
import { Wakeable } from '../base/wait.js';

/** Entries fetched from the ledger at a time; a queue of 1,000,000 stays in SQLite. */
const FETCH = 128;

/**
 * What an entry needs next: its bytes brought here, or its load. They take turns of their own, so that a slow line
 * holds up no load.
 */
type Step = 'land' | 'load';

export interface WorkLoopParts {
  readonly feeds: readonly FeedSpec[];
  readonly ledger: Pick<Queue, 'waiting'>;
  readonly log: Log;
  readonly concurrency: number;
  /** `run --once`: backoffs that are pending are tried now, and each entry is tried once. */
  readonly once: boolean;
  /** True when the entry's bytes have to come first. */
  readonly isRemote: (entry: FileEntry) => boolean;
  readonly land: (entry: FileEntry, feed: FeedSpec) => Promise<WorkOutcome>;
  readonly work: (entry: FileEntry, feed: FeedSpec) => Promise<WorkOutcome>;
}

/**
 * Shares `concurrency` slots fairly between the feeds: one lane a feed, taken in turn. Many small files share a slot.
 * Two versions of one path are never worked on at the same time, a snapshot feed runs one file at a time, and a file at
 * which the process died is loaded alone. Remote files are landed ahead of their turn.
 */
export class WorkLoop {
  readonly #parts: WorkLoopParts;
  #lanes: readonly Lane[];
  /** Of feeds that left the config while files of theirs were under way: should they come back, these still count. */
  #left: readonly Lane[] = [];
  /** What is under way, with the name of its feed. */
  readonly #running = new Map<Promise<void>, string>();
  readonly #loads: Capacity;
  readonly #landings: Capacity;
  readonly #databasePause = new Pause(1_000, 60_000);
  readonly #busyPaths = new Set<string>();
  readonly #busyIds = new Set<number>();
  /** In `run --once` an entry is tried once: what failed here is not taken again. */
  readonly #tried: Set<number> | null;
  readonly #turn: Record<Step, number> = { land: 0, load: 0 };
  #alone = false;
  /** Rung when there may be work. */
  readonly #bell = new Wakeable();

  constructor(parts: WorkLoopParts) {
    this.#parts = parts;
    this.#lanes = parts.feeds.map((feed) => new Lane(feed));
    this.#loads = { slots: parts.concurrency, taken: 0 };
    this.#landings = { slots: Math.max(2, parts.concurrency), taken: 0 };
    this.#tried = parts.once ? new Set() : null;
  }

  /** The database's trouble, or null. */
  get databaseError(): TallymanError | null {
    return this.#databasePause.error;
  }

  feedError(name: string): TallymanError | null {
    return this.#lanes.find((lane) => lane.feed.name === name)?.error ?? null;
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
    this.#bell.wake();
  }

  /**
   * These are the feeds now. `changed`: names of those whose config is another one. What is under way is not touched.
   */
  exchange(feeds: readonly FeedSpec[], changed: ReadonlySet<string>): void {
    const before = [...this.#left, ...this.#lanes];
    const lanes = new Map(before.map((lane) => [lane.feed.name, lane]));
    const stayed = new Set(this.#lanes);
    this.#lanes = feeds.map((feed) => {
      const lane = lanes.get(feed.name);
      if (lane === undefined) return new Lane(feed);
      if (changed.has(feed.name) || !stayed.has(lane)) lane.become(feed);
      return lane;
    });
    this.#left = before.filter((lane) => !this.#lanes.includes(lane) && lane.running + lane.landings > 0);
    this.#bell.wake();
  }

  /** Resolves when what is under way now in these feeds has ended. */
  async ended(feeds: ReadonlySet<string>): Promise<void> {
    await Promise.all([...this.#running].filter(([, feed]) => feeds.has(feed)).map(([task]) => task));
  }

  /** The database answers again: what waited because it could not be reached does not wait for its next try. */
  databaseAnswers(): void {
    if (this.#databasePause.error?.code !== 'DATABASE_UNREACHABLE') return;
    this.#databasePause.end();
    this.#parts.log.info({}, 'the database is back');
    this.#bell.wake();
  }

  /** Tries what is paused now (a new config, an operator's request). */
  resume(): void {
    if (this.#databasePause.end()) this.#parts.log.info({}, 'the database is back');
    for (const lane of this.#lanes)
      if (lane.resume()) this.#parts.log.info({ feed: lane.feed.name }, 'the feed is tried again');
    this.notify(null);
  }

  /**
   * Works until the signal (daemon), or until nothing is left that can be done now and `more()` is false (once). What
   * runs when the signal comes is waited for.
   */
  async run(signal: AbortSignal, more: () => boolean): Promise<void> {
    const running = this.#running;
    const stop = (): void => this.#bell.wake();
    signal.addEventListener('abort', stop);
    try {
      for (;;) {
        this.#bell.reset();
        for (const step of ['load', 'land'] as const) {
          while (!signal.aborted) {
            const next = await this.#next(step);
            if (next === null) break;
            const task = this.#run(step, next.lane, next.entry).finally(() => {
              running.delete(task);
              this.#bell.wake();
            });
            running.set(task, next.lane.feed.name);
          }
        }
        if (signal.aborted && running.size === 0) return;
        if (this.#bell.woken) continue;
        if (running.size === 0 && !more() && this.#parts.once && this.#idle()) return;
        await this.#bell.wait(this.#nextTryMs());
        // Backoffs may have run out meanwhile.
        if (!this.#parts.once) for (const lane of this.#lanes) lane.dry = false;
      }
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  /**
   * Nothing to do now in any lane that is not paused; in once mode a pause of a few tries ends the run instead of
   * waiting for ever.
   */
  #idle(): boolean {
    if (this.#databasePause.error !== null) return gaveUp(this.#databasePause);
    return this.#lanes.every(isIdle);
  }

  #nextTryMs(): number {
    const pauses = [this.#databasePause, ...this.#lanes.flatMap((lane) => [lane.pause, lane.landing])]
      .filter((pause) => pause.error !== null)
      .map((pause) => pause.leftMs);
    // Backoffs of single files live in the ledger: look once a second.
    return Math.max(1, Math.min(1_000, ...pauses));
  }

  /**
   * The next entry for a step. A lane whose turn it is and that needs more room than there is keeps its turn: small
   * files must not pass a large one by for ever.
   */
  async #next(step: Step): Promise<{ lane: Lane; entry: FileEntry } | null> {
    if (step === 'load' && (this.#alone || this.#databasePause.leftMs > 0)) return null;
    const capacity = step === 'load' ? this.#loads : this.#landings;
    for (let i = 0; i < this.#lanes.length; i++) {
      const turn = (this.#turn[step] + i) % this.#lanes.length;
      const lane = this.#lanes[turn]!;
      if (!this.#mayRun(step, lane)) continue;
      if (lane.queue.length === 0 && !lane.dry) await this.#fetch(lane);
      const at = lane.queue.findIndex((entry) => this.#isNext(step, lane, entry));
      if (at < 0) continue;
      const entry = lane.queue[at]!;
      this.#turn[step] = turn;
      if (!hasRoom(capacity, lane, entry)) return null;
      lane.queue.splice(at, 1);
      this.#turn[step] = (turn + 1) % this.#lanes.length;
      return { lane, entry };
    }
    return null;
  }

  #mayRun(step: Step, lane: Lane): boolean {
    // While the database, feed or source is on trial after a pause, one file tries first.
    if (step === 'land')
      return (
        lane.landsAhead &&
        lane.mayLandAhead &&
        lane.landing.leftMs === 0 &&
        (lane.landing.error === null || lane.landings === 0)
      );
    if (lane.pause.leftMs > 0 || (!lane.landsAhead && lane.running > 0)) return false;
    return (
      (this.#databasePause.error === null || this.#loads.taken === 0) &&
      (lane.pause.error === null || lane.running === 0)
    );
  }

  #isNext(step: Step, lane: Lane, entry: FileEntry): boolean {
    if (this.#busyPaths.has(pathKey(entry))) return false;
    const lands = lane.landsAhead && entry.state === 'discovered' && this.#parts.isRemote(entry);
    if (step === 'land') return lands;
    return !lands && (entry.deaths.count === 0 || this.#loads.taken === 0);
  }

  async #fetch(lane: Lane): Promise<void> {
    // Enough to see past those that are busy or set aside.
    const skip = this.#busyIds.size + lane.aside.size + (this.#tried?.size ?? 0);
    const { ledger, once } = this.#parts;
    // Before it is asked: what comes while it answers makes the lane wet again.
    lane.dry = true;
    const found = await ledger.waiting(lane.feed.name, FETCH + skip, {
      ignoreBackoff: once,
      newestFirst: lane.feed.order === 'newest',
      longestMs: lane.feed.retry.maxBackoffMs,
    });
    const fresh = found.filter(
      (entry) =>
        !this.#busyIds.has(entry.fileId) && !lane.aside.has(entry.fileId) && this.#tried?.has(entry.fileId) !== true,
    );
    lane.queue.push(...fresh);
    if (fresh.length > 0) lane.dry = false;
  }

  async #run(step: Step, lane: Lane, entry: FileEntry): Promise<void> {
    const key = pathKey(entry);
    const { feed } = lane;
    const capacity = step === 'load' ? this.#loads : this.#landings;
    this.#busyPaths.add(key);
    this.#busyIds.add(entry.fileId);
    const giveBack = take(capacity, lane, entry);
    if (step === 'load') {
      lane.running++;
      lane.ahead.delete(entry.fileId);
      this.#alone = entry.deaths.count > 0;
    } else lane.landings++;
    try {
      this.#settleOutcome(
        step,
        lane,
        entry,
        await (step === 'load' ? this.#parts.work : this.#parts.land)(entry, feed),
      );
    } finally {
      giveBack();
      if (step === 'load') {
        lane.running--;
        this.#alone = false;
        // It made room on the disk.
        for (const one of this.#lanes) one.landing.tryNow();
      } else lane.landings--;
      this.#busyPaths.delete(key);
      this.#busyIds.delete(entry.fileId);
    }
  }

  #settleOutcome(step: Step, lane: Lane, entry: FileEntry, outcome: WorkOutcome): void {
    const { log } = this.#parts;
    switch (outcome.kind) {
      case 'landed':
        if (lane.landing.end()) log.info({ feed: lane.feed.name }, 'landing goes on');
        lane.ahead.add(entry.fileId);
        lane.putBack(outcome.entry);
        return;
      case 'retry':
      case 'done':
        if (outcome.kind === 'retry') this.#tried?.add(entry.fileId);
        if (step === 'load' && this.#databasePause.end()) log.info({}, 'the database is back');
        if (step === 'load' && lane.pause.end()) log.info({ feed: lane.feed.name }, 'the feed goes on');
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
        this.#pause(step === 'load' ? lane.pause : lane.landing, outcome.error, { feed: lane.feed.name });
        if (outcome.later === true) this.#tried?.add(entry.fileId);
        else lane.queue.unshift(entry);
    }
  }

  #pause(pause: Pause, error: TallymanError, fields: object): void {
    if (pause.begin(error)) this.#parts.log.error({ ...fields, code: error.code, fix: error.fix }, error.message);
  }
}

const pathKey = (entry: FileEntry): string => `${entry.feed}\0${entry.file.path}`;
