import type { LoadProgress } from './load.js';
import type { FileReport } from './report.js';

/** What the engine reports while it works: name of the event -> what comes with it. */
export interface EngineEvents {
  /** A file has ended, or an attempt at it has failed. */
  readonly file: FileReport;
  /** A load goes on: a few times a second for each at most. */
  readonly progress: LoadProgress;
  /** `run --once` begins to wait for so many files of the feed that still change, at most so long. */
  readonly waiting: { readonly feed: string; readonly files: number; readonly timeoutMs: number };
}

export type Listener<K extends keyof EngineEvents> = (event: EngineEvents[K]) => void;

/**
 * Passes on what the engine reports to everybody who listens: terminal, log, metrics. A listener is called at once, in
 * the order of subscription, and nothing is kept: it hears only what comes after it subscribed. So it must be quick and
 * must not throw; one that passes on to somebody slow keeps a buffer of its own, with a limit.
 */
export class Events {
  readonly #listeners: { readonly [K in keyof EngineEvents]: Set<Listener<K>> } = {
    file: new Set(),
    progress: new Set(),
    waiting: new Set(),
  };

  /** Returns what ends the subscription. */
  on<K extends keyof EngineEvents>(name: K, listener: Listener<K>): () => void {
    this.#listeners[name].add(listener);
    return () => this.#listeners[name].delete(listener);
  }

  tell<K extends keyof EngineEvents>(name: K, event: EngineEvents[K]): void {
    for (const listener of this.#listeners[name]) listener(event);
  }
}
