import type { FeedSpec } from '../core/feed/feed.js';
import type { NotTaken } from '../core/feed/trouble.js';
import { isAged, sameVersion, type SeenFile, type SkippedEntry } from '../core/file.js';
import type { FileEntry } from '../core/entry.js';
import type { Arrivals } from '../core/ledger/arrivals.js';
import type { Queue } from '../core/ledger/queue.js';
import type { Source } from '../core/source.js';
import { TallymanError } from '../core/errors.js';
import { ready } from '../intake/ready.js';
import { Settle } from '../intake/settle.js';
import { isBeside } from '../sources/common/companion.js';
import { backoff } from '../base/backoff.js';
import { Wakeable } from '../base/wait.js';
import type { Log } from '../core/log.js';
import { PassedOver } from './passed-over.js';

/** Files that are followed while they settle, and again while they wait for a marker: about 600 bytes each. */
const FOLLOWED_MAX = 50_000;
/** Hinted paths kept before a full listing is cheaper and safer than looking at each. */
const HINTS_MAX = 10_000;
/** Files of one listing that are told to wait for a marker; a folder may be full of them. */
const WAITING_TOLD_MAX = 20;

export interface FeedHealth {
  readonly healthy: boolean;
  /** Why not, for people. */
  readonly error: TallymanError | null;
  readonly lastScanAt: string | null;
  /** Files seen that still change or lack their marker. */
  readonly waiting: number;
  /** Files that the last whole listing did not take, and folders that it could not list. */
  readonly skipped: NotTaken;
  readonly unlisted: NotTaken;
}

/**
 * Finds the files of one feed: the full listing is the truth, events are hints that make it prompt. What has settled
 * and is ready goes into the ledger as `discovered`; nothing else is decided here.
 *
 *     listing or hint -> known to the ledger? -> settle -> ready -> ledger.discover
 */
export class FeedWatcher {
  readonly #feed: FeedSpec;
  readonly #source: Source;
  readonly #ledger: Arrivals & Pick<Queue, 'versions'>;
  readonly #log: Log;
  readonly #actor: string;
  readonly #onFound: () => void;
  readonly #onDiscovered: (entries: readonly FileEntry[]) => void;
  readonly #onWait: (wait: { readonly settling: number; readonly timeoutMs: number }) => void;
  readonly #settle: Settle;
  /** Settled, but without their marker; path -> the version and how long it took to settle. */
  readonly #unready = new Map<
    string,
    {
      readonly file: SeenFile;
      readonly waitedMs: number;
      readonly reason: string;
      readonly since: number;
      scan: number;
      told: boolean;
    }
  >();
  readonly #passedOver = new PassedOver();
  #hints = new Set<string>();
  #rescan = false;
  /** Number of the listing under way. */
  #scans = 0;
  #overflowed = false;
  /** Rung when a path or the whole folder is to be looked at. */
  readonly #bell = new Wakeable();
  #failures = 0;
  #error: TallymanError | null = null;
  #lastScanAt: string | null = null;
  #watching: { close(): Promise<void> } | null = null;
  #watchingRoot = false;

  constructor(parts: {
    readonly feed: FeedSpec;
    readonly source: Source;
    readonly ledger: Arrivals & Pick<Queue, 'versions'>;
    readonly log: Log;
    readonly actor: string;
    /** Files were seen that the ledger does not know; they may still change. */
    readonly onFound: () => void;
    readonly onDiscovered: (entries: readonly FileEntry[]) => void;
    /** One pass begins to wait for files that still change. Omitted = nobody asks. */
    readonly onWait?: (wait: { readonly settling: number; readonly timeoutMs: number }) => void;
  }) {
    this.#feed = parts.feed;
    this.#source = parts.source;
    this.#ledger = parts.ledger;
    this.#log = parts.log;
    this.#actor = parts.actor;
    this.#onFound = parts.onFound;
    this.#onDiscovered = parts.onDiscovered;
    this.#onWait = parts.onWait ?? ((): void => undefined);
    this.#settle = new Settle(parts.feed.source.settleMs, undefined, FOLLOWED_MAX);
  }

  get health(): FeedHealth {
    return {
      healthy: this.#error === null,
      error: this.#error,
      lastScanAt: this.#lastScanAt,
      waiting: this.#settle.size + this.#unready.size,
      skipped: this.#passedOver.skipped,
      unlisted: this.#passedOver.unlisted,
    };
  }

