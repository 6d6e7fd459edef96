import { setMaxListeners } from 'node:events';
import type { FeedSpec } from '../core/feed/feed.js';
import type { Source } from '../core/source.js';
import { messageOf } from '../core/errors.js';
import type { Log } from '../core/log.js';
import type { FeedWatcher } from './feed-watcher.js';

/** Waits of one feed on its signal that are no leak: its poll, what it lists, reads and lands. Beyond, Node warns. */
const WAITS = 16;

interface AtWork {
  readonly feed: FeedSpec;
  readonly source: Source;
  readonly watcher: FeedWatcher;
  /** Ends the watcher; null = it does not run. */
  stop: (() => Promise<void>) | null;
}

interface Parts {
  readonly log: Log;
  source(feed: FeedSpec): Source;
  watcher(feed: FeedSpec, source: Source): FeedWatcher;
}

/** The feeds of an engine: config, source and watcher of each. Single ones are exchanged while the others go on. */
export class FeedsAtWork {
  readonly #parts: Parts;
  readonly #feeds = new Map<string, AtWork>();
  /** Not watched any more; what is under way still reads from them. */
  #taken: AtWork[] = [];
  readonly #closing = new Set<Promise<void>>();
  #fail: (error: unknown) => void = () => undefined;

  constructor(parts: Parts, feeds: readonly FeedSpec[]) {
    this.#parts = parts;
    for (const feed of feeds) this.put(feed);
  }

  get specs(): ReadonlyMap<string, FeedSpec> {
    return new Map([...this.#feeds].map(([name, { feed }]) => [name, feed]));
  }

  /** As they are now: what began with them keeps them. */
  get sources(): ReadonlyMap<string, Source> {
    return new Map([...this.#feeds].map(([name, { source }]) => [name, source]));
  }

  get watchers(): readonly FeedWatcher[] {
    return [...this.#feeds.values()].map(({ watcher }) => watcher);
  }

  watcher(name: string): FeedWatcher | null {
    return this.#feeds.get(name)?.watcher ?? null;
  }

  /** Opens its source; nothing runs yet. */
  put(feed: FeedSpec): void {
    const source = this.#parts.source(feed);
    this.#feeds.set(feed.name, { feed, source, watcher: this.#parts.watcher(feed, source), stop: null });
  }

  /** Those that do not run yet are watched, until the signal or until they are taken away. */
  watch(signal: AbortSignal): void {
    for (const at of this.#feeds.values()) {
      if (at.stop !== null || signal.aborted) continue;
      const stop = new AbortController();
      setMaxListeners(WAITS, stop.signal);
      const forward = (): void => stop.abort();
      signal.addEventListener('abort', forward, { once: true });
      const ended = at.watcher
        .run(stop.signal)
        .catch((error: unknown) => this.#fail(error))
        .finally(() => signal.removeEventListener('abort', forward));
      at.stop = async () => {
        stop.abort();
        await ended;
      };
    }
  }

  /** Until the signal. Throws what a watcher throws, which none should: a feed must not stand still unseen. */
  async watched(signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#fail = reject;
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  /** Not watched any more; its source stays open. */
  async take(name: string): Promise<void> {
    const at = this.#feeds.get(name);
    if (at === undefined) return;
    this.#feeds.delete(name);
    this.#taken.push(at);
    await at.stop?.();
  }

  /** The sources of those that were taken are closed when what is under way has ended. */
  closeTaken(ended: Promise<void>): void {
    const taken = this.#taken;
    this.#taken = [];
    const closing = ended
      .then(async () => {
        await Promise.all(taken.map(({ source }) => source.close()));
      })
      .catch((error: unknown) => this.#parts.log.debug({}, `a source did not close: ${messageOf(error)}`))
      .finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }

  /** Watchers have ended and sources are closed. */
  async close(): Promise<void> {
    await Promise.all([...this.#feeds.values()].map(async ({ stop }) => await stop?.()));
    const sources = [...this.#feeds.values(), ...this.#taken].map(({ source }) => source.close());
    await Promise.all([...this.#closing, ...sources]);
  }
}
