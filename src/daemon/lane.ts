import type { TallymanError } from '../core/errors.js';
import type { FeedSpec } from '../core/feed/feed.js';
import type { FileEntry } from '../core/entry.js';
import { isSmallFile } from '../load/pool/small-file.js';
import { Pause } from './pause.js';

/**
 * Small files that take one slot together: so many wait for a transaction while one is under way, which they then
 * share.
 */
const SMALL_A_SLOT = 32;
/**
 * Files of a feed that are being landed or have landed and wait for their load, at most: enough that no load waits for
 * the line, not so many that the disk fills for nothing.
 */
const AHEAD_SMALL = 64;
const AHEAD = 4;

/** Slots of one kind of work, in units of a small file. */
export interface Capacity {
  readonly slots: number;
  taken: number;
}

const unitsOf = (lane: Lane, entry: FileEntry): number => (isSmallFile(entry.file.size, lane.feed) ? 1 : SMALL_A_SLOT);

/** True when the entry can be taken now. */
export const hasRoom = (capacity: Capacity, lane: Lane, entry: FileEntry): boolean =>
  capacity.taken + unitsOf(lane, entry) <= capacity.slots * SMALL_A_SLOT;

/** Returns what gives the room back: as much as was taken, also when the feed has changed meanwhile. */
export function take(capacity: Capacity, lane: Lane, entry: FileEntry): () => void {
  const units = unitsOf(lane, entry);
  capacity.taken += units;
  return () => {
    capacity.taken -= units;
  };
}

/** In once mode: it was tried a few times. */
export const gaveUp = (pause: Pause): boolean => pause.error !== null && pause.failures >= 3;

/** Nothing to do now, or nothing that a further try would change (once mode). */
export function isIdle(lane: Lane): boolean {
  const empty = lane.dry && lane.queue.length === 0;
  // Empty although paused: what failed is tried in the next run.
  if (lane.pause.error !== null) return empty || gaveUp(lane.pause);
  if (lane.landing.error !== null) return gaveUp(lane.landing);
  return empty;
}

/** What waits and runs of one feed. */
export class Lane {
  #feed: FeedSpec;
  readonly queue: FileEntry[] = [];
  /** Loads wait: the feed cannot load now. */
  readonly pause = new Pause(1_000, 60_000);
  /** Landings wait: the source cannot be reached, or there is no room. What has landed is loaded all the same. */
  readonly landing = new Pause(1_000, 60_000);
  /** Left alone until something ends in this feed. */
  readonly aside = new Set<number>();
  /** Landed, and not yet being loaded. */
  readonly ahead = new Set<number>();
  running = 0;
  landings = 0;
  /** The ledger had nothing more for this lane; reset by anything that may have brought work. */
  dry = false;

  constructor(feed: FeedSpec) {
    this.#feed = feed;
  }

  get feed(): FeedSpec {
    return this.#feed;
  }

  /** Another config of the feed: what is under way goes on with the one it began with, what waits is taken anew. */
  become(feed: FeedSpec): void {
    this.#feed = feed;
    this.queue.length = 0;
    this.aside.clear();
    this.ahead.clear();
    this.dry = false;
    this.resume();
  }

  /** A serial feed takes one file at a time, landing and all. */
  get landsAhead(): boolean {
    return !this.feed.serial;
  }

  get mayLandAhead(): boolean {
    const most = this.queue.every((entry) => isSmallFile(entry.file.size, this.feed)) ? AHEAD_SMALL : AHEAD;
    return this.ahead.size + this.landings < most;
  }

  /**
   * Among those that wait, in the order in which they were discovered: its load must not wait behind files that landed
   * after it.
   */
  putBack(entry: FileEntry): void {
    const at = this.queue.findIndex((other) => other.fileId > entry.fileId);
    this.queue.splice(at < 0 ? this.queue.length : at, 0, entry);
  }

  get error(): TallymanError | null {
    return this.pause.error ?? this.landing.error;
  }

  /** Returns true when it had been paused. */
  resume(): boolean {
    const loads = this.pause.end();
    return this.landing.end() || loads;
  }
}
