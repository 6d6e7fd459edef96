import { constants, fstatSync, openSync, writeSync } from 'node:fs';
import process from 'node:process';
import { isatty } from 'node:tty';
import { hasCode } from './errno.js';

/** Pauses between tries while the other side takes nothing, milliseconds: a quick reader is not kept waiting. */
const FIRST_PAUSE_MS = 1;
const LONGEST_PAUSE_MS = 100;

interface Kept {
  /**
   * Bytes that wait at most. Infinity = data: nothing is dropped, and an error that is not "full for now" ends the
   * writing. Else a log: it is tried again whatever happened, and lines beyond the limit are dropped and counted.
   */
  readonly limit: number;
}

/**
 * Writes to stdout or stderr without ever waiting in a system call and without an exception: a reader that does not
 * read, or a full disk, must not stop or end the process that writes. What cannot be written now is kept.
 */
export class FdWriter {
  readonly #fd: number;
  readonly #limit: number;
  readonly #waiting: Buffer[] = [];
  #bytes = 0;
  #lost = 0;
  #lostEver = 0;
  #failure: Error | null = null;
  #pauseMs = FIRST_PAUSE_MS;
  #timer: NodeJS.Timeout | null = null;
  readonly #watching = new Set<() => void>();
  /** What is written when dropped lines can be reported. */
  lostNote = (lines: number): string => `warning[LOG_LOST]: ${lines} of these lines could not be written\n`;

  constructor(fd: number, { limit }: Kept) {
    this.#fd = withoutWaiting(fd);
    this.#limit = limit;
  }

  /** Data: why the rest was not written. */
  get failure(): Error | null {
    return this.#failure;
  }

  get isIdle(): boolean {
    return this.#waiting.length === 0;
  }

  /** Lines that were dropped since the start. */
  get lostEver(): number {
    return this.#lostEver;
  }

  write(text: string): void {
    if (text === '' || this.#failure !== null) return;
    const bytes = Buffer.from(text);
    if (this.#bytes > 0 && this.#bytes + bytes.length > this.#limit) return this.#lose(1);
    this.#waiting.push(bytes);
    this.#bytes += bytes.length;
    if (this.#timer === null) this.#go();
  }

  /** Until nothing waits any more, or the signal. */
  async drained(signal: AbortSignal): Promise<void> {
    await this.room(0, signal);
  }

  /** Until at most so many bytes wait, or the signal. */
  async room(bytes: number, signal: AbortSignal): Promise<void> {
    while (this.#bytes > bytes && !signal.aborted)
      await new Promise<void>((resolve) => {
        const go = (): void => {
          this.#watching.delete(go);
          signal.removeEventListener('abort', go);
          resolve();
        };
        this.#watching.add(go);
        signal.addEventListener('abort', go);
      });
  }

  #go(): void {
    this.#timer = null;
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      let n: number;
      try {
        n = writeSync(this.#fd, first);
      } catch (error) {
        return this.#fail(error);
      }
      this.#pauseMs = FIRST_PAUSE_MS;
      this.#bytes -= n;
      if (n < first.length) this.#waiting[0] = first.subarray(n);
      else {
        this.#waiting.shift();
        if (this.#waiting.length === 0) this.#tellLost();
      }
    }
    this.#settle();
  }

  #fail(error: unknown): void {
    const isFull = hasCode(error, 'EAGAIN', 'EWOULDBLOCK', 'EINTR');
    if (this.#limit === Infinity && !isFull) {
      this.#failure = error instanceof Error ? error : new Error(String(error));
      this.#clear();
      this.#settle();
    } else if (hasCode(error, 'EPIPE')) {
      // Nobody reads. The next line finds out whether somebody does by then.
      this.#lose(this.#waiting.length);
      this.#clear();
      this.#settle();
    } else {
      this.#timer = setTimeout(() => this.#go(), this.#pauseMs);
      this.#settle();
      this.#pauseMs = Math.min(LONGEST_PAUSE_MS, this.#pauseMs * 2);
    }
  }

  #clear(): void {
    this.#waiting.length = 0;
    this.#bytes = 0;
  }

  #lose(lines: number): void {
    this.#lost += lines;
    this.#lostEver += lines;
  }

  #tellLost(): void {
    if (this.#lost === 0) return;
    const note = Buffer.from(this.lostNote(this.#lost));
    this.#lost = 0;
    this.#waiting.push(note);
    this.#bytes += note.length;
  }

  #settle(): void {
    for (const go of [...this.#watching]) go();
  }
}

/** A descriptor of the same file whose writes do not wait; of a plain file they never wait for somebody. */
function withoutWaiting(fd: number): number {
  if (isatty(fd)) {
    try {
      // An open of its own: the mode of the shared one is the shell's.
      return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    } catch {
      // The terminal of somebody else (su), or no /proc: it is written to as it is.
      return fd;
    }
  }
  const stats = fstatSync(fd);
  // Node sets pipes and sockets to non-blocking when it makes its stream for them.
  if (stats.isFIFO() || stats.isSocket()) streamOf(fd);
  return fd;
}

const streamOf = (fd: number): NodeJS.WriteStream => (fd === 2 ? process.stderr : process.stdout);
