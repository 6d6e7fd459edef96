import { setTimeout as sleep } from 'node:timers/promises';

/** A timer takes no more milliseconds than this (24.8 days); Node makes anything longer 1 ms. */
const LONGEST_MS = 2_147_483_647;

/** Waits, but no longer than until the signal comes. Never throws: whoever must know asks `signal.aborted`. */
export async function wait(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(Math.min(ms, LONGEST_MS), undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** Until `work` has ended or the signal comes. Throws what `work` throws. */
export async function until(work: Promise<void>, signal: AbortSignal): Promise<void> {
  let stop = (): void => undefined;
  const stopped = new Promise<void>((resolve) => {
    stop = resolve;
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', stop, { once: true });
  });
  try {
    await Promise.race([work, stopped]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/**
 * A wait that ends early when there is something to do. One waits at a time. A wake that comes while nobody waits is
 * kept, and the next wait returns at once: nothing is missed between a look for work and the wait after it.
 */
export class Wakeable {
  #woken = false;
  #end: (() => void) | null = null;

  /** True when it was woken since the last wait ended or `reset` was called. */
  get woken(): boolean {
    return this.#woken;
  }

  wake(): void {
    this.#woken = true;
    this.#end?.();
  }

  /** What has come until now is about to be seen to: only a later wake counts. */
  reset(): void {
    this.#woken = false;
  }

  /** Until woken, or until the signal, at most `ms`. Never throws. */
  async wait(ms: number, signal?: AbortSignal): Promise<void> {
    if (!this.#woken && ms > 0 && signal?.aborted !== true) {
      await new Promise<void>((resolve) => {
        const end = (): void => {
          clearTimeout(timer);
          signal?.removeEventListener('abort', end);
          this.#end = null;
          resolve();
        };
        const timer = setTimeout(end, Math.min(ms, LONGEST_MS));
        signal?.addEventListener('abort', end, { once: true });
        this.#end = end;
      });
    }
    this.#woken = false;
  }
}