  /** What settled files wait for, for people: the first few. */
  get waitingFor(): readonly string[] {
    return [...this.#unready].slice(0, WAITING_TOLD_MAX).map(([path, { reason }]) => `${path} waits: ${reason}`);
  }

  /** Looks at a path again soon (it changed while it was read, or an after action found another version). */
  look(path: string): void {
    if (this.#hints.size >= HINTS_MAX) this.#rescan = true;
    else this.#hints.add(path);
    this.#bell.wake();
  }

  /** Lists everything soon: a request may have made a known file one to take again. */
  rescan(): void {
    this.#rescan = true;
    this.#bell.wake();
  }

  /**
   * The daemon's loop: listing, hints and settle times, until the signal. Never throws: what fails makes the feed
   * unhealthy and is tried again.
   */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#attempt(async () => {
        await this.#watch();
        await this.#scan(signal);
      }, signal);
      const nextScan =
        performance.now() +
        (this.#error === null
          ? this.#feed.source.pollMs
          : backoff(this.#failures, { baseMs: 1_000, maxMs: Math.max(1_000, this.#feed.source.pollMs) }));
      while (!this.#mustScan(signal)) {
        const wait = Math.min(
          nextScan - performance.now(),
          this.#error === null ? (this.#settle.dueIn() ?? Infinity) : Infinity,
        );
        await this.#bell.wait(wait, signal);
        if (performance.now() >= nextScan) break;
        if (this.#error === null) await this.#attempt(() => this.#lookAgain(), signal);
        if (this.#roomAgain()) break;
        else if (this.#hints.size > 0) break;
      }
    }
    await this.#watching?.close();
    this.#watching = null;
  }

  /**
   * `run --once`: one listing, then waits until all it saw has settled, at most `timeoutMs`. What has settled and lacks
   * its marker is not waited for: nobody knows whether that comes at all. Throws SOURCE_UNREACHABLE. Returns how many
   * still change or lack their marker.
   */
  async once(timeoutMs: number, signal: AbortSignal): Promise<number> {
    const end = performance.now() + timeoutMs;
    try {
      await this.#scan(signal);
      if (this.#settle.size > 0 && timeoutMs > 0) this.#onWait({ settling: this.#settle.size, timeoutMs });
      while (!signal.aborted && this.#settle.size > 0) {
        const left = end - performance.now();
        if (left <= 0) break;
        // A marker may come meanwhile, without any event here: look at the unready ones twice a second.
        await this.#bell.wait(Math.min(left, this.#settle.dueIn() ?? 500, 500), signal);
        for (const path of this.#unready.keys()) this.#hints.add(path);
        await this.#lookAgain();
        if (this.#roomAgain()) await this.#scan(signal);
      }
    } catch (error) {
      this.#fail(error);
      throw error;
    }
    return this.#settle.size + this.#unready.size;
  }

  /**
   * More new files came than can be followed at once, and half of those have gone on: a listing brings the next ones.
   */
  #roomAgain(): boolean {
    return this.#overflowed && this.#settle.size < FOLLOWED_MAX / 2;
  }

  #mustScan(signal: AbortSignal): boolean {
    return signal.aborted || this.#rescan;
  }

  async #attempt(work: () => Promise<void>, signal: AbortSignal): Promise<void> {
    try {
      await work();
      if (this.#error !== null) this.#log.info({ feed: this.#feed.name }, 'source is back');
      this.#error = null;
      this.#failures = 0;
    } catch (error) {
      if (!signal.aborted) this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    const known = TallymanError.of(error, 'SOURCE_UNREACHABLE');
    // Said when it starts and when the reason changes, not at every poll of a night.
    if (this.#error?.message !== known.message)
      this.#log.error({ feed: this.#feed.name, code: known.code, fix: known.fix }, known.message);
    this.#error = known;
    this.#failures++;
  }

  /** Events where the source has them; a source that cannot watch now is still polled. */
  async #watch(): Promise<void> {
    if (this.#source.watch === undefined || this.#watchingRoot) return;
    this.#watchingRoot = true;
    this.#watching = await this.#source.watch(
      (path) => {
        if (path === null) this.#rescan = true;
        else this.look(path);
        this.#bell.wake();
      },
      (error) =>
        this.#log.warn(
          { feed: this.#feed.name, code: 'EVENTS' },
          `trouble with events (${error.message}); the listing every ${this.#feed.source.pollMs / 1000} s finds what they miss`,
        ),
    );
  }

  async #scan(signal: AbortSignal): Promise<void> {
    // What comes in while the listing runs asks for the next one.
    this.#bell.reset();
    this.#rescan = false;
    this.#hints = new Set();
    this.#scans++;
    const mark = this.#settle.mark();
    this.#passedOver.begin();
    for await (const page of this.#source.list(signal)) {
      signal.throwIfAborted();
      this.#tellSkipped(page.skipped);
      this.#passedOver.add(page.skipped);
      const data = page.files.filter((file) => !isBeside(this.#feed.source, file.path));
      await this.#observe(await this.#ledger.unknown(this.#feed.name, data));
    }
    this.#overflowed = this.#settle.takeOverflow();
    this.#passedOver.end();
    // What a folder that could not be listed holds was not seen, which is not the same as gone.
    if (this.#passedOver.unlisted.count === 0) {
      this.#settle.sweep(mark);
      for (const [path, unready] of this.#unready) if (unready.scan !== this.#scans) this.#unready.delete(path);
    }
    this.#tellWaiting();
    this.#lastScanAt = new Date().toISOString();
  }

  /** Hinted paths and those whose settle time may have run out. */
  async #lookAgain(): Promise<void> {
    this.#bell.reset();
    const hints = this.#hints;
    this.#hints = new Set();
    const paths = new Set([...hints, ...this.#settle.due()]);
    // A marker came or went: the files that wait for one are looked at again.
    for (const hint of hints) {
      if (!isBeside(this.#feed.source, hint)) continue;
      paths.delete(hint);
      for (const path of this.#unready.keys()) paths.add(path);
    }
    const seen: SeenFile[] = [];
    for (const path of paths) {
      let file: SeenFile | null = null;
      try {
        file = await this.#source.stat(path);
      } catch (error) {
        // What is wrong with one file, or with the folder that it lies in, stops no other.
        if (!(error instanceof TallymanError) || !['FILE_NOT_TAKEN', 'FILE_UNREADABLE'].includes(error.code))
          throw error;
        // In the listing's words, which come without the name: or it would be said twice.
        this.#tellSkipped([
          {
            path,
            reason: error.message.startsWith(`${path}: `) ? error.message.slice(path.length + 2) : error.message,
          },
        ]);
      }
      if (file === null) {
        this.#settle.forget(path);
        this.#unready.delete(path);
      } else seen.push(file);
    }
    await this.#observe(await this.#ledger.unknown(this.#feed.name, seen));
  }

  async #observe(files: readonly SeenFile[]): Promise<void> {
    if (files.length > 0) this.#onFound();
    const entries: Promise<FileEntry>[] = [];
    for (const file of files) {
      const unready = this.#unready.get(file.path);
      const known = unready !== undefined && sameVersion(unready.file, file) ? unready : null;
      if (known === null) this.#unready.delete(file.path);
      else known.scan = this.#scans;
      const { settled, waitedMs } =
        known === null ? this.#settle.observe(file) : { settled: true, waitedMs: known.waitedMs };
      if (!settled) continue;
      entries.push(...(await this.#admitReady(file, waitedMs)));
    }
    if (entries.length > 0) this.#onDiscovered(await Promise.all(entries));
  }

  async #admitReady(file: SeenFile, waitedMs: number): Promise<Promise<FileEntry>[]> {
    const spec = this.#feed.source;
    let readiness = null;
    if (spec.ready.kind !== 'always' || spec.checksum !== undefined) {
      const [previous] = await this.#ledger.versions(this.#feed.name, file.path, 1);
      // Looked at once more because it is older now, not because it has changed: what released it still does.
      const marker = previous === undefined || isAged(previous.file, file) ? null : previous.marker;
      readiness = await ready(spec, this.#source, file, marker);
      if (!readiness.ready) {
        this.#settle.forget(file.path);
        // One that does not fit comes again with the next listing.
        if (this.#unready.size < FOLLOWED_MAX) this.#wait(file, waitedMs, readiness.reason);
        return [];
      }
    }
    this.#settle.forget(file.path);
    this.#unready.delete(file.path);
    return [
      this.#ledger.discover(
        {
          feed: this.#feed.name,
          file,
          uri: this.#source.uri(file.path),
          settleSeconds: waitedMs / 1_000,
          marker: readiness?.marker ?? null,
        },
        this.#actor,
      ),
    ];
  }

  /** What it waits for may change from one look to the next: first the marker, then a whole one. */
  #wait(file: SeenFile, waitedMs: number, reason: string): void {
    const before = this.#unready.get(file.path);
    const same = before?.reason === reason;
    this.#unready.set(file.path, {
      file,
      waitedMs,
      reason,
      since: before?.since ?? this.#scans,
      scan: this.#scans,
      told: same && before.told,
    });
  }

  /** Says what files wait for, once a reason. Not at first sight: a marker usually comes right behind its file. */
  #tellWaiting(): void {
    let told = 0;
    for (const [path, unready] of this.#unready) {
      if (unready.told || this.#scans === unready.since) continue;
      if (++told > WAITING_TOLD_MAX) return;
      unready.told = true;
      this.#log.info({ feed: this.#feed.name, path }, `waits: ${unready.reason}`);
    }
  }

  #tellSkipped(skipped: readonly SkippedEntry[]): void {
    for (const { path, reason } of this.#passedOver.news(skipped))
      this.#log.warn({ feed: this.#feed.name, path, code: 'FILE_NOT_TAKEN' }, `not taken: ${reason}`);
  }
}
