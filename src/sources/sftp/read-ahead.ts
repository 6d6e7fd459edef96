/**
 * Most bytes asked for ahead of the reader: what a link of 300 Mbit/s with 100 ms holds. The package's own window is
 * 2 MiB.
 */
const MOST = 4 * 1024 * 1024;
/** What a line that nobody knows yet is asked for, and the least. */
const FIRST = 256 * 1024;
const LEAST = 64 * 1024;
/** Requests that a window is made of, and the smallest one. */
const PARTS = 16;
const READ_LEAST = 32 * 1024;
/** An answer that took this much longer than the quickest one stood in a queue on the line, milliseconds. */
const QUEUED_MS = 1_500;
const CROWDED_MS = 6_000;

/**
 * How much is asked for ahead over one connection: megabytes on a fast line, so that it is never idle, and seconds'
 * worth on a slow one. What is asked for cannot be called back, and everything else (a listing, a look) has to wait
 * behind it: 4 MiB at 20 kB/s are three and a half minutes.
 *
 * It opens while answers come as quickly as the quickest one, as far as the distance asks for it, and closes when they
 * stand in a queue.
 */
export class ReadAhead {
  #window = FIRST;
  #quickestMs = Infinity;

  /** Bytes that may be under way at once for one file. */
  get window(): number {
    return this.#window;
  }

  /** Bytes that one read may ask for; `most` is what the server takes. A line that is often cut brings small ones. */
  readSize(most: number): number {
    return Math.min(most, Math.max(READ_LEAST, Math.ceil(this.#window / PARTS)));
  }

  /** An answer of so many bytes came whole, so long after it was asked for. */
  answered(bytes: number, tookMs: number): void {
    this.#quickestMs = Math.min(tookMs, this.#quickestMs);
    const queuedMs = tookMs - this.#quickestMs;
    if (queuedMs < QUEUED_MS) this.#window = Math.min(MOST, this.#window + bytes);
    else if (queuedMs > CROWDED_MS) this.#window = Math.max(LEAST, this.#window - bytes);
  }
}
