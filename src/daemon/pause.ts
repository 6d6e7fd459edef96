import type { TallymanError } from '../core/errors.js';
import { backoff } from '../base/backoff.js';

/**
 * Something outside the files cannot be reached: work on it pauses, with backoff without end, and goes on by itself.
 * Uses no attempt and changes no file's state (docs/spec/states.md#pauses).
 */
export class Pause {
  readonly #baseMs: number;
  readonly #maxMs: number;
  #until = 0;
  #failures = 0;
  #error: TallymanError | null = null;

  /** Milliseconds of the first and the longest pause. */
  constructor(baseMs: number, maxMs: number) {
    this.#baseMs = baseMs;
    this.#maxMs = maxMs;
  }

  get error(): TallymanError | null {
    return this.#error;
  }

  get failures(): number {
    return this.#failures;
  }

  /** Milliseconds until it may be tried again; 0 = now. */
  get leftMs(): number {
    return this.#error === null ? 0 : Math.max(0, this.#until - performance.now());
  }

  /**
   * Returns true when this is news (another reason than last time). What many files under way tell of one trouble at
   * once is reported once, and makes the pause no longer.
   */
  begin(error: TallymanError): boolean {
    if (this.leftMs > 0 && this.#error?.code === error.code) return false;
    const news = this.#error?.message !== error.message;
    this.#error = error;
    this.#failures++;
    this.#until = performance.now() + backoff(this.#failures, { baseMs: this.#baseMs, maxMs: this.#maxMs });
    return news;
  }

  /** What stood in the way may have gone: tried at once, and paused as long as before if it did not. */
  tryNow(): void {
    this.#until = 0;
  }

  /** It worked. Returns true when it had been paused. */
  end(): boolean {
    const was = this.#error !== null;
    this.#error = null;
    this.#failures = 0;
    this.#until = 0;
    return was;
  }
}
