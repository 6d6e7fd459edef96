import { sameVersion, type SeenFile } from '../core/file.js';

/**
 * Paths that are followed while they settle. Measured: 574 bytes each, so 50,000 are 29 MB of the 250 MB that the
 * process may use.
 */
const TRACKED_MAX = 50_000;
/** Paths that one call of `due` gives, so that a look at them stays a short piece of work. */
const DUE_MAX = 1_000;

interface Tracked {
  file: SeenFile;
  /** When the path was first seen at all, and when it was first seen as it is now. */
  readonly firstSeen: number;
  since: number;
  /** Number of the last look at it. */
  look: number;
}

/**
 * Has a file stopped changing? Judged by our own looks on a monotonic clock, never by `now - mtime`: copies keep old
 * times (`cp -p`, unzip, rsync -t), and the clocks of two machines differ. A version is settled when size and version
 * token were seen unchanged for `settleMs`.
 *
 * Memory is bounded: at most `limit` paths are followed. What does not fit is not settled and not forgotten either: the
 * next listing brings it again, and `overflowed` says that one is worth while as soon as `size` has gone down.
 */
export class Settle {
  readonly #settleMs: number;
  readonly #clock: () => number;
  readonly #limit: number;
  readonly #tracked = new Map<string, Tracked>();
  /**
   * Path -> its next look. In order without sorting: an entry is always put at the end, `settleMs` before it is due.
   */
  readonly #dueAt = new Map<string, number>();
  #overflowed = false;
  #looks = 0;

  /** `clock` returns milliseconds and never goes back. */
  constructor(settleMs: number, clock: () => number = () => performance.now(), limit: number = TRACKED_MAX) {
    this.#settleMs = settleMs;
    this.#clock = clock;
    this.#limit = limit;
  }

  /** Paths being followed. */
  get size(): number {
    return this.#tracked.size;
  }

  /** True when a path did not fit since this was last asked. */
  takeOverflow(): boolean {
    const overflowed = this.#overflowed;
    this.#overflowed = false;
    return overflowed;
  }

  /**
   * One look at a file. `waitedMs` is the time since it was first seen, whatever it did meanwhile. A settled path is
   * still followed until it is forgotten, and stays settled as long as it does not change.
   */
  observe(file: SeenFile): { readonly settled: boolean; readonly waitedMs: number } {
    if (this.#settleMs <= 0) return { settled: true, waitedMs: 0 };
    const now = this.#clock();
    const look = ++this.#looks;
    const known = this.#tracked.get(file.path);
    if (known === undefined) {
      if (this.#tracked.size >= this.#limit) this.#overflowed = true;
      else this.#track({ file, firstSeen: now, since: now, look }, now);
      return { settled: false, waitedMs: 0 };
    }
    known.look = look;
    const waitedMs = now - known.firstSeen;
    if (sameVersion(known.file, file)) return { settled: now - known.since >= this.#settleMs, waitedMs };
    known.file = file;
    known.since = now;
    this.#track(known, now);
    return { settled: false, waitedMs };
  }

  /** Milliseconds until a path is due to be looked at; 0 = now; null = none is followed. */
  dueIn(): number | null {
    for (const at of this.#dueAt.values()) return Math.max(0, at - this.#clock());
    return null;
  }

  /**
   * Paths whose settle time has run out: look at them and call `observe`. Each is due again after another settle time,
   * unless it is forgotten.
   */
  due(max: number = DUE_MAX): string[] {
    const now = this.#clock();
    const paths: string[] = [];
    for (const [path, at] of this.#dueAt) {
      if (at > now || paths.length >= max) break;
      paths.push(path);
    }
    for (const path of paths) this.#schedule(path, now);
    return paths;
  }

  /** The path is gone, or has gone on its way. */
  forget(path: string): void {
    this.#tracked.delete(path);
    this.#dueAt.delete(path);
  }

  /** Forgets what a full listing no longer shows. */
  retain(isPresent: (path: string) => boolean): void {
    for (const path of this.#tracked.keys()) if (!isPresent(path)) this.forget(path);
  }

  /** Where the looks stand: taken before a full listing, for `sweep` behind it. */
  mark(): number {
    return this.#looks;
  }

  /**
   * Forgets what was not looked at since the mark: a full listing no longer shows it. Costs no list of all that it
   * showed.
   */
  sweep(mark: number): void {
    for (const [path, { look }] of this.#tracked) if (look <= mark) this.forget(path);
  }

  #track(entry: Tracked, now: number): void {
    this.#tracked.set(entry.file.path, entry);
    this.#schedule(entry.file.path, now);
  }

  #schedule(path: string, now: number): void {
    this.#dueAt.delete(path);
    this.#dueAt.set(path, now + this.#settleMs);
  }
}
